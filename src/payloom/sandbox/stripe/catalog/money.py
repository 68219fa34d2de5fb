"""Amounts as people read them, in the decimals of their currency."""

from payloom.sandbox.stripe.catalog.currencies import plain

_SYMBOLS = {
    "aud": "A$", "brl": "R$", "cad": "CA$", "cny": "CN¥", "eur": "€", "gbp": "£", "hkd": "HK$",
    "ils": "₪", "inr": "₹", "jpy": "¥", "krw": "₩", "mxn": "MX$", "nzd": "NZ$", "php": "₱",
    "twd": "NT$", "usd": "$", "vnd": "₫",
}  # fmt: skip


def money(amount: int, currency: str) -> str:
    """`€49.99`, `¥5,000`; a currency without a well-known sign by its code: `KWD 1.230`."""
    sign = _SYMBOLS.get(currency)
    number = plain(amount, currency)
    # a no-break space: the code must not be parted from its number
    return f"{sign}{number}" if sign else f"{currency.upper()}\u00a0{number}"
