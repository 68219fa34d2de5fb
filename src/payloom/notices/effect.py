"""What a stored notice comes to: what it says, through the one door, and how it ends.

Runs in the caller's transaction. The ends are for the caller to write (`queries.finish`): a worker
writes them all, an operator's replay only those that are news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from payloom.connectors.contract import (
    Concerns,
    ConcernsRefund,
    Drift,
    Ignored,
    Meaning,
    NotOurs,
    Unknown,
    UnreadableNotice,
)
from payloom.core import ids
from payloom.core.db import Tx
from payloom.core.errors import NotFound
from payloom.merchants.connections import connector_of
from payloom.notices.queries import Finished, Stored, Waiting
from payloom.payments.model import Cause, Fact
from payloom.payments.queries import attempts_of_psp_payments, lock_payments
from payloom.payments.record import Recorded, record
from payloom.payments.states import State
from payloom.refunds.model import RefundFact
from payloom.refunds.record import Recorded as RecordedRefund
from payloom.refunds.record import record_refund
from payloom.runtime import Runtime

PARK_FOR = timedelta(minutes=10)  # a notice may be faster than our own commit (F44)
PARK_PAUSE, PARK_PAUSE_MAX = timedelta(seconds=2), timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one notice came to. `recorded` None: it is about nothing of ours."""

    waiting: Waiting
    end: Finished
    recorded: Recorded | RecordedRefund | None
    drift: Drift

    @property
    def is_change(self) -> bool:
        """Whether something of ours moved."""
        match self.recorded:
            case Recorded(change=change):
                return change is not None
            case RecordedRefund(is_changed=is_changed):
                return is_changed
        return False


async def take_effect(
    rt: Runtime, tx: Tx, claimed: Sequence[Waiting], now: datetime
) -> list[Effect]:
    """Record what these notices say, in their order. They stay marked as they are."""
    read = [(waiting, await meaning_of(rt, waiting.notice)) for waiting in claimed]
    attempts = await _attempts(tx, read)
    facts = [_fact(waiting, meaning, attempts) for waiting, meaning in read]
    done = await _record(tx, [fact for fact in facts if fact is not None], now)
    of_fact = {id(each.fact): each for each in done}
    effects = []
    for (waiting, meaning), fact in zip(read, facts, strict=True):
        recorded = of_fact.get(id(fact))
        end = _end(waiting, meaning, recorded, now)
        if fact is not None:
            end = replace(end, attempt_id=fact.attempt_id)
        effects.append(Effect(waiting, end, recorded, meaning.drift))
    return effects


async def meaning_of(rt: Runtime, notice: Stored) -> Meaning | UnreadableNotice:
    """What a notice says, to the connector that its connection has now."""
    try:
        _, connector = await connector_of(rt, notice.connection_id)
        return connector.meaning(notice.body)
    except UnreadableNotice as unreadable:
        return unreadable
    except NotFound:
        return UnreadableNotice("its connection is disabled")


_PspPayment = tuple[UUID, UUID, str]  # merchant, connection, what the PSP calls the payment


async def _attempts(
    tx: Tx, read: Sequence[tuple[Waiting, Meaning | UnreadableNotice]]
) -> dict[_PspPayment, UUID]:
    """Our attempts of what names no id of ours but a payment of the PSP."""
    wanted = {
        _psp_payment(waiting, meaning.psp_payment)
        for waiting, meaning in read
        if isinstance(meaning, ConcernsRefund) and meaning.attempt is None and meaning.psp_payment
    }
    return await attempts_of_psp_payments(tx, sorted(wanted)) if wanted else {}


def _psp_payment(waiting: Waiting, name: str) -> _PspPayment:
    return waiting.notice.merchant_id, waiting.notice.connection_id, name


