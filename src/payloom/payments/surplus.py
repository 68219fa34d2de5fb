"""What an order shows of money that nobody wanted: returned, or still here. Pure, like `decide`."""

from dataclasses import replace
from datetime import datetime

from payloom.ledger.postings import Posting
from payloom.payments.decide import Change, Step, changed_by
from payloom.payments.model import Attempt, Cause, Payment

NOT_RETURNED = "surplus_not_returned"


def returned(
    payment: Payment, attempt: Attempt, booked: Posting, cause: Cause, now: datetime
) -> Change:
    """The money left for the shopper."""
    order = payment.order
    step = Step(attempt.state, attempt.state, order.status, order.status, "SurplusReturned")
    told = ("payment_order.duplicate_payment_returned",)
    return changed_by(
        payment, order, attempt, cause, now, steps=(step,), events=told, booked=(booked,)
    )


def not_returned(
    payment: Payment,
    attempt: Attempt,
    came_back: tuple[Posting, ...],
    cause: Cause,
    now: datetime,
) -> Change:
    """The PSP could not give it back: a person must find another way."""
    order = payment.order
    step = Step(attempt.state, attempt.state, order.status, order.status, "SurplusNotReturned")
    return changed_by(
        payment,
        replace(order, attention=NOT_RETURNED),
        attempt,
        cause,
        now,
        steps=(step,),
        events=("payment_order.attention",),
        booked=came_back,
    )
