"""Stored notices take effect, in small batches, through the one door.

A batch is one transaction: claim, record, mark. If anything in it raises, its notices are tried
one by one, so that a poisoned one stops only itself and ends in quarantine (F84).

**Who comes first (F45).** While the queue is short, a batch is all of it. When a PSP replays its
backlog, half of a batch is the oldest, so that nothing waits for ever, and half is the newest
that nobody has tried: a payment made now does not queue behind those of last week. Both ends are
read from one index. What was tried and parked counts as old, however often it comes due. And
batches are small: what has just arrived waits for the one that runs and is in the next. Larger ones
gain nothing (20 to 200 notices: about 3,000/s on two cores), and 20,000 stored notices leave the
99th percentile of notice-to-paid at 0.1 s, where it was; oldest first it was 35 s.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from payloom.core import ids
from payloom.core.db import Tx
from payloom.core.errors import Unavailable
from payloom.core.metrics import NOTICE_LAG_SECONDS
from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.notices import queries
from payloom.notices.drift import tell_drift
from payloom.notices.effect import Effect, take_effect
from payloom.notices.queries import Finished, Waiting
from payloom.payments.model import Attempt, Payment
from payloom.payments.record import Recorded
from payloom.runtime import Runtime

log = structlog.get_logger()

TRIES_MAX = 8


async def apply_waiting(rt: Runtime, *, limit: int) -> int:
    """Apply what is due, `limit` (two at least) at most; how many notices were taken."""
    claimed: list[Waiting] = []
    try:
        async with rt.db.transaction() as tx:
            now = rt.clock()
            claimed = await queries.claim_waiting(tx, now, limit=limit)
            effects = await _apply(rt, tx, claimed, now)
        if claimed:
            point("notice.applied")
        _tell(effects)
    except Unavailable:
        raise
    except Exception as broken:  # whatever it is, it must not stop the others
        log.error("notices.batch_broken", exc_info=broken)
        for waiting in claimed:
            await _apply_alone(rt, waiting)
    for waiting in claimed:
        NOTICE_LAG_SECONDS.observe(max(0.0, (rt.clock() - waiting.received_at).total_seconds()))
    return len(claimed)


async def apply_of_attempt(rt: Runtime, attempt: Attempt) -> Payment | None:
    """Apply at once what is stored about one attempt, whose shopper is waiting; its payment
    afterwards, None when nothing was stored."""
    # Loaded now: many shoppers who each hold a connection and want a second would wait for ever.
    await connector_of(rt, attempt.connection_id)
    async with rt.db.transaction() as tx:
        now = rt.clock()
        claimed = await queries.claim_of_attempt(tx, attempt.merchant_id, attempt.id)
        effects = await _apply(rt, tx, claimed, now)
    if claimed:
        point("return.applied")
    _tell(effects)
    recorded = [each.recorded for each in effects if isinstance(each.recorded, Recorded)]
    return recorded[-1].payment if recorded else None


async def _apply(rt: Runtime, tx: Tx, claimed: Sequence[Waiting], now: datetime) -> list[Effect]:
    if not claimed:
        return []
    effects = await take_effect(rt, tx, claimed, now)
    await queries.finish(tx, [effect.end for effect in effects], now)
    return effects


async def _apply_alone(rt: Runtime, waiting: Waiting) -> None:
    notice = waiting.notice
    try:
        async with rt.db.transaction() as tx:
            now = rt.clock()
            claimed = await queries.claim_one(tx, notice.merchant_id, notice.id)
            effects = await _apply(rt, tx, claimed, now)
        point("notice.applied_alone")
        _tell(effects)
    except Unavailable:
        raise
    except Exception as broken:  # kept, counted, and in the end shown to a person
        log.error("notice.broken", notice=ids.text("ntc", notice.id), exc_info=broken)
        now = rt.clock()
        end = _broken(waiting, repr(broken), now)
        async with rt.db.statement() as tx:
            await queries.finish(tx, [end], now)
        point("notice.put_back")
        _tell_quarantined(end)


def _broken(waiting: Waiting, error: str, now: datetime) -> Finished:
    if waiting.tries + 1 < TRIES_MAX:
        return waiting.ends("stored", error, now + timedelta(seconds=2**waiting.tries))
    return waiting.ends("quarantined", error, now)


def _tell(effects: Sequence[Effect]) -> None:
    for effect in effects:
        if effect.drift is not None:
            tell_drift(effect.waiting.notice, effect.drift)
        _tell_quarantined(effect.end)


def _tell_quarantined(end: Finished) -> None:
    if end.state == "quarantined":
        log.error("notice.quarantined", notice=ids.text("ntc", end.id), why=end.remark)
