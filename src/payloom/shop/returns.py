"""The query a shopper brings back from the payment page, and whether to believe it."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from payloom.shop.model import Order, parse_time

AGE_MAX = timedelta(minutes=5)


def verified_status(
    query: Mapping[str, str], order: Order, *, secret: str, now: datetime
) -> str | None:
    """The status the shopper brings, if signed for this very order within five minutes."""
    id_, reference = query.get("payment_order_id", ""), query.get("reference", "")
    status, timestamp = query.get("payment_order_status", ""), query.get("timestamp", "")
    expected = sign(f"{id_}.{reference}.{status}.{timestamp}", secret)
    if not hmac.compare_digest(expected.encode(), query.get("signature", "").encode()):
        return None
    if (id_, reference) != (order.payment_order_id, order.number):
        return None
    at = _read_timestamp(timestamp)
    return status if at and abs(now - at) <= AGE_MAX else None


def sign(text: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return "v1," + urlsafe_b64encode(digest).decode().rstrip("=")


def _read_timestamp(text: str) -> datetime | None:
    """Unix seconds, or RFC 3339."""
    if text.isascii() and text.isdigit() and len(text) <= 11:
        return datetime.fromtimestamp(int(text), UTC)
    return parse_time(text)
