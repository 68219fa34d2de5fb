"""What an outcome means for an order: a pure function from what is to what shall be.

`record` reads under lock, asks here, and writes the answer; nothing else moves an order.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from payloom.connectors.contract import (
    Approved,
    Authorized,
    Canceled,
    Decline,
    Expired,
    Failed,
    NeverSent,
    Outcome,
    Paid,
    Processing,
    Refused,
    Registered,
    StillOpen,
    Unknown,
)
from payloom.core.clock import rfc3339
from payloom.ledger import postings
from payloom.ledger.postings import Posting
from payloom.payments.model import Attempt, Cause, Fact, Order, Payment
from payloom.payments.states import (
    EVENT_OF,
    HEARS_DECLINES,
    LATE,
    LIVE,
    OLD_NEWS,
    STATUS_OF,
    VIA,
    State,
    Status,
    after,
)

LOOK_AFTER_EXPIRY = timedelta(minutes=1)
LOOK_WHILE_PROCESSING = timedelta(minutes=10)
LOOK_AFTER_FAILURE = timedelta(minutes=10)  # some PSPs call a payment failed and take it later


@dataclass(frozen=True, slots=True)
class Step:
    """One arrow taken, for the log."""

    from_state: State | None  # None: the attempt comes to be
    to_state: State
    from_status: Status
    to_status: Status
    outcome: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """An event about something of the order: a refund, a dispute. `data` is as the API shows it."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be. `look_up_at` None: nobody needs to ask about this attempt any more; `wake`:
    other attempts of the order, for which this changes what is to be done."""

    payment: Payment
    attempt: Attempt
    cause: Cause
    steps: tuple[Step, ...]
    events: tuple[str | Told, ...]  # a type alone tells the order as it is then
    postings: tuple[Posting, ...]
    look_up_at: datetime | None
    wake: tuple[Attempt, ...] = ()
    is_surplus: bool = False  # the money is not wanted, and goes back


@dataclass(frozen=True, slots=True)
class Nothing:
    """The fact is known already."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """The fact does not fit what we know: the PSP must be asked for the truth."""

    why: str


def decide(payment: Payment, fact: Fact, now: datetime) -> Change | Nothing | Doubt:
    """The change that `fact` makes to `payment`."""
    attempt = payment.attempt(fact.attempt_id)
    if fact.connection_id not in (None, attempt.connection_id):
        return Doubt("told by another account than the one we registered with")  # F41
    outcome = _at_our_wish(payment.order, attempt, fact.outcome)
    if isinstance(outcome, Unknown):
        return Doubt(outcome.why)
    if isinstance(outcome, NeverSent) and attempt.asked_at is not None:
        return Doubt(f"{attempt.public_id} has been sent meanwhile")
    if isinstance(outcome, Registered) and attempt.token not in (None, outcome.token):
        return Doubt(f"the PSP made a second page for {attempt.public_id}")
    if isinstance(outcome, StillOpen) and attempt.state in HEARS_DECLINES:
        return _declined(payment, attempt, fact, outcome.last_decline, now)
    if type(outcome) in OLD_NEWS[attempt.state]:
        return Nothing()
    first = VIA.get((attempt.state, type(outcome)))
    path = [first, outcome] if first else [outcome]
    states = [attempt.state]
    for step in path:
        moved = after(states[-1], step)
        if moved is None:
            return Doubt(f"{type(outcome).__name__} does not follow {attempt.state}")
        states.append(moved)
    return _moved(payment, attempt, fact, outcome, states, now)


def _at_our_wish(order: Order, attempt: Attempt, outcome: Outcome) -> Outcome:
    """A page that ends after we asked for its end, or was replaced, is canceled, not expired."""
    was_ours = order.cancel_requested_at is not None or order.current_attempt != attempt.id
    return Canceled() if isinstance(outcome, Expired) and was_ours else outcome


def _declined(
    payment: Payment, attempt: Attempt, fact: Fact, decline: Decline | None, now: datetime
) -> Change | Nothing:
    """A decline on the page changes no state: it is remembered, the page stays payable."""
    error = _last_error(attempt.last_error, decline, now)
    if error == attempt.last_error:
        return Nothing()
    changed = replace(attempt, last_error=error, updated_at=now)
    order = payment.order
    if order.current_attempt == attempt.id and order.status is not Status.SUCCEEDED:
        order = replace(order, last_error=error)
    step = Step(attempt.state, attempt.state, order.status, order.status, "Declined")
    return changed_by(payment, order, changed, fact.cause, now, steps=(step,))


def _moved(
    payment: Payment,
    attempt: Attempt,
    fact: Fact,
    outcome: Outcome,
    states: list[State],
    now: datetime,
) -> Change:
    changed = _attempt_after(attempt, outcome, states[-1], now)
    after = _order_after(payment, changed, outcome, attempt.state)
    statuses = [payment.order.status] * (len(states) - 1) + [after.order.status]
    steps = tuple(
        Step(states[i], states[i + 1], statuses[i], statuses[i + 1], type(outcome).__name__)
        for i in range(len(states) - 1)
    )
    change = changed_by(
        payment, after.order, changed, fact.cause, now,
        steps=steps, events=after.events, booked=after.booked,
    )  # fmt: skip
    if isinstance(outcome, Approved):  # it is for us to go on
        change = replace(change, look_up_at=now)
    wake = _whose_turn(change.payment, changed)
    return replace(change, wake=wake, is_surplus=after.is_surplus)


def _attempt_after(attempt: Attempt, outcome: Outcome, state: State, now: datetime) -> Attempt:
    changed = replace(attempt, state=state, updated_at=now)
    match outcome:
        case Registered():
            return replace(changed, token=outcome.token, redirect_url=outcome.url, answered_at=now)
        case Refused():
            error = {"code": outcome.code, "decline_code": None, "at": rfc3339(now)}
            return replace(changed, last_error=error, answered_at=now)
        case Processing() | Approved() | Authorized():
            return replace(changed, psp_payment=outcome.psp_payment or attempt.psp_payment)
        case Failed():
            declined = _last_error(attempt.last_error, outcome.decline, now)
            psp_payment = outcome.psp_payment or attempt.psp_payment
            return replace(changed, last_error=declined, psp_payment=psp_payment)
        case Paid():
            method = asdict(outcome.method) if outcome.method else attempt.method
            psp_payment = outcome.psp_payment
            return replace(changed, last_error=None, psp_payment=psp_payment, method=method)
    return changed


@dataclass(frozen=True, slots=True)
class _After:
    """What an attempt's step does to its order: how it stands, what is booked, what is told."""

    order: Order
    events: tuple[str, ...] = ()
    booked: tuple[Posting, ...] = ()
    is_surplus: bool = False


