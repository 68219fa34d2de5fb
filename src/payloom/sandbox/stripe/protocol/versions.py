"""API versions: which exist, and what differs between them."""

import re
from datetime import date
from functools import lru_cache

DEFAULT = "2026-08-26.dahlia"  # for clients that send none: the last before endive
LATEST = "2026-10-28.endive"

# first date of each named release; before the first name a version is a bare date
_RELEASES = (
    ("endive", "2026-09-30"),
    ("dahlia", "2026-03-25"),
    ("clover", "2025-09-30"),
    ("basil", "2025-03-31"),
    ("acacia", "2024-09-30"),
    ("", "2011-01-01"),
)
_VERSION = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.([a-z]+))?")


@lru_cache(maxsize=256)
def is_known(version: str) -> bool:
    """Whether such a version was released: the name must be the one of its date."""
    match = _VERSION.fullmatch(version)
    if match is None or match[1] > LATEST[:10]:
        return False
    try:
        date.fromisoformat(match[1])
    except ValueError:
        return False
    return (match[2] or "") == _release_of(match[1])


def takes_payment_method_types(version: str) -> bool:
    return version < "2026-09-30"


def ui_modes(version: str) -> tuple[str, ...]:
    """The values of `ui_mode`; the first is the default."""
    if version < "2026-03-25":
        return ("hosted", "embedded", "custom")
    return ("hosted_page", "embedded_page", "elements", "form")


def _release_of(day: str) -> str:
    return next((name for name, first in _RELEASES if day >= first), "?")
