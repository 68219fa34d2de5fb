"""Exact amounts: integer minor units of one ISO 4217 currency. Never a float."""

from dataclasses import dataclass
from itertools import accumulate, pairwise

from payloom.core.currencies import EXPONENTS, exponent

AMOUNT_MAX = 10**15  # minor units; keeps every sum of a merchant far inside a bigint


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount. `minor` counts the currency's minor units (JPY 1, EUR 0.01, KWD 0.001)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError("an amount is a whole number of minor units")
        if self.currency not in EXPONENTS:
            raise ValueError(f"{self.currency!r} is not an ISO 4217 currency in use")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def split(self, *weights: int) -> "tuple[Money, ...]":
        """Share out by weight without losing a cent: the parts always sum to the whole."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights are whole numbers, not negative, and not all zero")
        bounds = [0, *(self.minor * upto // total for upto in accumulate(weights))]
        return tuple(Money(b - a, self.currency) for a, b in pairwise(bounds))

    def __str__(self) -> str:
        """For people: `49.99 EUR`, `500 JPY`, `1.234 KWD`."""
        places = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        number = f"{digits[:-places]}.{digits[-places:]}" if places else digits
        return f"{sign}{number} {self.currency}"

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
