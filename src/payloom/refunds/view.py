"""A refund as shown: in answers of the API and, the same shape, in events."""

from typing import Any

from payloom.core import ids
from payloom.core.clock import rfc3339
from payloom.refunds.model import Refund


def show(refund: Refund) -> dict[str, Any]:
    """The public form; `amount` in minor units of `currency`."""
    return {
        "id": refund.public_id,
        "payment_order": ids.text("po", refund.payment_order_id),
        "attempt": ids.text("att", refund.attempt_id),
        "status": refund.state,
        "amount": refund.amount,
        "currency": refund.currency,
        "reason": refund.reason,
        "origin": refund.purpose,
        "psp_refund": refund.psp_refund,
        "last_error": refund.last_error,
        "metadata": refund.metadata,
        "created_at": rfc3339(refund.created_at),
        "updated_at": rfc3339(refund.updated_at),
    }
