"""Operators hear of notices that are unlike those we know: each counts, each kind is logged once.

A PSP brings new types and versions without asking. Nothing stops for that, but somebody must look.
"""

import structlog

from payloom.core import ids
from payloom.core.metrics import NOTICE_DRIFT
from payloom.notices.queries import Stored

log = structlog.get_logger()

REMEMBERED_MAX = 1_000
_told: set[tuple[str, str]] = set()  # by this process


def tell_drift(notice: Stored, drift: str) -> None:
    """Count it, and log it if its type was not seen to drift like this before."""
    NOTICE_DRIFT.inc()
    if (notice.type, drift) in _told or len(_told) >= REMEMBERED_MAX:
        return
    _told.add((notice.type, drift))
    log.warning(
        "notice.drifted",
        notice=ids.text("ntc", notice.id),
        connection=ids.text("con", notice.connection_id),
        type=notice.type,
        drift=drift,
    )
