"""The one door: every outcome of every attempt passes here, whoever told us.

State, log, ledger posting, event and follow-up job are written in the caller's transaction: they
exist together or not at all (F47, F53). A fact known already changes nothing; one that does not
fit makes us ask the PSP for the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from payloom.core import jobs
from payloom.core.db import Tx
from payloom.core.jobs import Wanted
from payloom.core.metrics import ATTENTION, OUTCOMES
from payloom.ledger.post import ToPost, post
from payloom.payments import queries
from payloom.payments.changes import write_changes
from payloom.payments.decide import Change, Doubt, Nothing, Told, decide
from payloom.payments.model import Fact, Payment
from payloom.payments.view import show
from payloom.webhooks.model import StoredEvent
from payloom.webhooks.publish import NewEvent, publish, stored

log = structlog.get_logger()

LOOK_UP = "look_up"  # the job that asks a PSP about an attempt
RETURN_SURPLUS = "return_surplus"  # the job that sends unwanted money back (refunds/)
ASK_AFTER_DOUBT = timedelta(seconds=1)
WAKE_AFTER = timedelta(seconds=2)  # whoever waits for the other attempt does it sooner, or is dead

_Key = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one fact. `payment` None: we have no such attempt (yet)."""

    fact: Fact
    payment: Payment | None
    change: Change | None = None
    doubt: str | None = None


async def record(tx: Tx, facts: Sequence[Fact], now: datetime) -> list[Recorded]:
    """Take in facts in their order; several about one payment build on each other."""
    done: list[Recorded] = []
    waiting = list(facts)
    while waiting:
        payments = await queries.lock_payments(tx, [_key(fact) for fact in waiting])
        judged, waiting = _judge(payments, waiting, now)
        await write(tx, [each.change for each in judged if each.change], now)
        await _ask_about_doubts(tx, judged, now)
        done += judged
    return done


def _judge(
    payments: dict[_Key, Payment], facts: Sequence[Fact], now: datetime
) -> tuple[list[Recorded], list[Fact]]:
    """Decide one fact per payment; the others wait until that one is written."""
    payment_of = {
        (payment.order.merchant_id, attempt.id): payment
        for payment in payments.values()
        for attempt in payment.attempts
    }
    judged: list[Recorded] = []
    later: list[Fact] = []
    taken: set[UUID] = set()
    for fact in facts:
        payment = payment_of.get(_key(fact))
        if payment is None:
            judged.append(Recorded(fact, None))
        elif payment.order.id in taken:
            later.append(fact)
        else:
            taken.add(payment.order.id)
            judged.append(_decided(payment, fact, now))
    return judged, later


def _decided(payment: Payment, fact: Fact, now: datetime) -> Recorded:
    match decide(payment, fact, now):
        case Change() as change:
            return Recorded(fact, change.payment, change)
        case Nothing():
            return Recorded(fact, payment)
        case Doubt(why):
            return Recorded(fact, payment, doubt=why)


async def write(tx: Tx, changes: Sequence[Change], now: datetime) -> None:
    """Everything that belongs to these changes; at most one of each payment."""
    if not changes:
        return
    await write_changes(tx, changes, now)
    await post(tx, [item for change in changes for item in _to_post(change, now)], now)
    await publish(tx, [event for change in changes for event in _events(change)], now)
    await jobs.schedule(tx, [job for change in changes for job in _jobs(change, now)], now)
    ended = [(c.attempt.merchant_id, c.attempt.id) for c in changes if c.look_up_at is None]
    await jobs.drop(tx, LOOK_UP, ended)
    for change in changes:
        tell(change)


async def _ask_about_doubts(tx: Tx, judged: Sequence[Recorded], now: datetime) -> None:
    """What a notice or a return leaves in doubt, the PSP is asked about soon. Whoever asked the PSP
    and is still in doubt decides himself when to ask again."""
    doubts = [
        Wanted(
            each.fact.merchant_id,
            LOOK_UP,
            each.fact.attempt_id,
            now + ASK_AFTER_DOUBT,
            each.payment.order.correlation_id,
        )
        for each in judged
        if each.doubt and each.payment and each.fact.cause.kind in ("notice", "return")
    ]
    await jobs.schedule(tx, doubts, now)


def _to_post(change: Change, now: datetime) -> list[ToPost]:
    order = change.payment.order
    return [ToPost(order.merchant_id, order.id, posting, now) for posting in change.postings]


def event_of(change: Change, now: datetime) -> StoredEvent:
    """The one event of a change that tells one thing, ready to be written."""
    (event,) = _events(change)
    return stored(event, now)


def _events(change: Change) -> list[NewEvent]:
    order = change.payment.order
    first = order.event_sequence - len(change.events) + 1
    shown = show(change.payment)
    told = [each if isinstance(each, Told) else Told(each, shown) for each in change.events]
    return [
        NewEvent(order.merchant_id, order.id, first + i, each.type, each.data, order.correlation_id)
        for i, each in enumerate(told)
    ]


def _jobs(change: Change, now: datetime) -> list[Wanted]:
    """When to ask about the attempt, whom else this concerns, and what goes back."""
    order, attempt = change.payment.order, change.attempt
    wanted = [(LOOK_UP, other, now + WAKE_AFTER) for other in change.wake]
    if change.look_up_at is not None:
        wanted.append((LOOK_UP, attempt, change.look_up_at))
    if change.is_surplus:
        wanted.append((RETURN_SURPLUS, attempt, now))
    return [
        Wanted(order.merchant_id, kind, about.id, at, order.correlation_id)
        for kind, about, at in wanted
    ]


def tell(change: Change) -> None:
    """Log and count what was written."""
    order = change.payment.order
    if order.attention and "payment_order.attention" in change.events:
        ATTENTION.labels(order.attention).inc()
    for step in change.steps:
        OUTCOMES.labels(step.outcome, change.cause.kind).inc()
        log.info(
            "attempt.moved",
            correlation_id=order.correlation_id,
            payment_order=order.public_id,
            attempt=change.attempt.public_id,
            from_state=step.from_state,
            to_state=step.to_state,
            payment_order_status=step.to_status,
            outcome=step.outcome,
            cause=change.cause.kind,
            cause_id=change.cause.id,
        )


def _key(fact: Fact) -> _Key:
    return fact.merchant_id, fact.attempt_id
