"""What an order shows of its refunds: amounts, log, postings, events. Pure, like `decide`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from payloom.ledger import postings
from payloom.ledger.postings import Posting
from payloom.payments.decide import Change, Step, Told, changed_by
from payloom.payments.model import Cause, Order, Payment
from payloom.refunds.model import Refund
from payloom.refunds.states import NEVER_LEFT, State
from payloom.refunds.view import show

NOT_RETURNED = "surplus_not_returned"
TOO_MUCH = "refunds_exceed_payment"
ATTENTION = "payment_order.attention"


def asked(payment: Payment, refund: Refund, cause: Cause, now: datetime) -> Change:
    """The shop wants it given back: from now on it is promised."""
    counted = payment.order.amount_refund_asked + refund.amount
    order = replace(payment.order, amount_refund_asked=counted)
    booked = (postings.refund_started(refund.public_id, refund.money),)
    return _changed(payment, order, refund, "RefundRequested", cause, now, (), booked)


def moved(
    payment: Payment,
    before: Refund | None,
    after: Refund,
    others: Sequence[Refund],
    cause: Cause,
    now: datetime,
) -> Change | None:
    """The change that a refund's new state makes to its order; `before` None: we did not know of
    it; `others` are of the same attempt. None: the order shows nothing of it."""
    if after.attempt_id != payment.order.paid_by_attempt:
        return _surplus(payment, before, after, others, cause, now)
    was_out = before is not None and before.state is State.SUCCEEDED
    is_out = after.state is State.SUCCEEDED
    never_left = after.state in NEVER_LEFT
    booked = _booked(before, after, was_out=was_out)
    if not booked:
        return None
    order = payment.order
    if is_out or was_out:
        by = after.amount if is_out else -after.amount
        order = replace(order, amount_refunded=order.amount_refunded + by)
    if never_left and after.purpose == "request":
        order = replace(order, amount_refund_asked=order.amount_refund_asked - after.amount)
    events: tuple[str | Told, ...] = ()
    if is_out or never_left:
        events = (Told("refund.succeeded" if is_out else "refund.failed", show(after)),)
    if is_out and order.amount_refunded > order.amount_captured:  # a fact, whatever we think of it
        order = replace(order, attention=TOO_MUCH)
        events = (*events, ATTENTION)
    return _changed(payment, order, after, _SAID[after.state], cause, now, events, booked)


_SAID = {
    State.REQUIRES_ACTION: "RefundStarted",
    State.PENDING: "RefundStarted",
    State.SUCCEEDED: "Refunded",
    State.FAILED: "RefundFailed",
    State.CANCELED: "RefundCanceled",
}


def _booked(before: Refund | None, after: Refund, *, was_out: bool) -> tuple[Posting, ...]:
    """What this step adds to the books; one that comes to nothing unheard of adds nothing."""
    name, money = after.public_id, after.money
    if after.state in NEVER_LEFT:
        if was_out:
            back = postings.refund_failed(name, after.connection_id, money, was_surplus=False)
            return (back,)
        return (postings.refund_released(name, money),) if before is not None else ()
    started = () if before is not None else (postings.refund_started(name, money),)
    if after.state is State.SUCCEEDED:
        return (*started, postings.refund_succeeded(name, after.connection_id, money))
    return started


def _surplus(
    payment: Payment,
    before: Refund | None,
    after: Refund,
    others: Sequence[Refund],
    cause: Cause,
    now: datetime,
) -> Change | None:
    """Money that nobody wanted left for the shopper; or it could not be given back, and a person
    must find another way, unless somebody has."""
    order, name = payment.order, after.public_id
    left = sum(each.amount for each in others if each.state is State.SUCCEEDED)
    under_way = sum(each.amount for each in others if each.state not in NEVER_LEFT)
    whole = payment.attempt(after.attempt_id).amount
    if after.state is State.SUCCEEDED:
        if order.attention == NOT_RETURNED and left + after.amount >= whole:
            order = replace(order, attention=None)
        booked = (postings.money_returned(name, after.connection_id, after.money),)
        told = ("payment_order.duplicate_payment_returned",)
        return _changed(payment, order, after, "SurplusReturned", cause, now, told, booked)
    if after.state not in NEVER_LEFT or after.never_was:
        return None
    back: tuple[Posting, ...] = ()
    if before is not None and before.state is State.SUCCEEDED:
        back = (postings.refund_failed(name, after.connection_id, after.money, was_surplus=True),)
    elif after.purpose == "psp" or under_way >= whole:
        return None
    kept = replace(order, attention=NOT_RETURNED)
    return _changed(payment, kept, after, "SurplusNotReturned", cause, now, (ATTENTION,), back)


def _changed(
    payment: Payment,
    order: Order,
    refund: Refund,
    said: str,
    cause: Cause,
    now: datetime,
    events: tuple[str | Told, ...],
    booked: tuple[Posting, ...],
) -> Change:
    attempt, status = payment.attempt(refund.attempt_id), order.status
    data = {"refund": refund.public_id, "amount": refund.amount, "currency": refund.currency}
    step = Step(attempt.state, attempt.state, status, status, said, data)
    return changed_by(
        payment, order, attempt, cause, now, steps=(step,), events=events, booked=booked
    )
