"""The way in for everything that happens later: every loop and job is listed here by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from payloom.connectors.urgency import Urgency, calling_as
from payloom.core import jobs
from payloom.core.errors import Unavailable
from payloom.core.jobs import Job
from payloom.core.metrics import JOBS
from payloom.core.points import point
from payloom.merchants.connections import SWEEP
from payloom.notices.apply import apply_waiting
from payloom.notices.jobs import run_sweep
from payloom.payments.jobs import run_look_up
from payloom.payments.record import LOOK_UP, RETURN_SURPLUS
from payloom.refunds.jobs import run_refund, run_return_surplus
from payloom.refunds.record import REFUND
from payloom.runtime import Runtime
from payloom.upkeep import upkeep
from payloom.webhooks.deliver import deliver_due, open_outlet

log = structlog.get_logger()

# kind → flow; it answers when to run again, or None when the job is done.
HANDLERS: dict[str, Callable[[Runtime, Job], Awaitable[datetime | None]]] = {
    LOOK_UP: run_look_up,
    RETURN_SURPLUS: run_return_surplus,
    REFUND: run_refund,
    SWEEP: run_sweep,
}

# Jobs that may ask what was asked before, within each connection's budget (F21); a sweep reads on.
REPEATING = frozenset({LOOK_UP, RETURN_SURPLUS, REFUND})

NOTICES_AT_ONCE = 40
DELIVERIES_AT_ONCE = 100
JOBS_AT_ONCE = 40  # of one connection that hangs at most gate.OTHERS_AT_ONCE
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.1  # between looks at an empty queue
AWAY_PAUSE_S = 0.5
EXTEND_EVERY_S = jobs.LEASE_S / 4
UPKEEP_EVERY_S = 15.0


@dataclass(slots=True)
class Worker:
    """The loops of one process; `stop()` lets what runs come to its end."""

    rt: Runtime
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _running: dict[Job, "asyncio.Task[None]"] = field(default_factory=dict)

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop()`."""
        with calling_as(Urgency.ROUTINE):
            await self._run_loops()

    async def _run_loops(self) -> None:
        rt = self.rt
        async with open_outlet(rt) as outlet:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._loop(lambda: apply_waiting(rt, limit=NOTICES_AT_ONCE)))
                loops.create_task(
                    self._loop(lambda: deliver_due(rt, outlet, limit=DELIVERIES_AT_ONCE))
                )
                loops.create_task(self._loop(self._start_due_jobs))
                loops.create_task(self._every(EXTEND_EVERY_S, self._keep_leases))
                loops.create_task(self._every(UPKEEP_EVERY_S, lambda: upkeep(rt)))
            await asyncio.gather(*self._running.values())

    async def _loop(self, work: Callable[[], Awaitable[int]]) -> None:
        """Again at once while there is something to do, then ever more slowly."""
        pause = SHORTEST_PAUSE_S
        while not self._stopping.is_set():
            done = await self._safely(work)
            pause = SHORTEST_PAUSE_S if done else min(pause * 1.5, LONGEST_PAUSE_S)
            if not done:
                await self._sleep(pause)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while not self._stopping.is_set():
            await self._safely(work)
            await self._sleep(seconds)

    async def _safely(self, work: Callable[[], Awaitable[object]]) -> int:
        """A database that is away is waited for; anything else is logged and tried again."""
        try:
            return int(bool(await work()))
        except Unavailable as away:
            log.warning("worker.database_away", error=str(away))
        except Exception as bug:  # a loop that ends would be a queue that nobody empties
            log.error("worker.bug", exc_info=bug)
        await self._sleep(AWAY_PAUSE_S)
        return 0

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _start_due_jobs(self) -> int:
        free = JOBS_AT_ONCE - len(self._running)
        if free <= 0:
            return 0
        async with self.rt.db.statement() as tx:
            claimed = await jobs.claim(tx, self.rt.clock(), limit=free)
        if claimed:
            point("job.claimed")
        for job in claimed:
            task = asyncio.create_task(self._run_job(job))
            self._running[job] = task
            task.add_done_callback(partial(self._forget, job))
        return len(claimed)

    def _forget(self, job: Job, _task: "asyncio.Task[None]") -> None:
        self._running.pop(job, None)

    async def _run_job(self, job: Job) -> None:
        about = structlog.contextvars.bound_contextvars(correlation_id=job.correlation_id)
        urgency = Urgency.REPEAT if job.kind in REPEATING else Urgency.ROUTINE
        with about, calling_as(urgency):
            try:
                again_at = await HANDLERS[job.kind](self.rt, job)
                result = await self._end(job, again_at)
                point("job.ended")
            except Unavailable as away:  # its lease runs out, and it runs again
                log.warning("job.database_away", kind=job.kind, error=str(away))
                result = "database_away"
            except Exception as broken:  # counted, retried, in the end quarantined
                log.error("job.broken", kind=job.kind, tries=job.tries, exc_info=broken)
                result = await self._give_back(job, broken)
        JOBS.labels(job.kind, result).inc()

    async def _end(self, job: Job, again_at: datetime | None) -> str:
        async with self.rt.db.statement() as tx:
            if again_at is not None:
                await jobs.run_again(tx, job, again_at)
                return "again"
            await jobs.finish(tx, job)
            return "done"

    async def _give_back(self, job: Job, broken: Exception) -> str:
        with suppress(Unavailable):
            async with self.rt.db.statement() as tx:
                quarantined = await jobs.give_back(tx, job, repr(broken), self.rt.clock())
            return "quarantined" if quarantined else "failed"
        return "failed"

    async def _keep_leases(self) -> int:
        async with self.rt.db.statement() as tx:
            await jobs.extend(tx, list(self._running))
        return 0
