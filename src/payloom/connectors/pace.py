"""How fast, and how many at once: both rise slowly and fall by half or so at a bad sign (AIMD).

What a PSP publishes is a ceiling only: other processes and programs may use the same account.
Signs that came of calls begun before the last fall are old news and change nothing.
"""

import math
from dataclasses import dataclass

UNPUBLISHED_PER_S = 1_000.0
SUSTAINED, BURST = 0.8, 0.2  # of the ceiling: so no second holds more than all of it
# What the rate gains in a second, and what "too many requests" leaves of it. A call that may be
# told so waits 1/rate seconds for its turn, so the rate never falls below one a second.
FASTER_PER_S, SLOWER = 1.0, 0.5
# Calls of one connection on their way; with fewer than the least, a slow PSP would be a dead one.
AT_ONCE_MAX, AT_ONCE_MIN = 64, 16
NARROWER = 0.7  # what a slow or missing answer leaves of the window
SLOW_S = 5.0  # from here on an answer is a sign that there are too many of us

_DUST = 1e-9  # floats add up to a little less than they should


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls a second that a PSP grants to one account, by its own documents."""

    account: float = UNPUBLISHED_PER_S
    endpoint: float = UNPUBLISHED_PER_S

    def share(self, percent: int) -> "Rates":
        """What one of several processes takes of it, or what was granted beyond it."""
        return Rates(self.account * percent / 100, self.endpoint * percent / 100)


class Bucket:
    """Calls a second: tokens fall in at the present rate, a call takes one."""

    def __init__(self, per_s: float, now: float) -> None:
        self.rate = self._rate_max = per_s * SUSTAINED
        self._tokens = self._tokens_max = max(1.0, per_s * BURST)
        self._filled_at = now
        self._cut_at = -math.inf

    def wait_s(self, now: float) -> float:
        """How long until a call may go; 0 is now."""
        passed = now - self._filled_at
        self._filled_at = now
        self._tokens = min(self._tokens_max, self._tokens + passed * self.rate)
        self.rate = min(self._rate_max, self.rate + passed * FASTER_PER_S)
        missing = 1 - self._tokens
        return missing / self.rate if missing > _DUST else 0.0

    def take(self) -> None:
        self._tokens -= 1

    def slow_down(self, began: float, now: float) -> bool:
        """A call that began then was told that there were too many. False: old news."""
        if began < self._cut_at:
            return False
        self.rate *= SLOWER
        self._tokens = min(0.0, self._tokens)
        self._cut_at = now
        return True


class Window:
    """How many calls may be on their way at once."""

    def __init__(self) -> None:
        self.size = float(AT_ONCE_MAX)
        self.used = 0
        self._cut_at = -math.inf

    def has_room(self) -> bool:
        return self.used < self.size

    def widen(self) -> None:
        """A good answer came: one more for each window full of them."""
        if self.size < AT_ONCE_MAX:
            self.size = min(float(AT_ONCE_MAX), self.size + 1 / self.size)

    def narrow(self, began: float, now: float) -> None:
        """A call that began then was answered late or never. If we are few, it is not our doing."""
        if began >= self._cut_at and self.used >= self.size / 2:
            self.size = max(float(AT_ONCE_MIN), self.size * NARROWER)
            self._cut_at = now
