"""Refunds: the money we ask to be given back, and what may become of it."""

from dataclasses import dataclass

from payloom.connectors.contract.payments import Unknown
from payloom.core.money import Money


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to give back, all of it or a part. `refund` is our id, which the PSP's object must
    carry; `psp_payment` is what the PSP calls the payment."""

    refund: str
    attempt: str
    payment_order: str
    psp_payment: str
    amount: Money
    reason: str  # requested_by_customer, duplicate, fraudulent or other


@dataclass(frozen=True, slots=True)
class RefundRef:
    """How the PSP knows a refund: our id, the payment it is of, and its own id where we have it."""

    refund: str
    psp_payment: str
    psp_refund: str | None


# `amount` is what the PSP gives back; None where it does not say so.


@dataclass(frozen=True, slots=True)
class Refunded:
    """The money left for the shopper; it may still come back (RefundFailed)."""

    psp_refund: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class RefundPending:
    """The PSP took the refund on and has not carried it out."""

    psp_refund: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class RefundNeedsAction:
    """The PSP waits for the shopper, who must say where the money shall go."""

    psp_refund: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class RefundCanceled:
    """It was withdrawn before the money left."""

    psp_refund: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """The money stays, or came back; `psp_refund` None: the PSP never made this refund."""

    code: str
    psp_refund: str | None = None
    amount: Money | None = None


RefundOutcome = (
    Refunded | RefundPending | RefundNeedsAction | RefundCanceled | RefundFailed | Unknown
)
