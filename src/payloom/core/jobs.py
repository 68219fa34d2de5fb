"""Work that happens later: rows written with their cause, claimed under a lease with a fence.

A worker that dies keeps its lease for at most LEASE_S; then its jobs run again. The fence counts
claims: who lost the lease finishes nothing (F83). Done is deleted, given up is quarantined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from payloom.core.db import Row, Tx
from payloom.core.masking import mask

LEASE_S = 8
TRIES_MAX = 25
PAUSE_MAX = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed job. `fence` proves the claim; `tries` counts claims since it last succeeded."""

    merchant_id: UUID
    kind: str
    subject: UUID
    tries: int
    fence: int
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job to be: `run_at` is business time."""

    merchant_id: UUID
    kind: str
    subject: UUID
    run_at: datetime
    correlation_id: str


async def schedule(tx: Tx, wanted: Sequence[Wanted], now: datetime) -> None:
    """Write the jobs; one that exists already moves to its new time, and a running one loses its
    claim, so that what it was asked anew is not lost with its end."""
    if wanted:
        await tx.execute(_SCHEDULE, *_columns(wanted), now)


async def drop(tx: Tx, kind: str, keys: Sequence[tuple[UUID, UUID]]) -> None:
    """Remove jobs that are needed no more; `keys` are (merchant, subject)."""
    if keys:
        await tx.execute(_DROP, kind, [key[0] for key in keys], [key[1] for key in keys])


async def claim(tx: Tx, now: datetime, *, limit: int) -> list[Job]:
    """Take what is due, oldest first, for LEASE_S seconds of the database's clock.

    What was claimed TRIES_MAX times and never came to an end, as if it killed its worker each
    time, is quarantined instead (F84).
    """
    rows = await tx.fetch(_CLAIM, now, limit, LEASE_S, TRIES_MAX)
    return [_job(row) for row in rows if not row["is_given_up"]]


async def extend(tx: Tx, running: Sequence[Job]) -> None:
    """Keep the leases of what is still running."""
    if running:
        await tx.execute(_EXTEND, *_keys(running), LEASE_S)


async def finish(tx: Tx, job: Job) -> bool:
    """Done. False: the claim was lost, someone else has the job now."""
    row = await tx.fetchrow(_FINISH, job.merchant_id, job.kind, job.subject, job.fence)
    return row is not None


async def run_again(tx: Tx, job: Job, at: datetime) -> bool:
    """Not done yet, and that is fine: ask again at `at`. False as in `finish`."""
    row = await tx.fetchrow(_AGAIN, job.merchant_id, job.kind, job.subject, job.fence, at)
    return row is not None


async def give_back(tx: Tx, job: Job, error: str, now: datetime) -> bool:
    """It raised: try again after a growing pause, or quarantine it after TRIES_MAX (F84).

    Returns True when the job went to quarantine.
    """
    pause = min(timedelta(seconds=2 ** min(job.tries, 12)), PAUSE_MAX)
    row = await tx.fetchrow(
        _GIVE_BACK,
        job.merchant_id,
        job.kind,
        job.subject,
        job.fence,
        now + pause,
        mask(error)[:2000],
        now if job.tries >= TRIES_MAX else None,
    )
    return row is not None and row["quarantined_at"] is not None


def _job(row: Row) -> Job:
    return Job(
        row["merchant_id"],
        row["kind"],
        row["subject"],
        row["tries"],
        row["fence"],
        row["correlation_id"],
    )


def _columns(wanted: Sequence[Wanted]) -> tuple[list[Any], ...]:
    unique = {(w.merchant_id, w.kind, w.subject): w for w in wanted}.values()
    return (
        [w.merchant_id for w in unique],
        [w.kind for w in unique],
        [w.subject for w in unique],
        [w.run_at for w in unique],
        [w.correlation_id for w in unique],
    )


def _keys(jobs: Sequence[Job]) -> tuple[list[Any], ...]:
    return (
        [job.merchant_id for job in jobs],
        [job.kind for job in jobs],
        [job.subject for job in jobs],
        [job.fence for job in jobs],
    )


_SCHEDULE = """
INSERT INTO jobs (merchant_id, kind, subject, run_at, correlation_id, created_at)
SELECT *, $6 FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::text[])
    ON CONFLICT (merchant_id, kind, subject) DO UPDATE
   SET run_at = excluded.run_at, tries = 0, lease_until = NULL, fence = jobs.fence + 1,
       quarantined_at = NULL
"""

_DROP = """
DELETE FROM jobs AS j
 USING unnest($2::uuid[], $3::uuid[]) AS k (merchant_id, subject)
 WHERE j.merchant_id = k.merchant_id AND j.kind = $1 AND j.subject = k.subject
"""

_CLAIM = """
UPDATE jobs AS j
   SET lease_until = clock_timestamp() + $3 * interval '1 second',
       fence = j.fence + 1, tries = j.tries + 1,
       quarantined_at = CASE WHEN j.tries >= $4 THEN $1 END,
       last_error = CASE WHEN j.tries >= $4 THEN 'its workers never ended it' ELSE j.last_error END
  FROM (SELECT merchant_id, kind, subject FROM jobs
         WHERE quarantined_at IS NULL AND run_at <= $1
           AND (lease_until IS NULL OR lease_until < clock_timestamp())
         ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
 WHERE (j.merchant_id, j.kind, j.subject) = (due.merchant_id, due.kind, due.subject)
RETURNING j.merchant_id, j.kind, j.subject, j.tries, j.fence, j.correlation_id,
          j.quarantined_at IS NOT NULL AS is_given_up
"""

_EXTEND = """
UPDATE jobs AS j
   SET lease_until = clock_timestamp() + $5 * interval '1 second'
  FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[])
       AS k (merchant_id, kind, subject, fence)
 WHERE (j.merchant_id, j.kind, j.subject, j.fence) = (k.merchant_id, k.kind, k.subject, k.fence)
"""

_FINISH = """
DELETE FROM jobs WHERE (merchant_id, kind, subject, fence) = ($1, $2, $3, $4) RETURNING kind
"""

_AGAIN = """
UPDATE jobs SET run_at = $5, tries = 0, lease_until = NULL
 WHERE (merchant_id, kind, subject, fence) = ($1, $2, $3, $4)
RETURNING kind
"""

_GIVE_BACK = """
UPDATE jobs SET run_at = $5, last_error = $6, quarantined_at = $7, lease_until = NULL
 WHERE (merchant_id, kind, subject, fence) = ($1, $2, $3, $4)
RETURNING quarantined_at
"""
