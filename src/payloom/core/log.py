"""Structured logs: facts, one JSON object a line, one correlation id from request to delivery.

Texts that look like a card number or a secret are masked in every line, whatever wrote it (F28).
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from payloom.core.masking import is_suspect, mask

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
    mask_others()


def mask_others() -> None:
    """What reaches the root logger, as the lines of libraries do, goes out masked."""
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(_Masked("%(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[others])


def _render(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> str:
    """The line as JSON: looked at as a whole, and fact by fact only when it is suspect."""
    for key, value in line.items():
        if not isinstance(value, str | int | float | None):
            line[key] = str(value)
    text = _encode(line)
    if is_suspect(text):
        text = _encode({key: _masked(value) for key, value in line.items()})
    return text


def _masked(value: object) -> object:
    """A whole number stays one unless there is something to hide; a fraction is no card."""
    masked = mask(str(value))
    return value if isinstance(value, float) or masked == str(value) else masked


class _Masked(logging.Formatter):
    """The whole line, with the error that it tells of."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))
