"""A point kills where it is wanted, really, and nowhere else."""

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.crash

PASSING = """
from payloom.core.points import CrashAt, arm, point

{arming}
for number in range(1, 4):
    print(number, flush=True)
    point("story.told")
    point("story.heard")
"""


def passed(arming: str = "") -> tuple[int, str]:
    """How a process ends that passes two points three times each, and what it got done."""
    done = subprocess.run(
        [sys.executable, "-c", PASSING.format(arming=arming)], capture_output=True, text=True
    )
    return done.returncode, "".join(done.stdout.split())


def test_nothing_happens_at_a_point_unless_it_is_armed() -> None:
    assert passed() == (0, "123")


def test_another_point_than_the_armed_one_is_passed_unharmed() -> None:
    assert passed('arm(CrashAt("story.forgotten", 1))') == (0, "123")


@pytest.mark.parametrize("passing", [1, 2, 3])
def test_the_process_is_killed_at_that_passing_of_the_armed_point(passing: int) -> None:
    code, done = passed(f'arm(CrashAt("story.heard", {passing}))')

    assert (code, done) == (-signal.SIGKILL, "123"[:passing])


def test_a_passing_that_never_comes_kills_nobody() -> None:
    assert passed('arm(CrashAt("story.told", 4))') == (0, "123")
