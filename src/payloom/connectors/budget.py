"""What may be asked again: a tenth of what is asked for the first time, and a little beyond (F21).

A repetition that is answered costs nothing and earns one more, so a PSP that is back is asked
about everything that waited. While none is answered, the budget keeps a storm from forming.
"""

import math

REPEATS_MAX = 50.0  # unanswered, before the tenth counts
PER_FIRST = 0.1  # earned by each first try
ONE_EVERY_S = 10.0  # always allowed, or a quiet connection would never find out


class Budget:
    """Repetitions that one connection still may make."""

    def __init__(self) -> None:
        self.left = REPEATS_MAX
        self._last = -math.inf

    def first_try(self) -> None:
        self._add(PER_FIRST)

    def take(self, now: float) -> bool:
        """Pay for one repetition. False: it has to wait."""
        if self.left < 1 and now - self._last < ONE_EVERY_S:
            return False
        self.left = max(0.0, self.left - 1)
        self._last = now
        return True

    def not_sent(self) -> None:
        """It was paid for and did not go after all."""
        self._add(1)

    def answered(self) -> None:
        self._add(2)

    def _add(self, repetitions: float) -> None:
        self.left = min(REPEATS_MAX, self.left + repetitions)
