"""Structured logs: facts, one JSON object a line, one correlation id from request to delivery.

Texts that look like a card number or a secret are masked in every line, whatever wrote it (F28).
"""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Where a word begins, also behind the letter of an escape such as \n in the text of bytes.
_BEGIN = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
_SECRET = re.compile(_BEGIN + r"(?:(?:sk|rk)_(?:test|live)_\w+|whsec_[\w+/=]+)")
_DIGITS = re.compile(_BEGIN + r"\d(?:[ -]?\d){11,}(?![A-Za-z0-9])")

DIGITS_MIN, DIGITS_MAX = 12, 19  # of a card number
_ALL_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_MANY_ZEROS = b"0" * DIGITS_MIN

_encode = json.JSONEncoder(ensure_ascii=False).encode


def configure(level: str = "INFO", *, process: str = "") -> None:
    """Set up logging for this process; call once, before the first line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    if process:
        structlog.contextvars.bind_contextvars(process=process)
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(_Masked("%(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[others])


def mask(text: str) -> str:
    """The text with secrets and card-like numbers (12 to 19 digits that pass Luhn) blanked."""
    if not _is_suspect(text):
        return text
    text = _SECRET.sub("[secret]", text)
    return _DIGITS.sub(lambda found: "[card]" if _holds_card(found[0]) else found[0], text)


def _is_suspect(text: str) -> bool:
    """A quick look that overlooks nothing: nearly all texts hold neither digits enough for a card
    nor the beginning of a secret, and need no patterns."""
    return (
        not text.isascii()  # there are other digits than these ten
        or _MANY_ZEROS in text.encode().translate(_ALL_TO_ZERO, b" -")
        or "sk_" in text
        or "rk_" in text
        or "whsec_" in text
    )


def _holds_card(text: str) -> bool:
    """Whether some groups of digits in a row make a card number: the first may be of something
    else, as in "2 x 4242 4242 4242 4242" without the x."""
    groups = re.split("[ -]", text)
    for start in range(len(groups)):
        number = ""
        for group in groups[start:]:
            number += group
            if len(number) > DIGITS_MAX:
                break
            if len(number) >= DIGITS_MIN and _luhn(number):
                return True
    return False


def _luhn(number: str) -> bool:
    digits = [int(char) for char in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _render(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> str:
    """The line as JSON: looked at as a whole, and fact by fact only when it is suspect."""
    for key, value in line.items():
        if not isinstance(value, str | int | float | None):
            line[key] = str(value)
    text = _encode(line)
    if _is_suspect(text):
        text = _encode({key: _masked(value) for key, value in line.items()})
    return text


def _masked(value: object) -> object:
    """A whole number stays one unless there is something to hide; a fraction is no card."""
    masked = mask(str(value))
    return value if isinstance(value, float) or masked == str(value) else masked


class _Masked(logging.Formatter):
    """For the lines of libraries."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))
