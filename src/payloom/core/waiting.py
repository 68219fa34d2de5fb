"""How long a request waited for others, so that its own time can be told apart."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Outside:
    """Seconds spent waiting for the world, also in tasks that the request started."""

    seconds: float = 0.0


_outside: ContextVar[Outside | None] = ContextVar("outside", default=None)


def start() -> Outside:
    """Count from here, for this request."""
    outside = Outside()
    _outside.set(outside)
    return outside


@contextmanager
def counted() -> Iterator[None]:
    """What happens inside is waiting for others."""
    started = time.perf_counter()
    try:
        yield
    finally:
        outside = _outside.get()
        if outside is not None:
            outside.seconds += time.perf_counter() - started
