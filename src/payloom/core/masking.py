"""What must not be kept or shown: card numbers, their check codes, and secrets (F28, I22).

A card number is 12 to 19 digits that pass the Luhn check and begin as an issuer's numbers do, in
one piece or in groups. Order numbers, times and telephone numbers rarely look like that.
"""

import json
import re
from typing import Any
from urllib.parse import unquote

CARD, CODE, SECRET = "[card]", "[code]", "[secret]"
NOT_TAKEN = "looks like a card number, a check code or a secret, which must not be sent here"
DIGITS_MIN, DIGITS_MAX = 12, 19  # of a card number

# First digits, and how many there may be: ISO/IEC 7812 as the schemes use it.
_ISSUERS = (
    (r"4", (16, 19)),  # Visa; 13 was given up, and is how German telephone numbers look
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
    (r"3[47]", (15,)),  # American Express
    (r"30[0-5]|309|36|3[89]", (14, 15, 16, 17, 18, 19)),  # Diners Club
    (r"35|62|81|82|220[0-4]", (16, 17, 18, 19)),  # JCB, UnionPay, RuPay, Mir
    (r"6[0-1]|6[3-9]|5[06-8]", (16, 17, 18, 19)),  # Discover, RuPay, Maestro
    (r"5018|5020|5038|5893|6304|6759|676[1-37]", (12, 13, 14, 15)),  # Maestro's short ones
    (r"8600|9112|9792|9860", (16,)),  # Uzcard, Belkart, Troy, Humo
)
_BY_LENGTH = {
    length: re.compile("|".join(first for first, lengths in _ISSUERS if length in lengths))
    for length in range(DIGITS_MIN, DIGITS_MAX + 1)
}

# Where a word begins, also behind the letter of an escape such as \n in the text of bytes.
_BEGIN = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
# What people put between groups of digits, one of these at a time, or as it stands in a URL.
_GAP = "(?:%20|%2[DdEe]|%[Cc]2%[Aa]0|[ \t\u00a0\u2007\u2009\u202f._/+\u2010-\u2015\u2212-])"
_GAPS = re.compile(_GAP)
# These may look like anything.
_UUID = r"\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b"
_FRACTION = r"(?<![0-9.])0\.\d+"
_DIGITS = re.compile(
    rf"(?P<other>{_UUID}|{_FRACTION})|{_BEGIN}\d(?:{_GAP}?\d){{11,}}(?![A-Za-z0-9])"
)
_CODE_NAME = r"(?:card_?)?(?:cvc2?|cvv2?|csc|security[_ ]?code)"
_CODE = re.compile(rf"(?i)(?<![A-Za-z])({_CODE_NAME}\W{{1,6}})\d{{3,4}}(?!\d)")
_CODE_FIELD = re.compile(f"(?i){_CODE_NAME}")
_CODE_IN_BODY = re.compile(rf"(?i){_CODE_NAME}\W".encode())
_NAMED = re.compile(
    _BEGIN + r"(?:(?:sk|rk)_(?:test|live)_\w+|whsec_[\w+/=]+|ret_[A-Za-z0-9]{43}(?!\w))"
)
_KEY = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])")  # 32 bytes in base64
_PASSWORD = re.compile(r"(?<=://)([^\s:/@]*):[^\s/@]+@")

_ALL_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_MANY_ZEROS = b"0" * DIGITS_MIN
_ASCII_GAPS = b" \t\x00._/+-"
_NAMES = ("sk_", "rk_", "whsec_", "ret_")
_CODES = ("cvc", "cvv", "csc", "ecurity", "Cvc", "Cvv", "CVC", "CVV", "CSC", "ECURITY")
_HINTS = (*_NAMES, *_CODES, "=", "://", "%")
_HINTS_IN_BODY = (*(name.encode() for name in _NAMES), b"%")
_CODES_IN_BODY = tuple(name.encode() for name in _CODES)


def mask(text: str) -> str:
    """The text with card data and whatever looks like a secret blanked."""
    if not is_suspect(text):
        return text
    text = _PASSWORD.sub(rf"\1:{SECRET}@", text)
    return _KEY.sub(SECRET, _without(text))


def is_suspect(text: str) -> bool:
    """A quick look that overlooks nothing: nearly all texts hold neither digits enough for a card
    nor the beginning of a secret, and need no patterns."""
    if not text.isascii():  # there are other digits than these ten
        return True
    if _MANY_ZEROS in text.encode().translate(_ALL_TO_ZERO, _ASCII_GAPS):
        return True
    return any(map(text.__contains__, _HINTS))


def holds_card_or_secret(text: str) -> bool:
    """Whether this text must not be taken in: card data, or one of our keys and secrets."""
    if not is_suspect(text):
        return False
    plain = unquote(text)
    return _without(text) != text or _without(plain) != plain


def mask_body(body: bytes) -> bytes:
    """A body, JSON or not, with card data and our secrets blanked: the very same bytes when there
    are none, and in any case a body that is read as before."""
    if not _is_suspect_body(body):
        return body
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        text = body.replace(b"\x00", b"").decode("utf-8", "surrogateescape")
        masked_text = _without(text)
        return body if masked_text == text else masked_text.encode("utf-8", "surrogateescape")
    masked = _without_in(value)
    if masked == value:
        return body
    return json.dumps(masked, separators=(",", ":"), ensure_ascii=False).encode()


def _without(text: str) -> str:
    text = _NAMED.sub(SECRET, text)
    text = _CODE.sub(rf"\1{CODE}", text)
    return _DIGITS.sub(_without_card, text)


def _without_card(found: re.Match[str]) -> str:
    return CARD if found["other"] is None and _holds_card(found[0]) else found[0]


def _without_in(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {_without(key): _without_in(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_in(item, name) for item in value]
    if isinstance(value, bool | float | None):
        return value
    text = str(value)
    if _CODE_FIELD.fullmatch(name) and re.fullmatch(r"\d{3,4}", text):
        return CODE
    masked = _without(text)
    return value if masked == text else masked


def _is_suspect_body(body: bytes) -> bool:
    if not body.isascii() or b"\\u00" in body or b"\x00" in body:
        return True  # digits can be written so, too
    if _MANY_ZEROS in body.translate(_ALL_TO_ZERO, _ASCII_GAPS):
        return True
    if any(map(body.__contains__, _HINTS_IN_BODY)):
        return True
    return any(map(body.__contains__, _CODES_IN_BODY)) and bool(_CODE_IN_BODY.search(body))


def _holds_card(text: str) -> bool:
    """Whether some groups of digits in a row make a card number: the first may be of something
    else, as in "2 x 4242 4242 4242 4242" without the x."""
    groups = _GAPS.split(text)
    for start in range(len(groups)):
        number = ""
        for group in groups[start:]:
            number += group
            if len(number) > DIGITS_MAX:
                break
            if len(number) >= DIGITS_MIN and _is_card(number):
                return True
    return False


def _is_card(number: str) -> bool:
    digits = [int(char) for char in number]  # also of other scripts
    if not _BY_LENGTH[len(digits)].match("".join(map(str, digits))):
        return False
    digits.reverse()
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
