"""Ids with Stripe's prefixes and lengths."""

import secrets
import string

_DIGITS = (string.digits + string.ascii_letters).encode()
# some digits are a little likelier than others, which makes no id guessable
_DIGIT_OF_BYTE = bytes(_DIGITS[byte % len(_DIGITS)] for byte in range(256))


def new_id(prefix: str, *, livemode: bool = False, length: int = 24) -> str:
    """`pi_…`; a checkout session's prefix also names its mode: `cs_test_…`."""
    if prefix == "cs":
        return f"cs_{'live' if livemode else 'test'}_a1{_text(58)}"
    return f"{prefix}_{_text(length)}"


def _text(length: int) -> str:
    return secrets.token_bytes(length).translate(_DIGIT_OF_BYTE).decode()
