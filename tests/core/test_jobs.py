"""Work that happens later happens: one at a time, again after a death, not for ever (F83, F84)."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from payloom.core import ids, jobs
from payloom.core.jobs import LEASE_S, PAUSE_MAX, TRIES_MAX, Job, Wanted
from payloom.core.master_keys import MasterKeys
from payloom.payments.record import LOOK_UP
from payloom.runtime import Runtime
from tests.scenarios.stage import working

SECOND = timedelta(seconds=1)
MERCHANT = ids.new()


@pytest.fixture(autouse=True)
async def merchant(rt: Runtime) -> None:
    """Whose jobs these are."""
    async with rt.db.statement() as tx:
        await tx.execute(
            "INSERT INTO merchants (merchant_id, name, mode, created_at) "
            " VALUES ($1, 'A', 'test', $2)",
            MERCHANT, rt.clock(),
        )  # fmt: skip


async def schedule(
    rt: Runtime, *, kind: str = LOOK_UP, at: datetime | None = None, subject: UUID | None = None
) -> UUID:
    """One more job; its subject. No such attempt exists, so the real look-up has nothing to do."""
    subject = subject or ids.new()
    async with rt.db.transaction() as tx:
        wanted = Wanted(MERCHANT, kind, subject, at or rt.clock(), "req_1")
        await jobs.schedule(tx, [wanted], rt.clock())
    return subject


async def claim(rt: Runtime, *, limit: int = 100, after: timedelta = SECOND) -> list[Job]:
    async with rt.db.statement() as tx:
        return await jobs.claim(tx, rt.clock() + after, limit=limit)


async def claimed(rt: Runtime) -> Job:
    await schedule(rt)
    (job,) = await claim(rt)
    return job


async def leases_end(rt: Runtime) -> None:
    async with rt.db.statement() as tx:
        await tx.execute("UPDATE jobs SET lease_until = clock_timestamp() - interval '1 ms'")


async def rows(rt: Runtime) -> list[dict[str, Any]]:
    async with rt.db.statement() as tx:
        return [dict(row) for row in await tx.fetch("SELECT * FROM jobs ORDER BY subject")]


async def until(rt: Runtime, is_so: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The jobs, once they are like this."""
    async with asyncio.timeout(20):
        while True:
            if is_so(found := await rows(rt)):
                return found
            await asyncio.sleep(0.02)


# --- schedule and claim ------------------------------------------------------------------------


async def test_to_schedule_twice_is_to_schedule_once_at_the_later_wish(rt: Runtime) -> None:
    at = rt.clock() - SECOND
    subject = await schedule(rt, at=at - SECOND)
    assert await schedule(rt, at=at, subject=subject) == subject
    (row,) = await rows(rt)
    assert row["run_at"] == at
    assert [job.subject for job in await claim(rt)] == [subject]


async def test_the_same_job_twice_in_one_call_is_one(rt: Runtime) -> None:
    wanted = Wanted(MERCHANT, LOOK_UP, ids.new(), rt.clock(), "req_1")
    async with rt.db.transaction() as tx:
        await jobs.schedule(
            tx, [wanted, replace(wanted, run_at=wanted.run_at + SECOND)], rt.clock()
        )
    assert [row["run_at"] for row in await rows(rt)] == [wanted.run_at + SECOND]


async def test_what_is_asked_anew_while_it_runs_is_not_lost_with_its_end(rt: Runtime) -> None:
    running = await claimed(rt)
    await schedule(rt, subject=running.subject)
    async with rt.db.statement() as tx:
        assert not await jobs.finish(tx, running)
    (again,) = await claim(rt)
    assert (again.subject, again.tries) == (running.subject, 1)
    assert again.fence > running.fence


