"""The one door for what becomes of a refund, whoever told us.

The refund, the order's log, the posting and the event are written in the caller's transaction. A
fact known already changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from payloom.connectors.contract import RefundFailed, Unknown
from payloom.core import jobs
from payloom.core.clock import rfc3339
from payloom.core.db import Tx
from payloom.core.jobs import Wanted
from payloom.core.metrics import OUTCOMES
from payloom.ledger import postings
from payloom.ledger.postings import Posting
from payloom.payments import surplus
from payloom.payments.decide import Change
from payloom.payments.model import Payment
from payloom.payments.queries import lock_payments
from payloom.payments.record import RETURN_SURPLUS, write
from payloom.refunds import queries
from payloom.refunds.model import Refund, RefundFact
from payloom.refunds.states import TRANSITIONS, UNDECIDED, State

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one fact. `refund` None: we have no such refund (yet); `change` is what the
    order shows of it, if anything."""

    fact: RefundFact
    refund: Refund | None
    was: State | None = None
    payment: Payment | None = None
    change: Change | None = None
    doubt: str | None = None

    @property
    def is_changed(self) -> bool:
        return self.refund is not None and self.refund.state is not self.was


async def record_refund(tx: Tx, fact: RefundFact, now: datetime) -> Recorded:
    """Take in one fact about a refund."""
    key = (fact.merchant_id, fact.attempt_id)
    payments = await lock_payments(tx, [key])
    refund = await queries.lock_refund(tx, fact.merchant_id, fact.refund_id)
    if not payments or refund is None or refund.attempt_id != fact.attempt_id:
        return Recorded(fact, None)
    (payment,) = payments.values()
    if isinstance(fact.outcome, Unknown):
        return Recorded(fact, refund, refund.state, payment, doubt=fact.outcome.why)
    state = TRANSITIONS.get((refund.state, type(fact.outcome)))
    if state is None:
        return Recorded(fact, refund, refund.state, payment)  # known already, or older news
    moved = _moved(refund, fact, state, now)
    await queries.write_refund(tx, moved, now)
    change = _change(payment, refund, moved, fact, now)
    if change is not None:
        await write(tx, [change], now)
    await _follow_up(tx, payment, moved, now)
    _tell(moved, fact, payment)
    return Recorded(fact, moved, refund.state, change.payment if change else payment, change)


def _moved(refund: Refund, fact: RefundFact, state: State, now: datetime) -> Refund:
    outcome = fact.outcome
    error = refund.last_error
    if isinstance(outcome, RefundFailed):
        error = {"code": outcome.code, "at": rfc3339(now)}
    psp_refund = getattr(outcome, "psp_refund", None) or refund.psp_refund
    return replace(refund, state=state, psp_refund=psp_refund, last_error=error, updated_at=now)


def _change(
    payment: Payment, before: Refund, after: Refund, fact: RefundFact, now: datetime
) -> Change | None:
    """What the order shows of it: money that left or came back, and what needs a person."""
    attempt = payment.attempt(after.attempt_id)
    if after.state is State.SUCCEEDED:
        booked = postings.money_returned(after.public_id, after.connection_id, after.money)
        return surplus.returned(payment, attempt, booked, fact.cause, now)
    if after.state is not State.FAILED or after.never_was:
        return None
    came_back: tuple[Posting, ...] = ()
    if before.state is State.SUCCEEDED:
        failed = postings.refund_failed(
            after.public_id, after.connection_id, after.money, was_surplus=True
        )
        came_back = (failed,)
    return surplus.not_returned(payment, attempt, came_back, fact.cause, now)


async def _follow_up(tx: Tx, payment: Payment, refund: Refund, now: datetime) -> None:
    """Somebody keeps asking as long as it is not decided; a refund that never was is made anew."""
    if refund.state in UNDECIDED or refund.never_was:
        id_ = payment.order.correlation_id
        again = Wanted(refund.merchant_id, RETURN_SURPLUS, refund.attempt_id, now, id_)
        await jobs.schedule(tx, [again], now)
    else:
        await jobs.drop(tx, RETURN_SURPLUS, [(refund.merchant_id, refund.attempt_id)])


def _tell(refund: Refund, fact: RefundFact, payment: Payment) -> None:
    OUTCOMES.labels(type(fact.outcome).__name__, fact.cause.kind).inc()
    log.info(
        "refund.moved",
        refund=refund.public_id,
        state=refund.state,
        payment_order=payment.order.public_id,
        correlation_id=payment.order.correlation_id,
        cause=fact.cause.kind,
        cause_id=fact.cause.id,
    )
