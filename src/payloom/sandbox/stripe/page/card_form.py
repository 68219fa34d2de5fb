"""The card's part of the hosted page: what the shopper typed, and what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payloom.core.masking import holds_card_or_secret
from payloom.sandbox.stripe.methods.typed_card import flaws
from payloom.sandbox.stripe.page.countries import CODES
from payloom.sandbox.stripe.page.fields import text

FIELDS = ("cardNumber", "cardExpiry", "cardCvc", "billingName", "billingCountry")
_FIELD_OF = {"number": "cardNumber", "expiry": "cardExpiry", "cvc": "cardCvc"}
_EXPIRY = re.compile(r"(\d{1,2})\s*[/\-. ]?\s*(\d{4}|\d{2})")


@dataclass(frozen=True, slots=True)
class CardForm:
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
    return CardForm(
        number=re.sub(r"[\s\-]", "", text(form, "cardNumber")),
        expiry=text(form, "cardExpiry"),
        cvc=text(form, "cardCvc"),
        name=text(form, "billingName"),
        country=text(form, "billingCountry"),
    )


def problems(form: CardForm, today: datetime) -> dict[str, str]:
    """What to say about each field that is not right, in the order of the form."""
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
    if not form.name or holds_card_or_secret(form.name):
        found["billingName"] = "Enter the name on the card."
    if form.country not in CODES:
        found["billingCountry"] = "Choose a country or region."
    return {name: found[name] for name in FIELDS if name in found}
