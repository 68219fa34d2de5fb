"""The form of the hosted page: what the shopper typed, and what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payloom.sandbox.stripe.card_check import flaws
from payloom.sandbox.stripe.page.countries import CODES

FIELDS = ("email", "cardNumber", "cardExpiry", "cardCvc", "billingName", "billingCountry")
_FIELD_OF = {"number": "cardNumber", "expiry": "cardExpiry", "cvc": "cardCvc"}
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,63}")
_EXPIRY = re.compile(r"(\d{1,2})\s*[/\-. ]?\s*(\d{4}|\d{2})")
_VALUE_MAX = 200


@dataclass(frozen=True, slots=True)
class CardForm:
    email: str
    number: str  # digits only; not kept, not logged, not shown again
    expiry: str
    cvc: str
    name: str
    country: str

    def month_and_year(self) -> tuple[int, int]:
        """(0, 0) for what is no date: no check takes that for valid."""
        match = _EXPIRY.fullmatch(self.expiry)
        if match is None:
            return (0, 0)
        year = int(match[2])
        return (int(match[1]), year if year >= 100 else 2000 + year)


def read(form: Mapping[str, Any]) -> CardForm:
    def value(name: str) -> str:
        given = form.get(name, "")
        return given.strip()[:_VALUE_MAX] if isinstance(given, str) else ""

    return CardForm(
        email=value("email"),
        number=re.sub(r"[\s\-]", "", value("cardNumber")),
        expiry=value("cardExpiry"),
        cvc=value("cardCvc"),
        name=value("billingName"),
        country=value("billingCountry"),
    )


def problems(form: CardForm, today: datetime, *, with_card: bool = True) -> dict[str, str]:
    """What to say about each field that is not right, in the order of the form."""
    found = {}
    if not _EMAIL.fullmatch(form.email):
        found["email"] = "Enter a valid email address." if form.email else "Enter your email."
    if with_card:
        found |= _card_problems(form, today)
        if not form.name:
            found["billingName"] = "Enter the name on the card."
        if form.country not in CODES:
            found["billingCountry"] = "Choose a country or region."
    return found


def _card_problems(form: CardForm, today: datetime) -> dict[str, str]:
    month, year = form.month_and_year()
    found = {
        _FIELD_OF[flaw.field]: flaw.message
        for flaw in flaws(form.number, month, year, form.cvc, today=today)
    }
    if not form.number:
        found["cardNumber"] = "Enter your card number."
    if (month, year) == (0, 0):
        found["cardExpiry"] = "Enter the expiration date as MM / YY."
    if not form.cvc:
        found["cardCvc"] = "Enter the security code."
    return {name: found[name] for name in FIELDS if name in found}
