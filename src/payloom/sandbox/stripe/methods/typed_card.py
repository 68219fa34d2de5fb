"""A card as it was typed: what is wrong with it, before anyone is asked to charge it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payloom.sandbox.stripe.methods.cards import CARDS, NOT_A_TEST_CARD, Card, brand_of, named
from payloom.sandbox.stripe.protocol.errors import Failure, card_error, missing_parameter, no_such

_LENGTHS = {"amex": (15,), "diners": (14, 16), "unionpay": (16, 17, 18, 19)}


@dataclass(frozen=True, slots=True)
class Flaw:
    field: str  # number, expiry or cvc
    code: str
    param: str
    message: str


@dataclass(frozen=True, slots=True)
class CardDetails:
    """A card that passed the checks."""

    card: Card
    exp_month: int
    exp_year: int
    cvc_given: bool


def read_card(asked: dict[str, Any], today: datetime) -> CardDetails:
    """The card of an API call, by token or by number."""
    if "token" in asked:
        card = named(asked["token"]) if asked["token"].startswith("tok_") else None
        if card is None:
            raise no_such("token", asked["token"], param="card[token]", status=400)
        return CardDetails(card, 12, today.year + 1, cvc_given=False)
    for name in ("number", "exp_month", "exp_year"):
        if name not in asked:
            raise missing_parameter(f"card[{name}]")
    number = asked["number"].replace(" ", "").replace("-", "")
    year = asked["exp_year"] + (2000 if 0 <= asked["exp_year"] < 100 else 0)
    if found := flaws(number, asked["exp_month"], year, asked.get("cvc"), today=today):
        flaw = found[0]
        raise card_error(Failure(flaw.code, flaw.message), f"card[{flaw.param}]")
    if number not in CARDS:
        raise card_error(NOT_A_TEST_CARD)
    return CardDetails(CARDS[number], asked["exp_month"], year, cvc_given="cvc" in asked)


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
