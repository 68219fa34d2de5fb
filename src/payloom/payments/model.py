"""The nouns: a payment order, its attempts, and what may be told about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from payloom.connectors.contract import AttemptRef, Outcome, Rendered
from payloom.core import ids
from payloom.core.money import Money
from payloom.payments.states import LIVE, State, Status


@dataclass(frozen=True, slots=True)
class Order:
    """What a merchant wants to be paid. Amounts in minor units of `currency`."""

    merchant_id: UUID
    id: UUID
    mode: str
    reference: str
    fingerprint: bytes
    status: Status
    version: int
    event_sequence: int
    payment_type: str
    payment_method: str
    method_types: tuple[str, ...]
    psp: str
    amount: int
    currency: str
    capture: str
    amount_captured: int
    amount_refunded: int
    amount_refund_asked: int  # undecided refunds that we asked for count, too
    amount_disputed: int
    return_url: str
    cancel_url: str | None
    locale: str | None
    description: str | None
    customer: Mapping[str, Any] | None
    line_items: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, str]
    last_error: Mapping[str, Any] | None
    attention: str | None
    method: Mapping[str, Any] | None
    current_attempt: UUID
    paid_by_attempt: UUID | None
    cancel_requested_at: datetime | None
    expires_at: datetime
    correlation_id: str
    created_at: datetime
    updated_at: datetime

    @property
    def public_id(self) -> str:
        return ids.text("po", self.id)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to get an order paid through one connection."""

    merchant_id: UUID
    id: UUID
    payment_order_id: UUID
    number: int
    connection_id: UUID
    psp: str
    state: State
    amount: int
    currency: str
    request_body: str
    request_version: str
    request_key: str
    resend_until: datetime
    token: str | None
    redirect_url: str | None
    psp_payment: str | None
    return_token: bytes
    expires_at: datetime
    last_error: Mapping[str, Any] | None
    method: Mapping[str, Any] | None
    asked_at: datetime | None
    answered_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def public_id(self) -> str:
        return ids.text("att", self.id)

    @property
    def is_waiting(self) -> bool:
        """Written, and not to be sent before the page that it replaces is dead."""
        return self.state is State.REGISTERING and self.asked_at is None

    @property
    def rendered(self) -> Rendered:
        return Rendered(self.request_body, self.request_version, self.request_key)

    @property
    def ref(self) -> AttemptRef:
        return AttemptRef(self.public_id, self.token)


@dataclass(frozen=True, slots=True)
class Cause:
    """What told us: `kind` is request, psp_answer, notice, return or look_up; `id` names it."""

    kind: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """An outcome of one attempt, and how we know."""

    merchant_id: UUID
    attempt_id: UUID
    outcome: Outcome
    cause: Cause
    connection_id: UUID | None = None  # whose notice it was; None: we asked the right one


@dataclass(frozen=True, slots=True)
class Payment:
    """An order with all its attempts, oldest first: what a decision needs and the API shows."""

    order: Order
    attempts: tuple[Attempt, ...]

    def attempt(self, attempt_id: UUID) -> Attempt:
        return next(attempt for attempt in self.attempts if attempt.id == attempt_id)

    @property
    def current(self) -> Attempt:
        return self.attempt(self.order.current_attempt)

    @property
    def live(self) -> tuple[Attempt, ...]:
        """The attempts that were sent and may still bring money: one at the most."""
        return tuple(a for a in self.attempts if a.state in LIVE and not a.is_waiting)

    def is_unwanted(self, attempt: Attempt) -> bool:
        """Whether its page shall end: the order is canceled, paid by another, or tries anew."""
        order = self.order
        return (
            order.cancel_requested_at is not None
            or order.current_attempt != attempt.id
            or order.paid_by_attempt not in (None, attempt.id)
        )
