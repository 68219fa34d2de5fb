"""Which methods of payment the page offers: by currency, less what the session rules out.

What Stripe has besides is known by name and never offered, as in an account that has it off.
"""

from collections.abc import Sequence

from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS

ANY: frozenset[str] = frozenset()

# in the order of the page
CURRENCIES: dict[str, frozenset[str]] = {
    "card": ANY,
    "sepa_debit": frozenset({"eur"}),
    "us_bank_account": frozenset({"usd"}),
    "bacs_debit": frozenset({"gbp"}),
    "au_becs_debit": frozenset({"aud"}),
    "acss_debit": frozenset({"cad", "usd"}),
    "nz_bank_account": frozenset({"nzd"}),
    "boleto": frozenset({"brl"}),
    "konbini": frozenset({"jpy"}),
    "multibanco": frozenset({"eur"}),
    "oxxo": frozenset({"mxn"}),
}
TITLES = {
    "card": "Card",
    **{debit.type: debit.title for debit in DEBITS.values()},
    **{voucher.type: voucher.title for voucher in VOUCHERS.values()},
}


def offered(currency: str, allowed: Sequence[str], excluded: Sequence[str]) -> list[str]:
    """Types in the order of the page; an allowed one that does not fit is dropped silently."""
    return [
        type_
        for type_, currencies in CURRENCIES.items()
        if (not currencies or currency in currencies)
        and (not allowed or type_ in allowed)
        and type_ not in excluded
    ]


def leads_away(types: Sequence[str]) -> bool:
    """Whether a method among these leads the shopper to another site."""
    return any(type_ not in _HERE for type_ in types)


_HERE = {"card", *DEBITS, *VOUCHERS}