def _order_after(
    payment: Payment, attempt: Attempt, outcome: Outcome, state_before: State
) -> _After:
    order = payment.order
    if isinstance(outcome, Paid):
        return _paid(order, attempt, outcome, state_before)
    if order.status is Status.SUCCEEDED:
        return _After(order)
    if order.current_attempt != attempt.id:
        if attempt.state not in LIVE or not payment.current.is_waiting:
            return _After(order)  # only the newest attempt moves the order, except for money
        # The wish for a new attempt came too late: the shopper had finished on the old page.
        order = replace(
            order, current_attempt=attempt.id, psp=attempt.psp, expires_at=attempt.expires_at
        )
    status = STATUS_OF[attempt.state]
    if order.cancel_requested_at is not None:
        if attempt.state is State.REFUSED:  # there was no page that could have ended otherwise
            status = Status.CANCELED
        elif attempt.state in (State.PROCESSING, State.AUTHORIZED):
            order = replace(order, cancel_requested_at=None)  # it came too late
    order = replace(order, status=status, last_error=attempt.last_error or order.last_error)
    return _After(order, (EVENT_OF[status],))


def _paid(order: Order, attempt: Attempt, paid: Paid, state_before: State) -> _After:
    is_wanted = order.paid_by_attempt is None and order.status is not Status.CANCELED
    reason = _mismatch(order, attempt, paid)
    order = replace(order, last_error=None)
    if reason is not None or not is_wanted:
        book = postings.suspense(attempt.public_id, attempt.connection_id, paid.amount)
        if reason is None:  # it fits, but nobody wants it any more: it goes back by itself
            return _After(order, booked=(book,), is_surplus=True)
        status = Status.PROCESSING if is_wanted else order.status
        held = replace(order, status=status, attention=reason)
        return _After(held, ("payment_order.attention",), (book,))
    book = postings.captured(attempt.public_id, attempt.connection_id, paid.amount)
    late = order.status in (Status.FAILED, Status.EXPIRED) or state_before in LATE
    events = ["payment_order.succeeded", *(["payment_order.late_success"] if late else [])]
    paid_order = replace(
        order,
        status=Status.SUCCEEDED,
        paid_by_attempt=attempt.id,
        amount_captured=order.amount_captured + paid.amount.minor,
        method=attempt.method,
        cancel_requested_at=None,
    )
    return _After(paid_order, tuple(events), (book,))


