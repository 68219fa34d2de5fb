"""Our ids in Stripe's objects, by which notices and lists find their way back to us."""

from collections.abc import Mapping
from typing import Any

ATTEMPT = "payloom_attempt"
PAYMENT_ORDER = "payloom_payment_order"
REFERENCE = "payloom_reference"
REFUND = "payloom_refund"


def mark(thing: Mapping[str, Any], name: str) -> str | None:
    """What an object's metadata says under this name; None: it is not ours."""
    marks = thing.get("metadata")
    value = marks.get(name) if isinstance(marks, Mapping) else None
    return value if isinstance(value, str) else None
