"""What is wrong with a typed card, found before anyone is asked to charge it."""

from dataclasses import dataclass
from datetime import datetime

from payloom.sandbox.stripe.cards import brand_of

_LENGTHS = {"amex": (15,), "diners": (14, 16), "unionpay": (16, 17, 18, 19)}


@dataclass(frozen=True, slots=True)
class Flaw:
    field: str  # number, expiry or cvc
    code: str
    param: str
    message: str


def flaws(number: str, month: int, year: int, cvc: str | None, *, today: datetime) -> list[Flaw]:
    """All that is wrong, in the order of the form's fields. `year` has four digits."""
    found = [_number(number), _expiry(month, year, today), _cvc(cvc, number)]
    return [flaw for flaw in found if flaw is not None]


def is_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _number(number: str) -> Flaw | None:
    if not (number.isascii() and number.isdigit()):
        return Flaw("number", "invalid_number", "number", "Your card number is invalid.")
    if len(number) not in _LENGTHS.get(brand_of(number), (16,)):
        message = "Your card number is incomplete."
        return Flaw("number", "incorrect_number", "number", message)
    if not is_luhn(number):
        return Flaw("number", "incorrect_number", "number", "Your card number is incorrect.")
    return None


def _expiry(month: int, year: int, today: datetime) -> Flaw | None:
    if not 1 <= month <= 12:
        message = "Your card's expiration month is invalid."
        return Flaw("expiry", "invalid_expiry_month", "exp_month", message)
    if not today.year <= year <= today.year + 50:
        message = "Your card's expiration year is invalid."
        if year < today.year:
            message = "Your card's expiration year is in the past."
        return Flaw("expiry", "invalid_expiry_year", "exp_year", message)
    if (year, month) < (today.year, today.month):
        message = "Your card's expiration date is in the past."
        return Flaw("expiry", "invalid_expiry_month", "exp_month", message)
    return None


def _cvc(cvc: str | None, number: str) -> Flaw | None:
    if cvc is None:
        return None  # calls by a server may leave it out
    if not (cvc.isascii() and cvc.isdigit()) or len(cvc) not in (3, 4):
        return Flaw("cvc", "invalid_cvc", "cvc", "Your card's security code is invalid.")
    if len(cvc) != (4 if brand_of(number) == "amex" else 3):
        return Flaw("cvc", "invalid_cvc", "cvc", "Your card's security code is incomplete.")
    return None
