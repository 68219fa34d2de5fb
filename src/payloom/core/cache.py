"""A small cache for what hardly changes: read again after some seconds, loaded once at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Cache:
    """Values live `ttl_s` seconds (monotonic); a failed load is not kept."""

    def __init__(self, *, ttl_s: float, size_max: int = 10_000) -> None:
        self._ttl_s = ttl_s
        self._size_max = size_max
        self._kept: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    async def get(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """The value under `key`, from `load()` when it is missing or too old."""
        kept = self._kept.get(key)
        if kept is None or kept[0] < time.monotonic() or _failed(kept[1]):
            if len(self._kept) >= self._size_max:
                self._kept.clear()
            kept = (time.monotonic() + self._ttl_s, asyncio.ensure_future(_run(load)))
            self._kept[key] = kept
        task: asyncio.Task[T] = kept[1]
        if task.done():
            return task.result()
        return await asyncio.shield(task)

    def forget(self, key: Hashable) -> None:
        """Load afresh next time: what was cached has just been changed here."""
        self._kept.pop(key, None)


async def _run(load: Callable[[], Awaitable[T]]) -> T:
    return await load()


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
