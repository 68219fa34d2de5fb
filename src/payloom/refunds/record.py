"""The one door for what becomes of a refund, whoever told us.

The refund, the order, its log, the posting and the event are written in the caller's transaction. A
fact known already changes nothing. A refund that somebody started at the PSP comes to be here.
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
from payloom.payments.decide import Change
from payloom.payments.model import Attempt, Payment
from payloom.payments.queries import lock_payments
from payloom.payments.record import RETURN_SURPLUS, write
from payloom.refunds import queries, shown
from payloom.refunds.compose import started_at_psp
from payloom.refunds.model import Refund, RefundFact
from payloom.refunds.states import TRANSITIONS, UNDECIDED, State

log = structlog.get_logger()

REFUND = "refund"  # the job that asks a PSP about a refund


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
    payments = await lock_payments(tx, [(fact.merchant_id, fact.attempt_id)])
    if not payments:
        return Recorded(fact, None)
    (payment,) = payments.values()
    attempt = payment.attempt(fact.attempt_id)
    known = await _known(tx, fact)
    made = await queries.refunds_of_attempt(tx, attempt.merchant_id, attempt.id)
    refund = known or _told_first_by_psp(attempt, fact, len(made) + 1, now)
    if refund is None or refund.attempt_id != fact.attempt_id:
        return Recorded(fact, None)
    doubt = _doubt(refund, fact)
    state = TRANSITIONS.get((refund.state, type(fact.outcome)))
    if doubt or state is None:  # state None: known already, or older news
        return Recorded(fact, refund, refund.state, payment, doubt=doubt)
    moved = _moved(refund, fact, state, now)
    if known is None:
        await queries.insert_refund(tx, moved)
    else:
        await queries.write_refund(tx, moved, now)
    others = [each for each in made if each.id != moved.id]
    change = shown.moved(payment, known, moved, others, fact.cause, now)
    if change is not None:
        await write(tx, [change], now)
    await _follow_up(tx, payment, known, moved, now)
    _tell(moved, fact, payment)
    return Recorded(fact, moved, refund.state, change.payment if change else payment, change)


async def _known(tx: Tx, fact: RefundFact) -> Refund | None:
    if fact.refund_id is not None:
        return await queries.lock_refund(tx, fact.merchant_id, fact.refund_id)
    psp_refund = getattr(fact.outcome, "psp_refund", None)
    if fact.connection_id is None or psp_refund is None:
        return None
    return await queries.lock_psp_refund(tx, fact.merchant_id, fact.connection_id, psp_refund)


def _told_first_by_psp(
    attempt: Attempt, fact: RefundFact, number: int, now: datetime
) -> Refund | None:
    """The refund that somebody started there, as it was before this fact; None: it is of another
    currency, or the PSP does not say how much it gives back."""
    outcome = fact.outcome
    if fact.refund_id is not None or isinstance(outcome, Unknown) or outcome.psp_refund is None:
        return None
    amount = outcome.amount
    if amount is None or amount.minor <= 0 or amount.currency != attempt.currency:
        return None
    return started_at_psp(attempt, number, outcome.psp_refund, amount, fact.reason, now)


def _doubt(refund: Refund, fact: RefundFact) -> str | None:
    """Why the fact is not believed: the PSP is asked again."""
    if isinstance(fact.outcome, Unknown):
        return fact.outcome.why
    amount = fact.outcome.amount
    if amount is not None and amount != refund.money:
        return f"the PSP gives back {amount}, not {refund.money}"
    return None


def _moved(refund: Refund, fact: RefundFact, state: State, now: datetime) -> Refund:
    outcome = fact.outcome
    error = refund.last_error
    if isinstance(outcome, RefundFailed):
        error = {"code": outcome.code, "at": rfc3339(now)}
    psp_refund = getattr(outcome, "psp_refund", None) or refund.psp_refund
    return replace(refund, state=state, psp_refund=psp_refund, last_error=error, updated_at=now)


async def _follow_up(
    tx: Tx, payment: Payment, known: Refund | None, refund: Refund, now: datetime
) -> None:
    """Somebody keeps asking as long as it is not decided; unwanted money whose return never was is
    returned anew."""
    is_surplus = refund.purpose == "surplus"
    kind, subject = (RETURN_SURPLUS, refund.attempt_id) if is_surplus else (REFUND, refund.id)
    goes_on = refund.state in UNDECIDED or (is_surplus and refund.never_was)
    if not goes_on:
        await jobs.drop(tx, kind, [(refund.merchant_id, subject)])
    elif is_surplus or known is None:
        id_ = payment.order.correlation_id
        await jobs.schedule(tx, [Wanted(refund.merchant_id, kind, subject, now, id_)], now)


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