def _mismatch(order: Order, attempt: Attempt, paid: Paid) -> str | None:
    """What of this money is not as we asked for it (F22), or None when all of it fits."""
    if paid.amount.currency != attempt.currency:
        return "currency_mismatch"
    if paid.amount.minor != attempt.amount:
        return "amount_mismatch"
    if paid.payment_order != order.public_id:
        return "reference_mismatch"
    return None


def _whose_turn(payment: Payment, attempt: Attempt) -> tuple[Attempt, ...]:
    """Whom this step concerns besides: a waiting attempt when the page before it is dead, all
    others when the order is paid."""
    others = [each for each in payment.attempts if each.id != attempt.id and each.state in LIVE]
    if payment.order.paid_by_attempt == attempt.id:
        return tuple(others)
    is_over = attempt.state not in LIVE or payment.current.id == attempt.id
    return tuple(each for each in others if each.is_waiting and is_over)


def _look_up_at(payment: Payment, attempt: Attempt, now: datetime) -> datetime | None:
    match attempt.state:
        case State.OPEN if payment.is_unwanted(attempt):
            return now
        case State.OPEN:
            return attempt.expires_at + LOOK_AFTER_EXPIRY
        case State.PROCESSING:
            return now + LOOK_WHILE_PROCESSING
        case State.FAILED:
            return now + LOOK_AFTER_FAILURE
    return None


def changed_by(
    payment: Payment,
    order: Order,
    attempt: Attempt,
    cause: Cause,
    now: datetime,
    *,
    steps: tuple[Step, ...],
    events: tuple[str | Told, ...] = (),
    booked: tuple[Posting, ...] = (),
) -> Change:
    """The change from `payment` to `order` and `attempt`, one version on."""
    order = replace(
        order,
        version=payment.order.version + 1,
        event_sequence=payment.order.event_sequence + len(events),
        updated_at=now,
    )
    attempts = tuple(attempt if each.id == attempt.id else each for each in payment.attempts)
    changed = Payment(order, attempts)
    look_up_at = _look_up_at(changed, attempt, now)
    return Change(changed, attempt, cause, steps, events, booked, look_up_at)


def _last_error(
    known: Mapping[str, Any] | None, decline: Decline | None, now: datetime
) -> Mapping[str, Any] | None:
    """The last decline by the PSP's time, whichever was heard of first. One without a time is what
    the PSP says now."""
    if decline is None:
        return known
    at = rfc3339(decline.at or now)
    told = {"code": decline.code, "decline_code": decline.decline_code, "at": at}
    if known is None:
        return told
    if decline.at is None and all(known[key] == told[key] for key in ("code", "decline_code")):
        return known
    return max(known, told, key=_told_at)


def _told_at(error: Mapping[str, Any]) -> tuple[str, ...]:
    return error["at"], error["code"], error["decline_code"] or ""