async def test_a_job_exists_exactly_when_its_cause_does(rt: Runtime) -> None:
    wanted = Wanted(MERCHANT, LOOK_UP, ids.new(), rt.clock(), "req_1")
    with suppress(ZeroDivisionError):
        async with rt.db.transaction() as tx:
            await jobs.schedule(tx, [wanted], rt.clock())
            raise ZeroDivisionError
    assert await rows(rt) == []


async def test_what_is_due_is_claimed_oldest_first_and_not_more_than_wanted(rt: Runtime) -> None:
    now = rt.clock()
    young, old, oldest = [await schedule(rt, at=now - n * SECOND) for n in (1, 2, 3)]
    later = await schedule(rt, at=now + timedelta(hours=1))
    assert {job.subject for job in await claim(rt, limit=2)} == {oldest, old}
    assert [job.subject for job in await claim(rt, limit=2)] == [young]
    assert await claim(rt) == []
    assert [job.subject for job in await claim(rt, after=timedelta(hours=2))] == [later]


async def test_workers_that_claim_at_once_never_share_a_job(rt: Runtime) -> None:
    for _ in range(60):
        await schedule(rt)
    got = await asyncio.gather(*(claim(rt, limit=10) for _ in range(8)))
    subjects = [job.subject for each in got for job in each]
    assert len(subjects) == len(set(subjects))
    # Who meets a row that another is just taking goes on without it, so some may be left.
    assert len(subjects) + len(await claim(rt)) == 60


async def test_a_job_that_somebody_is_just_taking_is_not_waited_for(rt: Runtime) -> None:
    taken, free = await schedule(rt), await schedule(rt)
    async with rt.db.transaction() as tx, asyncio.timeout(5):
        await tx.fetch("SELECT FROM jobs WHERE subject = $1 FOR UPDATE", taken)
        assert [job.subject for job in await claim(rt)] == [free]


async def test_a_job_that_is_needed_no_more_is_dropped(rt: Runtime) -> None:
    kept, dropped = await schedule(rt), await schedule(rt)
    async with rt.db.statement() as tx:
        await jobs.drop(tx, "another_kind", [(MERCHANT, kept)])
        await jobs.drop(tx, LOOK_UP, [(ids.new(), kept), (MERCHANT, dropped)])
    assert [row["subject"] for row in await rows(rt)] == [kept]


# --- lease and fence ---------------------------------------------------------------------------


async def test_a_lease_ends_by_the_databases_clock_and_no_other(rt: Runtime) -> None:
    job = await claimed(rt)
    assert await claim(rt, after=timedelta(days=30)) == []
    async with rt.db.statement() as tx:
        left = await tx.fetchval("SELECT lease_until - clock_timestamp() FROM jobs")
    assert timedelta(seconds=LEASE_S - 4) < left <= timedelta(seconds=LEASE_S)

    await leases_end(rt)
    (again,) = await claim(rt)
    assert (again.subject, again.fence, again.tries) == (job.subject, job.fence + 1, 2)


async def test_a_lease_is_kept_while_the_job_runs(rt: Runtime) -> None:
    job = await claimed(rt)
    await leases_end(rt)
    async with rt.db.statement() as tx:
        await jobs.extend(tx, [job])
        left = await tx.fetchval("SELECT lease_until - clock_timestamp() FROM jobs")
    assert left > timedelta(seconds=LEASE_S - 4)
    assert await claim(rt) == []


async def test_a_stale_fence_writes_no_row(rt: Runtime) -> None:
    zombie = await claimed(rt)
    await leases_end(rt)
    (owner,) = await claim(rt)
    before = await rows(rt)
    async with rt.db.statement() as tx:
        await jobs.extend(tx, [zombie])
        assert not await jobs.finish(tx, zombie)
        assert not await jobs.run_again(tx, zombie, rt.clock())
        assert not await jobs.give_back(tx, replace(zombie, tries=TRIES_MAX), "late", rt.clock())
    assert await rows(rt) == before
    async with rt.db.statement() as tx:
        assert await jobs.finish(tx, owner)
    assert await rows(rt) == []


