"""The nouns: a refund, and what may be told about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from payloom.connectors.contract import RefundOutcome, RefundRef, Rendered
from payloom.core import ids
from payloom.core.money import Money
from payloom.payments.model import Cause
from payloom.refunds.states import State

NEVER_MADE = "never_made"  # what a connector says of a refund that the PSP does not have


@dataclass(frozen=True, slots=True)
class Refund:
    """Money of one attempt that goes back. `amount` in minor units of `currency`.

    `purpose`: `request` (a shop asked for it), `surplus` (nobody wanted the money), or `psp`
    (somebody started it at the PSP; then there is no request of ours).
    """

    merchant_id: UUID
    id: UUID
    payment_order_id: UUID
    attempt_id: UUID
    connection_id: UUID
    number: int
    purpose: str
    state: State
    amount: int
    currency: str
    reason: str
    metadata: Mapping[str, str]
    shop_key: str | None  # the Idempotency-Key that it was asked for under
    request_body: str | None
    request_version: str | None
    request_key: str | None
    resend_until: datetime | None
    psp_refund: str | None
    last_error: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime

    @property
    def public_id(self) -> str:
        return ids.text("rfd", self.id)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    def to_send(self, now: datetime) -> Rendered | None:
        """The stored request, as long as the PSP surely keeps its key; None: it may only be looked
        for."""
        if self.resend_until is None or now >= self.resend_until:
            return None
        if self.request_body is None or self.request_version is None or self.request_key is None:
            return None
        return Rendered(self.request_body, self.request_version, self.request_key)

    @property
    def never_was(self) -> bool:
        """The PSP never had it, and it will not arrive any more: another may be asked for."""
        error = self.last_error or {}
        return self.state is State.FAILED and error.get("code") == NEVER_MADE

    def ref(self, psp_payment: str) -> RefundRef:
        return RefundRef(self.public_id, psp_payment, self.psp_refund)


@dataclass(frozen=True, slots=True)
class RefundFact:
    """An outcome of one refund, and how we know. `refund_id` None: one that carries no id of ours,
    known by its id at the PSP of this connection."""

    merchant_id: UUID
    attempt_id: UUID
    refund_id: UUID | None
    outcome: RefundOutcome
    cause: Cause
    connection_id: UUID | None = None
    reason: str = "other"
