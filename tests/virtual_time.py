"""An event loop whose clock jumps to whatever is due next: minutes pass in milliseconds.

Only for what does no I/O: a loop that waits for a socket would never see time pass.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


class _Jumping(selectors.SelectSelector):
    """Does not wait for the time that the loop wants to sleep, but moves its clock by it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "all wait, and nothing will ever happen"
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def in_virtual_time(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Run a test in a loop of its own, with its clock at 0."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(_whole(test(*args, **kwargs)))

    return run


async def _whole(test: Awaitable[None]) -> None:
    await test


def now() -> float:
    """The running loop's clock."""
    return asyncio.get_running_loop().time()
