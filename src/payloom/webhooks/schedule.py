"""When a delivery that failed is tried again, and when an endpoint is given up (F56)."""

from datetime import datetime, timedelta

# Quickly at first, then ever more rarely: the pause after the first failed try, after the second,
# and so on. 12 tries in three days.
PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def next_try(tries: int, now: datetime, chance: float) -> datetime | None:
    """When to try again after `tries` failed ones; None when that was the last.

    `chance` (0 to 1, evenly spread) puts the try anywhere from half the pause to one and a half:
    as wide as the pause itself, so that what failed together does not come back together, while
    the promise of three days still holds on average.
    """
    if tries > len(PAUSES):
        return None
    return now + PAUSES[tries - 1] * (0.5 + chance)


# An endpoint is switched off when both are reached without a success in between: a busy one is not
# for a bad hour, and a quiet one not for a few events that it does not like.
FAILURES_MIN = 20
FAILING_MIN = timedelta(days=5)

GONE = 410  # an answer by which an endpoint asks to be switched off, says Standard Webhooks


def is_given_up(failures: int, failing_since: datetime | None, now: datetime) -> bool:
    """Whether so many failed tries, the first of them then, are enough."""
    if failing_since is None or failures < FAILURES_MIN:
        return False
    return now - failing_since >= FAILING_MIN
