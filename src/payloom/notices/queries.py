"""All SQL of notices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payloom.core.db import Row, Tx
from payloom.core.masking import mask

REMARK_MAX = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Stored:
    """One notice, raw. `attempt_id` is what the PSP's object says; it may not exist here."""

    merchant_id: UUID
    id: UUID
    connection_id: UUID
    psp_event: str
    type: str
    body: bytes
    attempt_id: UUID | None


@dataclass(frozen=True, slots=True)
class Finished:
    """How a notice ended; state `stored` means: again at `next_at`."""

    merchant_id: UUID
    id: UUID
    was: str
    state: str
    remark: str | None
    next_at: datetime
    attempt_id: UUID | None = None  # found by what the PSP calls the payment


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that is to be applied: `stored`, or in an operator's hands once more."""

    notice: Stored
    state: str
    remark: str | None
    tries: int
    received_at: datetime

    def ends(self, state: str, remark: str | None, next_at: datetime) -> Finished:
        notice = self.notice
        return Finished(notice.merchant_id, notice.id, self.state, state, remark, next_at)


async def insert_notices(tx: Tx, notices: Sequence[Stored], via: str, now: datetime) -> set[UUID]:
    """Keep those not seen before; the ids of these (F35)."""
    rows = await tx.fetch(
        _INSERT,
        [notice.merchant_id for notice in notices],
        [notice.id for notice in notices],
        [notice.connection_id for notice in notices],
        [notice.psp_event for notice in notices],
        [notice.type for notice in notices],
        [notice.body for notice in notices],
        [notice.attempt_id for notice in notices],
        via,
        now,
    )
    return {row["id"] for row in rows}


