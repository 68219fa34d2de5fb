"""Every interleaving of two sessions on a real database, after PostgreSQL's isolation tester.

A session is a list of steps on one connection. A step that waits for the other's lock stays where
it is while the other goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import combinations

from payloom.core.db import Tx
from payloom.runtime import Runtime

Step = Callable[[Tx], Awaitable[object]]

POLL_S = 0.001


async def begin(tx: Tx) -> None:
    await tx.execute("BEGIN")


async def commit(tx: Tx) -> None:
    await tx.execute("COMMIT")


def interleavings(first: int, second: int) -> Iterator[tuple[int, ...]]:
    """All ways of merging so many steps of session 0 with so many of session 1."""
    for places in combinations(range(first + second), first):
        yield tuple(0 if place in places else 1 for place in range(first + second))


async def weave(rt: Runtime, sessions: Sequence[Sequence[Step]], order: Sequence[int]) -> int:
    """Let the sessions take their steps in this order; how often one had to wait for the other."""
    async with rt.db.statement() as a, rt.db.statement() as b, rt.db.statement() as observer:
        running = [_Running(tx, await tx.fetchval("SELECT pg_backend_pid()")) for tx in (a, b)]
        steps, waits = [iter(session) for session in sessions], 0
        for who in order:
            running[who].take(next(steps[who]))
            waits += await _settled(running[who], observer)
        await asyncio.gather(*(each.rest() for each in running))
        return waits


class _Running:
    """One session: its steps in their order, one at a time."""

    def __init__(self, tx: Tx, pid: int) -> None:
        self.tx = tx
        self.pid = pid
        self._last: asyncio.Task[object] | None = None

    def take(self, step: Step) -> None:
        self._last = asyncio.create_task(self._after(self._last, step))

    @property
    def is_busy(self) -> bool:
        return self._last is not None and not self._last.done()

    async def rest(self) -> None:
        if self._last is not None:
            await self._last

    async def _after(self, before: "asyncio.Task[object] | None", step: Step) -> object:
        if before is not None:
            await before
        return await step(self.tx)


async def _settled(session: _Running, observer: Tx) -> bool:
    """Wait until the session is done or waits for a lock; whether it waits."""
    while session.is_busy:
        if await observer.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", session.pid):
            return True
        await asyncio.sleep(POLL_S)
    return False