async def test_a_job_that_runs_again_starts_to_count_anew(rt: Runtime) -> None:
    job, at = await claimed(rt), rt.clock() + timedelta(hours=1)
    async with rt.db.statement() as tx:
        assert await jobs.run_again(tx, job, at)
    (row,) = await rows(rt)
    assert (row["run_at"], row["tries"], row["lease_until"]) == (at, 0, None)


# --- what cannot be done -----------------------------------------------------------------------


async def test_a_job_that_raises_comes_again_ever_later_and_in_the_end_no_more(
    rt: Runtime,
) -> None:
    await schedule(rt)
    now, pauses = rt.clock() + SECOND, []
    for number in range(1, TRIES_MAX + 1):
        async with rt.db.statement() as tx:
            (job,) = await jobs.claim(tx, now, limit=10)
            gone = await jobs.give_back(tx, job, f"error {number} " + "x" * 5_000, now)
        assert gone is (number == TRIES_MAX)
        (row,) = await rows(rt)
        pauses.append(row["run_at"] - now)
        now = row["run_at"]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (2 * SECOND, PAUSE_MAX)
    assert row["quarantined_at"] is not None
    assert row["last_error"].startswith(f"error {TRIES_MAX} ")
    assert await claim(rt, after=timedelta(days=365)) == []


async def test_who_asks_for_it_anew_gets_a_job_out_of_quarantine(rt: Runtime) -> None:
    job = await claimed(rt)
    async with rt.db.statement() as tx:
        assert await jobs.give_back(tx, replace(job, tries=TRIES_MAX), "broken", rt.clock())
    await schedule(rt, subject=job.subject)
    assert [again.tries for again in await claim(rt)] == [1]


async def test_a_job_that_kills_its_workers_is_quarantined_too(rt: Runtime) -> None:
    """Nobody is left to give it back, so who would claim it once too often puts it away."""
    subject = await schedule(rt)
    for number in range(1, TRIES_MAX + 1):
        assert [job.tries for job in await claim(rt)] == [number]
        await leases_end(rt)
    innocent = await schedule(rt)
    assert [job.subject for job in await claim(rt)] == [innocent]
    row = next(row for row in await rows(rt) if row["subject"] == subject)
    assert row["quarantined_at"] is not None
    assert "ended" in row["last_error"]
    assert await claim(rt, after=timedelta(days=365)) == []


async def test_poisoned_jobs_stop_nobody(rt: Runtime) -> None:
    """A kind that this version does not know is a bug of ours like any other."""
    for _ in range(30):  # more than a worker takes at once, and all of them older
        await schedule(rt, kind="unheard_of", at=rt.clock() - timedelta(hours=1))
    for _ in range(30):
        await schedule(rt)
    async with working(rt):
        left = await until(rt, lambda rows: all(row["last_error"] for row in rows))
    assert [row["kind"] for row in left] == ["unheard_of"] * 30
    assert {row["last_error"] for row in left} == {"KeyError('unheard_of')"}
    assert all(row["run_at"] > row["created_at"] for row in left)


# --- a worker that is killed -------------------------------------------------------------------


@pytest.mark.crash
async def test_the_job_of_a_killed_worker_runs_again_within_ten_seconds(
    rt: Runtime, owner: Runtime, dsn: str
) -> None:
    await schedule(rt)
    async with owner.db.transaction() as tx, worker_process(dsn, rt.master_keys) as process:
        await tx.execute("LOCK TABLE attempts")  # the look-up waits here
        await until(rt, lambda rows: bool(rows[0]["lease_until"]))
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    killed_at = time.monotonic()
    assert [row["fence"] for row in await rows(rt)] == [1]

    async with working(rt):
        await until(rt, lambda rows: not rows)
    assert time.monotonic() - killed_at < 10


@asynccontextmanager
async def worker_process(dsn: str, keys: MasterKeys) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.core.job_worker", dsn, keys.setting.reveal()
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
