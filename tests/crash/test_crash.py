"""Two hundred deaths by SIGKILL, at every point and between: nothing is lost, nothing done twice.

F11 to F14, F26, F43, F47, F53, F55, F64 and F83, on a database with fsync on. `make crash N=1000`
runs the same for longer.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.aims import POINTS, UNREACHED, points_in_source
from tests.mutants.planting import REPOSITORY, apply, copied, run_on

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3_600)]

KILLS = 200
PATIENCE_S = 3_000
PLANTED = sorted((Path(__file__).parent / "planted").glob("*.patch"))
BROKEN_BY = {"delivery.claimed": "I16", "register.placed": "I4"}


def crash(*words: str) -> tuple[int, str]:
    """How a run ends, and all it says."""
    command = [sys.executable, "-m", "tests.crash", *words]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ, capture_output=True, text=True, timeout=PATIENCE_S
    )
    return done.returncode, done.stdout + done.stderr


def test_nothing_is_lost_by_two_hundred_kills() -> None:
    code, said = crash("--kills", str(KILLS))

    assert code == 0, said
    killed = re.search(r"(\d+) killed in", said)
    assert killed, said
    assert int(killed[1]) >= KILLS


def test_the_tables_of_points_name_those_in_the_source() -> None:
    assert set(points_in_source()) == set(POINTS) | set(UNREACHED)
    assert not set(POINTS) & set(UNREACHED)


def test_a_run_fails_that_did_not_kill_at_its_point() -> None:
    code, said = crash("--kills", "0", "--point", "notice.stored")

    assert code == 1, said
    assert re.search(r"sometimes +notice\.stored +nobody was killed there", said), said


@pytest.mark.parametrize("patch", PLANTED, ids=[patch.stem for patch in PLANTED])
def test_a_bug_planted_at_a_point_is_found_by_killing_there(patch: Path, tmp_path: Path) -> None:
    copy = copied(tmp_path)
    apply(patch, copy)

    done = run_on(copy, "tests.crash", "--kills", "5", "--point", patch.stem, timeout_s=PATIENCE_S)

    said = done.stdout + done.stderr
    assert f"payloom in {copy}" in said
    found = set(re.findall(r"^(I\d+|sometimes) ", said, re.MULTILINE))
    assert (done.returncode, found) == (1, {BROKEN_BY[patch.stem]}), said
