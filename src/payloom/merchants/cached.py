"""Rows that are read for every request and hardly change: at most CACHE_TTL_S seconds old."""

from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from payloom.runtime import Runtime

T = TypeVar("T")


async def cached(rt: Runtime, key: Hashable, load: Callable[[], Awaitable[T | None]]) -> T | None:
    """What `load` finds. None is not kept: strangers who guess keys and ids must not push out
    what is in use, and what is made next must be found at once."""
    found = await rt.cache.get(key, load)
    if found is None:
        rt.cache.forget(key)
    return found
