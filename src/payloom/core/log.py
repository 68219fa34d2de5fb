"""Structured logs: facts, one JSON object a line, one correlation id from request to delivery.

Texts that look like a card number or a secret are masked in every line, whatever wrote it (F28).
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# Where a word begins, also behind the letter of an escape such as \n in the text of bytes.
_BEGIN = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
_SECRET = re.compile(_BEGIN + r"(?:(?:sk|rk)_(?:test|live)_\w+|whsec_[\w+/=]+)")
_DIGITS = re.compile(_BEGIN + r"\d(?:[ -]?\d){11,}(?![A-Za-z0-9])")

DIGITS_MIN, DIGITS_MAX = 12, 19  # of a card number


def configure(level: str = "INFO", *, process: str = "") -> None:
    """Set up logging for this process; call once, before the first line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False),
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
    text = _SECRET.sub("[secret]", text)
    return _DIGITS.sub(lambda found: "[card]" if _holds_card(found[0]) else found[0], text)


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


def _mask(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for key, value in line.items():
        if isinstance(value, bool | float | None):
            continue
        masked = mask(str(value))
        if not isinstance(value, int) or masked != str(value):
            line[key] = masked
    return line


class _Masked(logging.Formatter):
    """For the lines of libraries."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))