async def claim_waiting(tx: Tx, now: datetime, *, limit: int) -> list[Waiting]:
    """Notices due, locked until the transaction ends; others skip them. When there are more than
    half of `limit`, the oldest half, and as many of the newest that nobody has tried."""
    half = max(1, limit // 2)
    rows = await tx.fetch(_CLAIM + _OLDEST, now, half)
    if half < limit and len(rows) == half:
        rows += await tx.fetch(_CLAIM + _NEWEST, now, half, rows[-1]["next_at"])
    return sorted(map(_waiting, rows), key=lambda waiting: waiting.received_at)


async def claim_one(tx: Tx, merchant_id: UUID, notice_id: UUID) -> list[Waiting]:
    """The same for one notice, by itself: empty when it is done or in another's hands."""
    rows = await tx.fetch(_CLAIM + _ONE, merchant_id, notice_id)
    return [_waiting(row) for row in rows]


async def claim_of_attempt(tx: Tx, merchant_id: UUID, attempt_id: UUID) -> list[Waiting]:
    """The same for what is stored about one attempt."""
    rows = await tx.fetch(_CLAIM + _OF_ATTEMPT, merchant_id, attempt_id)
    return [_waiting(row) for row in rows]


async def read_notice(tx: Tx, merchant_id: UUID, notice_id: UUID) -> Stored:
    (row,) = await tx.fetch(_NOTICE + " WHERE merchant_id = $1 AND id = $2", merchant_id, notice_id)
    return _waiting(row).notice


async def claim_given(tx: Tx, merchant_id: UUID, notice_ids: Sequence[UUID]) -> list[Waiting]:
    """These notices, whatever became of them, locked in id order until the transaction ends. All
    that will be needed at once: whoever holds one and waits for another may wait for himself."""
    rows = await tx.fetch(_NOTICE + _GIVEN, merchant_id, list(notice_ids))
    return [_waiting(row) for row in rows]


async def finish(tx: Tx, ends: Sequence[Finished], now: datetime) -> None:
    """Mark them, except those that another has finished meanwhile."""
    await tx.execute(
        _FINISH,
        [end.merchant_id for end in ends],
        [end.id for end in ends],
        [end.was for end in ends],
        [end.state for end in ends],
        [mask(end.remark)[:REMARK_MAX] if end.remark else None for end in ends],
        [end.next_at for end in ends],
        now,
        [end.attempt_id for end in ends],
    )


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far a PSP's event list was read, and how full the bucket of reads was then."""

    read_until: datetime
    reads: float
    updated_at: datetime


async def sweep_of(tx: Tx, merchant_id: UUID, connection_id: UUID) -> Sweep:
    """Where to go on; for a connection that was never swept, where it began."""
    row = await tx.fetchrow(_SWEEP, merchant_id, connection_id)
    if row is None:
        raise LookupError(f"there is no connection {connection_id}")
    return Sweep(row["read_until"], row["reads"], row["updated_at"])


async def keep_sweep(tx: Tx, merchant_id: UUID, connection_id: UUID, sweep: Sweep) -> None:
    """Remember it. Time only goes forward, whoever is slower."""
    await tx.execute(
        _KEEP_SWEEP, merchant_id, connection_id, sweep.read_until, sweep.reads, sweep.updated_at
    )


async def is_in_flight(tx: Tx, merchant_id: UUID) -> bool:
    """Whether anything of this merchant waits for news of a PSP."""
    return bool(await tx.fetchval(_IN_FLIGHT, merchant_id))


async def payments_since(tx: Tx, merchant_id: UUID, first: UUID, most: int) -> int:
    """Attempts from this id on, counted up to `most`."""
    return int(await tx.fetchval(_PAYMENTS_SINCE, merchant_id, first, most))


async def seen(
    tx: Tx, merchant_id: UUID, connection_id: UUID, psp_events: Sequence[str]
) -> set[str]:
    """Those that are in the inbox already."""
    rows = await tx.fetch(_SEEN, merchant_id, connection_id, psp_events)
    return {row["psp_event"] for row in rows}


def _waiting(row: Row) -> Waiting:
    names = ("merchant_id", "id", "connection_id", "psp_event", "type", "body", "attempt_id")
    notice = Stored(**{name: row[name] for name in names})
    more = {name: row[name] for name in ("state", "remark", "tries", "received_at")}
    return Waiting(notice, **more)


_INSERT = """
WITH told AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[],
                         $7::uuid[])
           AS t (merchant_id, id, connection_id, psp_event, type, body, attempt_id)
), seen AS (
    INSERT INTO notices_seen AS s (merchant_id, connection_id, psp_event, notice_id, first_at)
    SELECT merchant_id, connection_id, psp_event, id, $9 FROM told
        ON CONFLICT (merchant_id, connection_id, psp_event) DO UPDATE SET times = s.times + 1
    RETURNING notice_id
)
INSERT INTO notices (merchant_id, id, connection_id, psp_event, type, body, attempt_id, via, state,
                     next_at, received_at)
SELECT t.merchant_id, t.id, t.connection_id, t.psp_event, t.type, t.body, t.attempt_id, $8,
       'stored', $9, $9
  FROM told AS t JOIN seen AS s ON s.notice_id = t.id
RETURNING id
"""

_NOTICE = """
SELECT merchant_id, id, connection_id, psp_event, type, body, attempt_id, state, remark, tries,
       next_at, received_at
  FROM notices
"""

_CLAIM = _NOTICE + " WHERE state = 'stored'"

_OLDEST = " AND next_at <= $1 ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED"

# The index notices_waiting, read from its other end.
_NEWEST = """
   AND next_at <= $1 AND next_at > $3 AND tries = 0
 ORDER BY next_at DESC LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_ONE = " AND merchant_id = $1 AND id = $2 FOR UPDATE SKIP LOCKED"

_OF_ATTEMPT = """
   AND merchant_id = $1 AND attempt_id = $2
 ORDER BY next_at LIMIT 20 FOR UPDATE SKIP LOCKED
"""

_GIVEN = " WHERE merchant_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE"

_FINISH = """
UPDATE notices AS n
   SET state = f.state, remark = f.remark, next_at = f.next_at, tries = n.tries + 1,
       finished_at = CASE WHEN f.state = 'stored' THEN NULL ELSE $7::timestamptz END,
       attempt_id = coalesce(n.attempt_id, f.attempt_id)
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
              $8::uuid[])
       AS f (merchant_id, id, was, state, remark, next_at, attempt_id)
 WHERE n.merchant_id = f.merchant_id AND n.id = f.id AND n.state = f.was
"""

_SWEEP = """
SELECT coalesce(s.read_until, c.created_at) AS read_until, coalesce(s.reads, 0) AS reads,
       coalesce(s.updated_at, c.created_at) AS updated_at
  FROM connections AS c
  LEFT JOIN sweeps AS s ON s.merchant_id = c.merchant_id AND s.connection_id = c.id
 WHERE c.merchant_id = $1 AND c.id = $2
"""

_KEEP_SWEEP = """
INSERT INTO sweeps AS s (merchant_id, connection_id, read_until, reads, updated_at)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (merchant_id, connection_id) DO UPDATE
   SET read_until = greatest(s.read_until, excluded.read_until), reads = excluded.reads,
       updated_at = greatest(s.updated_at, excluded.updated_at)
"""

# Every attempt that is not over has a job that will ask about it, and so has every return.
_IN_FLIGHT = """
SELECT EXISTS (SELECT FROM jobs
                WHERE merchant_id = $1 AND kind IN ('look_up', 'return_surplus', 'refund'))
"""

_PAYMENTS_SINCE = """
SELECT count(*) FROM (SELECT FROM attempts WHERE merchant_id = $1 AND id >= $2 LIMIT $3) AS a
"""

_SEEN = """
SELECT psp_event FROM notices_seen
 WHERE merchant_id = $1 AND connection_id = $2 AND psp_event = ANY ($3::text[])
"""
