"""Refunds in Stripe's words and back: pure functions, no I/O.

Source: https://docs.stripe.com/api/refunds and https://docs.stripe.com/refunds. A refund that said
`succeeded` may say `failed` later, up to 30 days.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from payloom.connectors.contract import (
    Refunded,
    RefundFailed,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    Refused,
    Unknown,
)
from payloom.connectors.stripe.currencies import scaled
from payloom.connectors.stripe.errors import refusal
from payloom.connectors.stripe.marks import ATTEMPT, PAYMENT_ORDER, REFUND, mark
from payloom.connectors.stripe.words import word

PATH = "/v1/refunds"
# Ours that Stripe has no word for are told in metadata only.
_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})


def to_refund(request: RefundRequest) -> dict[str, Any]:
    """Parameters of `POST /v1/refunds`. Raises AmountNotSupported."""
    params: dict[str, Any] = {
        "payment_intent": request.psp_payment,
        "amount": scaled(request.amount.minor, request.amount.currency),
        "metadata": {
            REFUND: request.refund,
            ATTEMPT: request.attempt,
            PAYMENT_ORDER: request.payment_order,
        },
    }
    if request.reason in _REASONS:
        params["reason"] = request.reason
    return params


def outcome(refund: Mapping[str, Any]) -> RefundOutcome:
    """What a refund's status says."""
    id_ = word(refund.get("id"), 255)
    if id_ is None or refund.get("object") != "refund":
        return Unknown("the answer to a refund is not a refund with an id")
    match refund.get("status"):
        case "succeeded":
            return Refunded(id_)
        case "pending" | "requires_action":
            return RefundPending(id_)
        case "failed" | "canceled" as status:
            return RefundFailed(word(refund.get("failure_reason")) or status, id_)
    return Unknown(f"a refund in status {refund.get('status')!r}")


def refused(status: int, body: object, *, is_replayed: bool) -> RefundOutcome:
    """What an answer other than a refund says about one."""
    said = refusal(status, body, is_replayed=is_replayed)
    return RefundFailed(said.code) if isinstance(said, Refused) else said


def ours(refunds: Sequence[Mapping[str, Any]], refund: str) -> Mapping[str, Any] | None:
    """The one among a payment's refunds that carries our id."""
    return next((each for each in refunds if mark(each, REFUND) == refund), None)
