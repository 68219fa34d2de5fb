"""Stops asking a PSP that does not answer, and finds out when it does again.

Closed, it lets everything pass. Open, nothing, for a pause that doubles. After the pause one call
may probe: answered, it closes; unanswered, the next pause begins. What it holds back is not sent,
which says nothing about any payment (S30).
"""

from collections import deque

TRIP_AT, OF_LAST = 10, 20  # so many of the last so many calls without an answer
PAUSE_S, PAUSE_S_MAX = 1.0, 10.0
PROBE_WAIT_S = 1.0  # others wait so long for the answer to a probe, then they are held back too
FORGOTTEN_S = 60.0  # after a pause that nobody ended with a probe


class Breaker:
    """One connection's. Each question returns at once; `now` is monotonic."""

    def __init__(self, *, trip_at: int = TRIP_AT) -> None:
        self.is_closed = True
        self._trip_at = trip_at
        self._failed: deque[bool] = deque(maxlen=OF_LAST)
        self._failures = 0
        self._pause_s = PAUSE_S
        self._probe_at = 0.0
        self._probing_since: float | None = None

    def lets_pass(self, now: float) -> bool:
        """A call may go now; the first one after a pause is the probe."""
        return self.is_closed or (self._probing_since is None and now >= self._probe_at)

    def holds_back(self, now: float) -> bool:
        """There is nothing to wait for."""
        if self.is_closed:
            return False
        if self._probing_since is None:
            return now < self._probe_at
        return now >= self._probing_since + PROBE_WAIT_S

    def is_failing(self, now: float) -> bool:
        """It is open, and somebody still wants to know."""
        return not self.is_closed and now < self._probe_at + FORGOTTEN_S

    def begin(self, now: float) -> bool:
        """A call goes; True: it is the probe."""
        if self.is_closed:
            return False
        self._probing_since = now
        return True

    def answered(self, *, is_probe: bool) -> bool:
        """True: this closed it."""
        if self.is_closed:
            self._note(failed=False)
        elif is_probe:
            self.is_closed = True
            self._probing_since = None
            self._pause_s = PAUSE_S
            return True
        return False

    def failed(self, now: float, *, is_probe: bool) -> bool:
        """True: this opened it."""
        if self.is_closed:
            self._note(failed=True)
            if self._failures < self._trip_at:
                return False
            self._failed.clear()
            self._failures = 0
            self.is_closed = False
            self._pause(now)
            return True
        if is_probe:
            self._pause(now)
        return False

    def abandoned(self, *, is_probe: bool) -> None:
        """Nobody waited for the answer: the next call probes instead."""
        if is_probe:
            self._probing_since = None

    def _pause(self, now: float) -> None:
        self._probing_since = None
        self._probe_at = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, PAUSE_S_MAX)

    def _note(self, *, failed: bool) -> None:
        if len(self._failed) == OF_LAST:
            self._failures -= self._failed[0]
        self._failed.append(failed)
        self._failures += failed
