"""The chart of accounts: every bucket money can be in, per merchant and currency."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID, uuid5

from payloom.core.ids import NAMESPACE


class Side(StrEnum):
    """What a positive balance means."""

    ASSET = "asset"  # someone owes us
    LIABILITY = "liability"  # we owe someone
    EXPENSE = "expense"  # it was spent
    CLEARING = "clearing"  # nobody's: what stands here in one currency stands in another against it


CHART: dict[str, tuple[Side, str]] = {
    "psp_receivable": (
        Side.ASSET,
        "what a PSP took for us and has not paid out; one per connection",
    ),
    "dispute_reserve": (Side.ASSET, "what disputes took away and may still give back"),
    "bank": (Side.ASSET, "what PSPs paid out to our bank"),
    "merchant_pending": (Side.LIABILITY, "what we owe the merchant, not yet paid out by the PSP"),
    "merchant_available": (Side.LIABILITY, "what we owe the merchant and have in the bank"),
    "refunds_in_flight": (Side.LIABILITY, "what was promised to shoppers and has not left yet"),
    "suspense": (Side.LIABILITY, "money that arrived and that nobody can explain yet"),
    "psp_fees": (Side.EXPENSE, "what PSPs charged and the merchant has not borne yet"),
    "rounding": (Side.EXPENSE, "differences of less than a minor unit, made by a PSP"),
    "exchange": (Side.CLEARING, "what was changed from one currency into another by a PSP"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """One account: a code of the chart, and whose it is where there are several (a connection)."""

    code: str
    owner: UUID | None = None

    def __post_init__(self) -> None:
        if self.code not in CHART:
            raise ValueError(f"{self.code!r} is not in the chart of accounts")


@lru_cache(maxsize=10_000)
def account_id(merchant_id: UUID, account: Account, currency: str) -> UUID:
    """The account's id, derived from what it is: nobody needs to look it up or race to make it."""
    return uuid5(NAMESPACE, f"{merchant_id}/{account.code}/{account.owner or '-'}/{currency}")
