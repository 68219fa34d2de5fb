"""How often a PSP's event list is read: soon enough for the shop, seldom enough for the PSP.

Reads fill a bucket that empties evenly over the time for which the PSP grants its allowance. While
it is less than half full the list is read every PERIOD; after that at the pace that the PSP grants.
"""

from datetime import timedelta

from payloom.connectors.spec import ReadAllowance

PERIOD = timedelta(seconds=20)  # twice within the minute in which the truth must be here
IDLE_PERIOD = timedelta(hours=1)  # nothing is in flight; a refund may still come back
COUNTED_PAYMENTS_MAX = 400  # more allow a faster pace than we ever take
_SHARE = 0.9  # of what the PSP grants; look-ups take the rest


def granted(allowance: ReadAllowance, payments: int) -> float:
    """Reads over `allowance.over`, with so many payments in that time."""
    return _SHARE * max(allowance.at_least, allowance.per_payment * payments)


def left_over(reads: float, allowance: ReadAllowance, payments: int, passed: timedelta) -> float:
    """What is still in the bucket after this time."""
    forgotten = granted(allowance, payments) * (passed / allowance.over)
    return max(0.0, reads - forgotten)


def pause(reads: float, allowance: ReadAllowance | None, payments: int) -> timedelta:
    """How long to wait before the next read."""
    if allowance is None or reads <= granted(allowance, payments) / 2:
        return PERIOD
    return max(PERIOD, allowance.over / granted(allowance, payments))
