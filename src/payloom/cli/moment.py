"""Moments as people name them on a command line."""

import re
from datetime import UTC, datetime, timedelta

from payloom.cli.failing import ASKED_WRONGLY, Failure

_AGO = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

HELP = "30m, 2h or 7d ago, or a time like 2026-11-22T10:00:00Z."


def moment(text: str, now: datetime) -> datetime:
    """`2h` is two hours before `now`; a time without a zone is in UTC."""
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(f"{text!r} is no moment: say {HELP}", ASKED_WRONGLY) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
