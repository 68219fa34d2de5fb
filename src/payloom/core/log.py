"""Structured logs: facts, one JSON object a line, one correlation id from request to delivery.

Texts that look like a card number or a secret are masked in every line, whatever wrote it (F28).
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_SECRET = re.compile(r"\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_[\w+/=]+")
_DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d){11,18}(?![\w.])")


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
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s %(message)s")


def mask(text: str) -> str:
    """The text with secrets and card-like numbers (12 to 19 digits that pass Luhn) blanked."""
    text = _SECRET.sub("[secret]", text)
    return _DIGITS.sub(lambda found: "[card]" if _luhn(found[0]) else found[0], text)


def _luhn(text: str) -> bool:
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _mask(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = mask(value)
        elif isinstance(value, (dict, list, tuple, bytes, Exception)):
            line[key] = mask(str(value))
    return line
