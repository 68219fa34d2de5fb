"""The order as shown: in answers of the API and, byte for byte the same shape, in events."""

from typing import Any

from payloom.core.clock import rfc3339
from payloom.payments.model import Attempt, Payment
from payloom.payments.states import State, Status


def show(payment: Payment) -> dict[str, Any]:
    """The public form of a payment order (design: HTTP API, the order as shown);
    `cancel_requested_at` only while the PSP has not said that the page is dead."""
    order = payment.order
    shown = {
        "id": order.public_id,
        "reference": order.reference,
        "mode": order.mode,
        "payment_order_status": order.status,
        "payment_type": order.payment_type,
        "payment_method": order.payment_method,
        "method_types": list(order.method_types),
        "psp": order.psp,
        "amount": order.amount,
        "currency": order.currency,
        "amount_captured": order.amount_captured,
        "amount_refunded": order.amount_refunded,
        "amount_disputed": order.amount_disputed,
        "redirect_url": _redirect_url(payment),
        "return_url": order.return_url,
        "cancel_url": order.cancel_url,
        "expires_at": rfc3339(order.expires_at),
        "last_error": order.last_error,
        "attention": order.attention,
        "method": order.method,
        "customer": order.customer,
        "description": order.description,
        "line_items": list(order.line_items),
        "metadata": order.metadata,
        "created_at": rfc3339(order.created_at),
        "updated_at": rfc3339(order.updated_at),
        "attempts": [_show_attempt(attempt) for attempt in payment.attempts],
    }
    if order.cancel_requested_at is not None and order.status is not Status.CANCELED:
        shown["cancel_requested_at"] = rfc3339(order.cancel_requested_at)
    return shown


def _redirect_url(payment: Payment) -> str | None:
    """Only while the shopper may pay there."""
    attempt = payment.current
    is_open = payment.order.status is Status.PENDING and attempt.state is State.OPEN
    is_payable = is_open and not payment.is_unwanted(attempt)
    return attempt.redirect_url if is_payable else None


def _show_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.public_id,
        "state": attempt.state,
        "psp": attempt.psp,
        "token": attempt.token,
        "created_at": rfc3339(attempt.created_at),
    }
