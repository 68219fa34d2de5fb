"""Named places at which a test may kill the process, between one step and the next.

Nothing is armed unless a process is started with PAYLOOM_CRASH_AT, and then a point costs a look at
a global. The tests kill at every point there is and see that what was written is enough to go on.
"""

import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CrashAt:
    """Die at the `passing`-th passing of the point `name`."""

    name: str
    passing: int


_armed: str | None = None
_passings_left = 0


def point(name: str) -> None:
    """Go past a place where everything may end: after a commit, before or after a call to a PSP.

    `name` is `flow.what_was_just_done`; tests find every point by reading the source.
    """
    if name == _armed:
        _pass()


def arm(at: CrashAt) -> None:
    """Send this process there to die."""
    global _armed, _passings_left
    _armed, _passings_left = at.name, at.passing


def _pass() -> None:
    global _passings_left
    _passings_left -= 1
    if _passings_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)  # no handler, no goodbye: as a power cut would
