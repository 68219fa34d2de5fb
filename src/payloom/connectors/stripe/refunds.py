"""Refunds in Stripe's words and back: pure functions, no I/O.

Source: https://docs.stripe.com/api/refunds and https://docs.stripe.com/refunds. A refund that said
`succeeded` may say `failed` later, up to 30 days.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from payloom.connectors.contract import (
    RefundCanceled,
    Refunded,
    RefundFailed,
    RefundNeedsAction,
    RefundOutcome,
    RefundPending,
    RefundRef,
    RefundRequest,
    Refused,
    Unknown,
)
from payloom.connectors.stripe.currencies import from_stripe, scaled
from payloom.connectors.stripe.errors import refusal
from payloom.connectors.stripe.marks import ATTEMPT, PAYMENT_ORDER, REFUND, mark
from payloom.connectors.stripe.words import word
from payloom.core.money import Money

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
    amount = _amount(refund)
    match refund.get("status"):
        case "succeeded":
            return Refunded(id_, amount)
        case "pending":
            return RefundPending(id_, amount)
        case "requires_action":
            return RefundNeedsAction(id_, amount)
        case "canceled":
            return RefundCanceled(id_, amount)
        case "failed":
            return RefundFailed(word(refund.get("failure_reason")) or "failed", id_, amount)
    return Unknown(f"a refund in status {refund.get('status')!r}")


def reason(refund: Mapping[str, Any]) -> str:
    """Why somebody started it at Stripe, in our words."""
    said = word(refund.get("reason"))
    return said if said in _REASONS else "other"


def psp_payment(refund: Mapping[str, Any]) -> str | None:
    """The payment intent that it is of."""
    return word(refund.get("payment_intent"), 255)


def _amount(refund: Mapping[str, Any]) -> Money | None:
    amount, currency = refund.get("amount"), refund.get("currency")
    if type(amount) is not int or not isinstance(currency, str):
        return None
    try:
        return from_stripe(amount, currency)
    except ValueError:
        return None


def refused(status: int, body: object, *, is_replayed: bool) -> RefundOutcome:
    """What an answer other than a refund says about one."""
    said = refusal(status, body, is_replayed=is_replayed)
    return RefundFailed(said.code) if isinstance(said, Refused) else said


def found(refunds: Sequence[Mapping[str, Any]], ref: RefundRef) -> Mapping[str, Any] | None:
    """The one among a payment's refunds that carries our id, or the PSP's where we know it."""
    return next(
        (
            each
            for each in refunds
            if mark(each, REFUND) == ref.refund or (each.get("id") and each["id"] == ref.psp_refund)
        ),
        None,
    )
