"""Business time: real time plus one offset that a test may move forward.

Leases and timeouts never use it (database and monotonic clocks do); signatures always carry real
time. Flows call `rt.clock()` once and hand the value on.
"""

from datetime import UTC, datetime, timedelta


class Clock:
    """What time it is for the business. `offset` follows the row in `business_clock`."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return real_now() + self.offset


def real_now() -> datetime:
    """The wall clock, aware and in UTC: for signatures, and as the clock's base."""
    return datetime.now(UTC)


def rfc3339(at: datetime) -> str:
    """`2026-11-22T10:15:30.123Z`, the one form in which times leave us."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
