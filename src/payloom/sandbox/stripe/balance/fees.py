"""What Stripe keeps of a payment and of a dispute, as one table per kind.

The rates are Stripe's public ones for an account at home where the currency is: stripe.com/pricing
as told in 2026, and two pages of support.stripe.com/questions: what is added from abroad, and that
the fee of a dispute is kept (october-2023-pricing-updates-for-global-standard-pricing-users), and
debits in Europe (april-2023-pricing-updates-for-businesses-based-in-europe). A row marked with *
could not be checked against a page; what is our own choice is marked so.

Stripe settles one account in few currencies and converts the rest; this sandbox settles each
payment in its own currency, so each currency has the rate of its home.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payloom.sandbox.stripe.catalog.currencies import decimals

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share in hundredths of a percent, and a fixed part in the currency's unit."""

    share: int
    fixed: int
    least: int = 0
    most: int | None = None

    def of(self, amount: int) -> int:
        """The fee, half units rounded up; never more than was paid."""
        fee = max(self.least, (amount * self.share + 5_000) // 10_000 + self.fixed)
        return min(amount, fee if self.most is None else min(fee, self.most))


@dataclass(frozen=True, slots=True)
class CardRate:
    """What a card costs at home, and how much more from abroad or for a premium brand."""

    home: str  # countries whose cards are no foreign ones
    domestic: Rate
    abroad: int  # added to the share
    premium: int = 0  # added to the share for American Express


_EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"

CARDS: Mapping[str, CardRate] = {
    "aud": CardRate("AU", Rate(170, 30), 180),
    "cad": CardRate("CA", Rate(290, 30), 80),
    "chf": CardRate("CH LI", Rate(290, 30), 35),  # *
    "dkk": CardRate(_EEA, Rate(150, 180), 175, 40),  # *
    "eur": CardRate(_EEA, Rate(150, 25), 175, 40),
    "gbp": CardRate("GB", Rate(150, 20), 175, 40),
    "inr": CardRate("IN", Rate(200, 0), 100),  # *
    "jpy": CardRate("JP", Rate(360, 0), 0),
    "mxn": CardRate("MX", Rate(360, 300), 50),  # *
    "nok": CardRate(_EEA, Rate(240, 200), 85),  # *
    "nzd": CardRate("NZ", Rate(270, 30), 100),
    "pln": CardRate(_EEA, Rate(150, 100), 175, 40),  # *
    "sek": CardRate(_EEA, Rate(150, 180), 175, 40),  # *
    "sgd": CardRate("SG", Rate(340, 50), 50),
    "usd": CardRate("US", Rate(290, 30), 150),
}
# by method and currency; a method that is not here costs what a card from home does (our choice)
OTHERS: Mapping[tuple[str, str], Rate] = {
    ("acss_debit", "cad"): Rate(100, 40, most=500),  # *
    ("acss_debit", "usd"): Rate(100, 40, most=500),  # *
    ("au_becs_debit", "aud"): Rate(100, 30, most=350),  # *
    ("bacs_debit", "gbp"): Rate(100, 0, least=20, most=200),
    ("boleto", "brl"): Rate(0, 345),  # *
    ("konbini", "jpy"): Rate(360, 0, least=120),  # *
    ("multibanco", "eur"): Rate(150, 25),  # *
    ("nz_bank_account", "nzd"): Rate(100, 30, most=350),  # our choice, after Australia's
    ("oxxo", "mxn"): Rate(360, 300),  # *
    ("sepa_debit", "eur"): Rate(0, 35),
    ("us_bank_account", "usd"): Rate(80, 0, most=500),
}


def of_charge(charge: Json) -> int:
    """What Stripe keeps of what was captured."""
    amount: int = charge["amount_captured"]
    details = charge["payment_method_details"]
    if details["type"] != "card":
        return rate_of_method(details["type"], charge["currency"]).of(amount)
    card = details["card"]
    return rate_of_card(charge["currency"], card["brand"], card["country"]).of(amount)


def rate_of_card(currency: str, brand: str, country: str) -> Rate:
    """A currency that is not in the table has the dollar's share and no home (our choice)."""
    table = CARDS.get(currency)
    if table is None:
        return Rate(290, fixed_elsewhere(currency))
    share = table.domestic.share
    if country not in table.home.split():
        share += table.abroad
    elif brand == "amex":
        share += table.premium
    return Rate(share, table.domestic.fixed)


def rate_of_method(type_: str, currency: str) -> Rate:
    if rate := OTHERS.get((type_, currency)):
        return rate
    table = CARDS.get(currency)
    return table.domestic if table else Rate(290, fixed_elsewhere(currency))


def fixed_elsewhere(currency: str) -> int:
    """30 hundredths, and nothing where there are no hundredths (our choice)."""
    return {0: 0, 2: 30, 3: 300}[decimals(currency)]


def of_dispute(currency: str) -> int:
    """15.00, and 1500 where there are no decimals: Stripe's in dollars, our choice elsewhere."""
    return 15_000 if decimals(currency) == 3 else 1_500


def details(amount: int, currency: str, description: str) -> list[Json]:
    """A fee as a balance transaction lists it."""
    if not amount:
        return []
    fee = {"amount": amount, "application": None, "currency": currency}
    return [{**fee, "description": description, "type": "stripe_fee"}]
