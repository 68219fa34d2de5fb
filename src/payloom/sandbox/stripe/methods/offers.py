"""Which methods of payment the page offers: by currency, less what the session rules out.

What Stripe has besides is known by name and never offered, as in an account that has it off.
"""

from collections.abc import Sequence

from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.redirects import ANY, REDIRECTS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS


def _of_kind(*kinds: str) -> dict[str, frozenset[str]]:
    return {row.type: row.currencies for row in REDIRECTS.values() if row.kind in kinds}


# in the order of the page
CURRENCIES: dict[str, frozenset[str]] = {
    "card": ANY,
    **_of_kind("wallet", "code"),
    **_of_kind("bank"),
    "sepa_debit": frozenset({"eur"}),
    "us_bank_account": frozenset({"usd"}),
    "bacs_debit": frozenset({"gbp"}),
    "au_becs_debit": frozenset({"aud"}),
    "acss_debit": frozenset({"cad", "usd"}),
    "nz_bank_account": frozenset({"nzd"}),
    **_of_kind("later"),
    "boleto": frozenset({"brl"}),
    "konbini": frozenset({"jpy"}),
    "multibanco": frozenset({"eur"}),
    "oxxo": frozenset({"mxn"}),
}
TITLES = {
    "card": "Card",
    **{debit.type: debit.title for debit in DEBITS.values()},
    **{redirect.type: redirect.title for redirect in REDIRECTS.values()},
    **{voucher.type: voucher.title for voucher in VOUCHERS.values()},
}
IS_ON = frozenset(type_ for type_ in CURRENCIES if type_ not in REDIRECTS or REDIRECTS[type_].is_on)
CAPTURES_LATER = frozenset(
    {"card", *(row.type for row in REDIRECTS.values() if row.captures_later)}
)


def offered(
    currency: str,
    allowed: Sequence[str],
    excluded: Sequence[str],
    *,
    manual: bool = False,
    redirects: bool = True,
) -> list[str]:
    """Types in the order of the page; an allowed one that does not fit is dropped silently.

    `manual`: only those that can be authorized now and captured later. Without `redirects`: only
    those that leave the shopper where they are.
    """
    return [
        type_
        for type_, currencies in CURRENCIES.items()
        if (not currencies or currency in currencies)
        and type_ in (allowed or IS_ON)
        and type_ not in excluded
        and (not manual or type_ in CAPTURES_LATER)
        and (redirects or not leads_away([type_]))
    ]


def leads_away(types: Sequence[str]) -> bool:
    """Whether a method among these leads the shopper to another site; a code does not."""
    return any(type_ in REDIRECTS and REDIRECTS[type_].kind != "code" for type_ in types)