def _fact(
    waiting: Waiting, meaning: Meaning | UnreadableNotice, attempts: Mapping[_PspPayment, UUID]
) -> Fact | RefundFact | None:
    notice = waiting.notice
    if isinstance(meaning, NotOurs | Ignored):
        return None
    cause = Cause("notice", ids.text("ntc", notice.id))
    if isinstance(meaning, ConcernsRefund):
        return _refund_fact(waiting, meaning, cause, attempts)
    attempt_id = ids.maybe("att", meaning.attempt)
    if attempt_id is None:
        return None
    outcome = meaning.outcome if isinstance(meaning, Concerns) else Unknown(str(meaning))
    from_ = notice.connection_id
    return Fact(notice.merchant_id, attempt_id, outcome, cause, connection_id=from_)


def _refund_fact(
    waiting: Waiting,
    meaning: ConcernsRefund,
    cause: Cause,
    attempts: Mapping[_PspPayment, UUID],
) -> RefundFact | None:
    attempt_id, refund_id = ids.maybe("att", meaning.attempt), ids.maybe("rfd", meaning.refund)
    if meaning.attempt is None and meaning.psp_payment:
        attempt_id = attempts.get(_psp_payment(waiting, meaning.psp_payment))
    elif refund_id is None:
        return None
    if attempt_id is None:
        return None
    notice = waiting.notice
    return RefundFact(
        notice.merchant_id, attempt_id, refund_id, meaning.outcome, cause,
        connection_id=notice.connection_id, reason=meaning.reason,
    )  # fmt: skip


async def _record(
    tx: Tx, facts: Sequence[Fact | RefundFact], now: datetime
) -> list[Recorded | RecordedRefund]:
    refunds = [fact for fact in facts if isinstance(fact, RefundFact)]
    if refunds:  # all orders at once, in their order: two workers never wait in a circle
        await lock_payments(tx, [(fact.merchant_id, fact.attempt_id) for fact in facts])
    done: list[Recorded | RecordedRefund] = []
    done += await record(tx, [fact for fact in facts if isinstance(fact, Fact)], now)
    done += [await record_refund(tx, fact, now) for fact in refunds]
    return done


def _end(
    waiting: Waiting,
    meaning: Meaning | UnreadableNotice,
    recorded: Recorded | RecordedRefund | None,
    now: datetime,
) -> Finished:
    match meaning:
        case UnreadableNotice():
            return waiting.ends("quarantined", str(meaning), now)
        case Ignored(why):
            return waiting.ends("ignored", why, now)
        case NotOurs(why):
            return waiting.ends("not_ours", why, now)
    match recorded:
        case None if isinstance(meaning, ConcernsRefund) and meaning.attempt is None:
            return _parked(waiting, "not_ours", "is of a payment that we do not have", now)
        case None:
            return waiting.ends("not_ours", "carries an id that is not one of ours", now)
        case Recorded():
            return _recorded(waiting, recorded, now)
        case RecordedRefund():
            return _recorded_refund(waiting, recorded, now)


def _recorded(waiting: Waiting, recorded: Recorded, now: datetime) -> Finished:
    """Applied; or parked, when we do not know its attempt yet or still wait for the PSP's answer
    to its registration."""
    payment = recorded.payment
    if recorded.change is not None:
        return waiting.ends("applied", None, now)
    if payment is None:
        return _parked(waiting, "not_ours", "names an attempt that we do not have", now)
    if recorded.doubt and payment.attempt(recorded.fact.attempt_id).state is State.REGISTERING:
        return _parked(waiting, "quarantined", recorded.doubt, now)
    remark = f"asked the PSP: {recorded.doubt}" if recorded.doubt else "known already"
    return waiting.ends("applied", remark, now)


def _recorded_refund(waiting: Waiting, recorded: RecordedRefund, now: datetime) -> Finished:
    if recorded.refund is None:
        return _parked(waiting, "not_ours", "names a refund that we do not have", now)
    remark = recorded.doubt or (None if recorded.is_changed else "known already")
    return waiting.ends("applied", remark, now)


def _parked(waiting: Waiting, end: str, why: str, now: datetime) -> Finished:
    """Again soon, then ever later: thousands that stay unknown must not keep the worker busy."""
    waited = now - waiting.received_at
    if waited >= PARK_FOR:
        return waiting.ends(end, why, now)
    return waiting.ends("stored", why, now + min(max(waited / 2, PARK_PAUSE), PARK_PAUSE_MAX))
