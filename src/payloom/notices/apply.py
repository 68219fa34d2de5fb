"""Stored notices take effect, in small batches, through the one door.

A batch is one transaction: claim, record, mark. If anything in it raises, its notices are tried
one by one, so that a poisoned one stops only itself and ends in quarantine (F84).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from payloom.connectors.contract import (
    Concerns,
    ConcernsRefund,
    Connector,
    Ignored,
    Meaning,
    NotOurs,
    UnreadableNotice,
)
from payloom.core import ids
from payloom.core.db import Tx
from payloom.core.errors import Unavailable
from payloom.core.metrics import NOTICE_LAG_SECONDS
from payloom.merchants.connections import connector_of
from payloom.notices import queries
from payloom.notices.queries import Finished, Waiting
from payloom.payments.model import Attempt, Cause, Fact, Payment
from payloom.payments.queries import lock_payments
from payloom.payments.record import Recorded, record
from payloom.payments.states import State
from payloom.refunds.model import RefundFact
from payloom.refunds.record import Recorded as RecordedRefund
from payloom.refunds.record import record_refund
from payloom.runtime import Runtime

log = structlog.get_logger()

PARK_FOR = timedelta(minutes=10)  # a notice may be faster than our own commit (F44)
PARK_PAUSE = timedelta(seconds=2)
TRIES_MAX = 8


async def apply_waiting(rt: Runtime, *, limit: int) -> int:
    """Apply what is due, oldest first; how many notices were taken."""
    claimed: list[Waiting] = []
    try:
        async with rt.db.transaction() as tx:
            now = rt.clock()
            claimed = await queries.claim_waiting(tx, now, limit=limit)
            await _apply(rt, tx, claimed, now)
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
    await _connector(rt, attempt.connection_id)
    async with rt.db.transaction() as tx:
        now = rt.clock()
        claimed = await queries.claim_of_attempt(tx, attempt.merchant_id, attempt.id)
        recorded = await _apply(rt, tx, claimed, now)
    return recorded[-1].payment if recorded else None


async def _apply_alone(rt: Runtime, waiting: Waiting) -> None:
    notice = waiting.notice
    try:
        async with rt.db.transaction() as tx:
            now = rt.clock()
            claimed = await queries.claim_one(tx, notice.merchant_id, notice.id)
            await _apply(rt, tx, claimed, now)
    except Unavailable:
        raise
    except Exception as broken:  # kept, counted, and in the end shown to a person
        log.error("notice.broken", notice=ids.text("ntc", notice.id), exc_info=broken)
        async with rt.db.transaction() as tx:
            now = rt.clock()
            await queries.finish(tx, [_broken(waiting, repr(broken), now)], now)


async def _apply(rt: Runtime, tx: Tx, claimed: Sequence[Waiting], now: datetime) -> list[Recorded]:
    if not claimed:
        return []
    ends: list[Finished] = []
    facts: list[tuple[Waiting, Fact]] = []
    refunds: list[tuple[Waiting, RefundFact]] = []
    for waiting in claimed:
        meaning = _meaning(waiting, await _connector(rt, waiting.notice.connection_id))
        fact = _fact(waiting, meaning)
        if isinstance(fact, Fact):
            facts.append((waiting, fact))
        elif fact is not None:
            refunds.append((waiting, fact))
        else:
            ends.append(_without_effect(waiting, meaning, now))
    if refunds:  # all orders at once, in their order: two workers never wait in a circle
        told: list[Fact | RefundFact] = [fact for _, fact in facts]
        told += [fact for _, fact in refunds]
        await lock_payments(tx, [(each.merchant_id, each.attempt_id) for each in told])
    recorded = await record(tx, [fact for _, fact in facts], now)
    of_fact = {id(each.fact): each for each in recorded}
    ends += [_ended(waiting, of_fact[id(fact)], now) for waiting, fact in facts]
    for waiting, about_refund in refunds:
        ends.append(_refund_ended(waiting, await record_refund(tx, about_refund, now), now))
    await queries.finish(tx, ends, now)
    return recorded


async def _connector(rt: Runtime, connection_id: UUID) -> Connector:
    _, connector = await connector_of(rt, connection_id)
    return connector


def _meaning(waiting: Waiting, connector: Connector) -> Meaning | UnreadableNotice:
    try:
        return connector.meaning(waiting.notice.body)
    except UnreadableNotice as unreadable:
        return unreadable


def _fact(waiting: Waiting, meaning: Meaning | UnreadableNotice) -> Fact | RefundFact | None:
    notice = waiting.notice
    if not isinstance(meaning, Concerns | ConcernsRefund):
        return None
    attempt_id = ids.maybe("att", meaning.attempt)
    if attempt_id is None:
        return None
    cause = Cause("notice", ids.text("ntc", notice.id))
    if isinstance(meaning, Concerns):
        from_ = notice.connection_id
        return Fact(notice.merchant_id, attempt_id, meaning.outcome, cause, connection_id=from_)
    refund_id = ids.maybe("rfd", meaning.refund)
    if refund_id is None:
        return None
    return RefundFact(notice.merchant_id, attempt_id, refund_id, meaning.outcome, cause)


def _without_effect(
    waiting: Waiting, meaning: Meaning | UnreadableNotice, now: datetime
) -> Finished:
    notice = waiting.notice
    match meaning:
        case Ignored(why):
            state, remark = "ignored", why
        case NotOurs():
            state, remark = "not_ours", "carries no id of ours"
        case Concerns() | ConcernsRefund():
            state, remark = "not_ours", "carries an id that is not one of ours"
        case UnreadableNotice():
            state, remark = "quarantined", str(meaning)
            _tell_quarantined(waiting, remark)
    return Finished(notice.merchant_id, notice.id, state, remark, now)


def _ended(waiting: Waiting, recorded: Recorded, now: datetime) -> Finished:
    """Applied; or parked, when we do not know its attempt yet or still wait for the PSP's answer
    to its registration."""
    notice, payment = waiting.notice, recorded.payment
    if recorded.change is not None:
        return Finished(notice.merchant_id, notice.id, "applied", None, now)
    if payment is None:
        return _parked(waiting, "not_ours", "names an attempt that we do not have", now)
    if recorded.doubt and payment.attempt(recorded.fact.attempt_id).state is State.REGISTERING:
        return _parked(waiting, "quarantined", recorded.doubt, now)
    remark = f"asked the PSP: {recorded.doubt}" if recorded.doubt else "known already"
    return Finished(notice.merchant_id, notice.id, "applied", remark, now)


def _refund_ended(waiting: Waiting, recorded: RecordedRefund, now: datetime) -> Finished:
    notice = waiting.notice
    if recorded.refund is None:
        return _parked(waiting, "not_ours", "names a refund that we do not have", now)
    remark = recorded.doubt or (None if recorded.is_changed else "known already")
    return Finished(notice.merchant_id, notice.id, "applied", remark, now)


def _parked(waiting: Waiting, end: str, why: str, now: datetime) -> Finished:
    notice = waiting.notice
    if now - waiting.received_at < PARK_FOR:
        return Finished(notice.merchant_id, notice.id, "stored", why, now + PARK_PAUSE)
    if end == "quarantined":
        _tell_quarantined(waiting, why)
    return Finished(notice.merchant_id, notice.id, end, why, now)


def _broken(waiting: Waiting, error: str, now: datetime) -> Finished:
    notice = waiting.notice
    if waiting.tries + 1 < TRIES_MAX:
        pause = timedelta(seconds=2**waiting.tries)
        return Finished(notice.merchant_id, notice.id, "stored", error[:2000], now + pause)
    _tell_quarantined(waiting, error)
    return Finished(notice.merchant_id, notice.id, "quarantined", error[:2000], now)


def _tell_quarantined(waiting: Waiting, why: str) -> None:
    log.error("notice.quarantined", notice=ids.text("ntc", waiting.notice.id), why=why)
