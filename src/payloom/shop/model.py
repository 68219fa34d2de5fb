"""The shop's nouns."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

Clock = Callable[[], datetime]


class ShopStatus(StrEnum):
    """What the shop makes of its order; the payment's own status is kept beside it."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    CANCELLED = "cancelled"  # the shopper came back over the cancel link
    NOT_PAID = "not_paid"  # the payment failed, expired or was cancelled
    ABANDONED = "abandoned"  # its number was already taken at the API


# payment_order_status → our status. What is missing leaves our order as it is.
SHOP_STATUS = {
    "SUCCEEDED": ShopStatus.PAID,
    "FAILED": ShopStatus.NOT_PAID,
    "EXPIRED": ShopStatus.NOT_PAID,
    "CANCELED": ShopStatus.NOT_PAID,
}
FINAL = frozenset(SHOP_STATUS)
OPEN = frozenset({"CREATED", "PENDING"})  # the shopper can pay, or will soon be able to


@dataclass(frozen=True, slots=True)
class Line:
    sku: str
    name: str
    quantity: int
    unit_amount: int

    @property
    def amount(self) -> int:
        return self.quantity * self.unit_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What a checkout is about; the same basket twice is the same order."""

    cart_id: str
    currency: str
    lines: tuple[Line, ...]
    email: str

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    id: int
    token: str
    basket: Basket
    shop_status: ShopStatus
    payment_order_id: str | None
    payment_order_status: str
    redirect_url: str | None
    created_at: datetime

    @property
    def number(self) -> str:
        """The order's number as people see it, and its `reference` at the API."""
        return f"W-{self.id}"

    @property
    def path(self) -> str:
        """The order page; the token keeps others from leafing through the numbers."""
        return f"/orders/{self.number}?t={self.token}"

    @property
    def is_final(self) -> bool:
        return self.payment_order_status in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A payment order as an event or an answer of the API shows it."""

    payment_order_id: str
    status: str
    amount: int
    currency: str
    redirect_url: str | None = None
    sequence: int | None = None  # events carry one, answers do not


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A verified webhook; `sighting` is None for those that show no payment order."""

    id: str
    type: str
    sequence: int
    payment_order_id: str
    sighting: Sighting | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of an order's story, from our own log or from the API's timeline."""

    at: datetime
    kind: str
    summary: str = ""
    cause: str = ""
    data: dict[str, Any]


def parse_time(value: object) -> datetime | None:
    """RFC 3339 text as an aware time; None for anything else."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at and at.tzinfo else None
