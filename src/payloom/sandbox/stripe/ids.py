"""Ids with Stripe's prefixes and lengths."""

import secrets

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id(prefix: str, *, livemode: bool = False, length: int = 24) -> str:
    """`pi_…`; a checkout session's prefix also names its mode: `cs_test_…`."""
    if prefix == "cs":
        return f"cs_{'live' if livemode else 'test'}_a1{_text(58)}"
    return f"{prefix}_{_text(length)}"


def _text(length: int) -> str:
    number = int.from_bytes(secrets.token_bytes(length), "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(digits)
