"""What a shop's wish means for an order, before any PSP is asked: pure functions, like `decide`."""

from dataclasses import replace
from datetime import datetime, timedelta

from payloom.payments.decide import Change, Step, changed_by
from payloom.payments.model import Attempt, Cause, Payment
from payloom.payments.states import State, Status

LOOK_AFTER = timedelta(seconds=15)  # by then whoever wrote the wish has carried it out, or died

CANCELABLE = frozenset({Status.CREATED, Status.PENDING})
RETRYABLE = frozenset({Status.PENDING, Status.FAILED, Status.EXPIRED})


def cancel(payment: Payment, cause: Cause, now: datetime) -> Change:
    """The order is not wanted any more. Its pages are still to be ended."""
    order, attempt = payment.order, payment.current
    step = Step(attempt.state, attempt.state, order.status, order.status, "CancelRequested")
    wished = replace(order, cancel_requested_at=now)
    change = changed_by(payment, wished, attempt, cause, now, steps=(step,))
    return replace(change, look_up_at=now + LOOK_AFTER, wake=payment.live)


def another_attempt(payment: Payment, attempt: Attempt, cause: Cause, now: datetime) -> Change:
    """One more attempt, which is the current one from now on; a page that is still open has to
    be ended first."""
    order = payment.order
    step = Step(None, State.REGISTERING, order.status, Status.CREATED, "Requested")
    tried = replace(
        order,
        status=Status.CREATED,
        current_attempt=attempt.id,
        psp=attempt.psp,
        expires_at=attempt.expires_at,
    )
    longer = Payment(order, (*payment.attempts, attempt))
    change = changed_by(longer, tried, attempt, cause, now, steps=(step,))
    return replace(change, look_up_at=now + LOOK_AFTER, wake=payment.live)
