"""Leads two flows, statement by statement, through every order in which these can happen.

Before each statement, each COMMIT and each call to the PSP a flow stops and says what it is about
to do; the loom lets one go at a time. A flow that waits for the other's lock cannot be chosen
until PostgreSQL lets it on (`pg_blocking_pids`), so what is impossible is never tried.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg

LOOK_AFTER_S = 0.002  # a statement that takes longer may be waiting for a lock: look
STEPS_MAX = 500

Flow = Callable[[], Awaitable[None]]


class Deadlock(Exception):
    """Each waits for the other."""


class Unrepeatable(Exception):
    """The same choices led elsewhere: something else than the order decides."""


class Endless(Exception):
    """A flow that takes more than STEPS_MAX steps."""


@dataclass
class Strand:
    """One of the flows. At its `gate` stands what it is about to do; `pid` is the backend that
    works for it just now. Nobody leads it while there is no `stirred`: then its steps are free."""

    name: str
    stirred: asyncio.Event | None = None
    gate: list[tuple[str, "asyncio.Future[None]"]] = field(default_factory=list)
    pid: int | None = None
    task: "asyncio.Future[None] | None" = None

    @property
    def is_done(self) -> bool:
        return self.task is None or self.task.done()

    @asynccontextmanager
    async def step(self, what: str, pid: int | None = None) -> AsyncIterator[None]:
        """Wait to be let go, then do it."""
        if self.stirred is not None:
            go = asyncio.get_running_loop().create_future()
            self.gate.append((what, go))
            self.stirred.set()
            await go
        self.pid = pid
        try:
            yield
        finally:
            self.pid = None


@dataclass(frozen=True, slots=True)
class Choice:
    """At one moment: the `pick`-th of `ways` was taken. Where `may_stay`, number 0 goes on with
    who went last, and any other is a switch that nothing forced; `forced` when the other waits
    for a lock."""

    pick: int
    ways: int
    may_stay: bool
    forced: bool
    strand: str
    what: str

    @property
    def is_switch(self) -> bool:
        return self.may_stay and self.pick > 0


Trail = list[Choice]


@dataclass
class Loom:
    """Leads two strands; `observer` is a connection that only looks."""

    observer: asyncpg.Connection
    strands: tuple[Strand, Strand]

    async def play(self, flows: tuple[Flow, Flow], wanted: Trail) -> Trail:
        """Run both flows by these choices; afterwards go on with who went last.

        Raises Deadlock, Unrepeatable, Endless, and what a flow raises, with the schedule as a note.
        """
        stirred = asyncio.Event()
        for strand, flow in zip(self.strands, flows, strict=True):
            strand.stirred = stirred
            strand.task = asyncio.ensure_future(flow())
            strand.task.add_done_callback(lambda _: stirred.set())
        tasks = [strand.task for strand in self.strands if strand.task]
        trail: Trail = []
        try:
            await self._lead(wanted, trail, stirred)
            for task in tasks:
                task.result()
            return trail
        except Exception as broken:
            broken.add_note(told(trail))
            raise
        finally:
            for strand, task in zip(self.strands, tasks, strict=True):
                task.cancel()
                strand.stirred = strand.task = None
                strand.gate.clear()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _lead(self, wanted: Trail, trail: Trail, stirred: asyncio.Event) -> None:
        last: Strand | None = None
        while able := await self._able(last, stirred):
            known = wanted[len(trail)] if len(trail) < len(wanted) else None
            pick = known.pick if known else 0
            if pick >= len(able):
                raise Unrepeatable
            may_stay, last = able[0] is last, able[pick]
            what, go = last.gate.pop(0)
            forced = any(not each.is_done for each in self.strands if each not in able)
            trail.append(Choice(pick, len(able), may_stay, forced, last.name, what))
            if known and len(trail) < len(wanted) and trail[-1] != known:
                raise Unrepeatable  # only the last of the wanted choices was never made before
            if len(trail) > STEPS_MAX:
                raise Endless
            go.set_result(None)
        if not all(strand.is_done for strand in self.strands):
            raise Deadlock

    async def _able(self, last: Strand | None, stirred: asyncio.Event) -> list[Strand]:
        """Those that stand at their gate, who went last before the other, once all is still."""
        # Who went last comes first: what it ended may have let the other on.
        ordered = sorted(self.strands, key=lambda each: each is not last)
        for strand in ordered:
            await self._settle(strand, stirred)
        return [strand for strand in ordered if strand.gate]

    async def _settle(self, strand: Strand, stirred: asyncio.Event) -> None:
        """Until it stands at its gate, has ended, or waits for the other's lock."""
        while not (strand.gate or strand.is_done):
            stirred.clear()
            try:
                async with asyncio.timeout(LOOK_AFTER_S):
                    await stirred.wait()
            except TimeoutError:
                if strand.pid is not None and await self._is_blocked(strand.pid):
                    return

    async def _is_blocked(self, pid: int) -> bool:
        return bool(await self.observer.fetchval("SELECT pg_blocking_pids($1) <> '{}'", pid))


def following(trail: Trail, switches_max: int) -> Trail | None:
    """The choices after these, depth first, with so many switches at most; None: that was all."""
    for n in reversed(range(len(trail))):
        choice, before = trail[n], trail[:n]
        is_new = choice.pick + 1 < choice.ways
        if is_new and sum(each.is_switch for each in before) + choice.may_stay <= switches_max:
            return [*before, replace(choice, pick=choice.pick + 1)]
    return None


def told(trail: Trail) -> str:
    """A schedule as a person reads it: one line a step."""
    return "\n".join(f"{choice.strand:>8}  {choice.what}" for choice in trail)
