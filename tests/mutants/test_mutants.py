"""For every invariant a bug that breaks it, and only its own check goes red.

A patch is named after its invariant and begins with the bug it plants. It is applied to a copy of
the package, migrations included, and a story is played on that in a process of its own.

A patch that no longer applies: make the change again in src, `git diff -U1 --relative=src`, put
the text under its first line, and undo the change.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import database as server

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PATCHES = sorted(HERE.glob("*.patch"))
PROMISED = {f"I{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 19)}
STORY_S_MAX = 60


@dataclass(frozen=True)
class Played:
    """What a story told, and all it printed for whoever must find out why."""

    told: dict[str, Any]
    printed: str


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package as it is, where it may be broken."""
    ignored = shutil.ignore_patterns("__pycache__", "shop", "sandbox")
    shutil.copytree(REPOSITORY / "src" / "payloom", tmp_path / "payloom", ignore=ignored)
    return tmp_path


@pytest.fixture
async def empty_database(template: str) -> AsyncIterator[str]:
    """Nothing in it: the copy brings its own migrations. The roles came with the template."""
    async with server.clone("template0") as name:
        yield name


def test_the_story_is_green_on_the_code_as_it_is(
    copy: Path, empty_database: str, sandbox_url: str
) -> None:
    played = play(copy, empty_database, sandbox_url)

    assert played.told["red"] == [], played.printed
    # and it was not green because nothing happened
    ends = ["SUCCEEDED", "SUCCEEDED", "PENDING", "PENDING", "CANCELED"]
    assert played.told["statuses"] == ends
    assert played.told["deliveries"] == 9


@pytest.mark.parametrize("patch", PATCHES, ids=[patch.stem for patch in PATCHES])
def test_a_planted_bug_turns_its_own_check_red(
    patch: Path, copy: Path, empty_database: str, sandbox_url: str
) -> None:
    apply(patch, copy)

    played = play(copy, empty_database, sandbox_url)

    assert played.told["red"] == [patch.stem.split("_")[0]], played.printed


def test_every_promised_invariant_has_a_bug_that_breaks_it() -> None:
    assert {patch.stem.split("_")[0] for patch in PATCHES} == PROMISED


def test_every_patch_says_first_what_it_plants() -> None:
    for patch in PATCHES:
        first = patch.read_text().splitlines()[0]
        assert first.endswith("."), f"{patch.name} begins with {first!r}"
        assert not first.startswith(("diff", "---")), f"{patch.name} begins with {first!r}"


def test_a_patch_that_does_not_apply_is_refused(copy: Path, tmp_path: Path) -> None:
    stale = tmp_path / "I0_stale.patch"
    stale.write_text(PATCHES[0].read_text().replace("\n ", "\n gone since: "))

    with pytest.raises(AssertionError, match=r"I0_stale\.patch no longer applies"):
        apply(stale, copy)


def apply(patch: Path, copy: Path) -> None:
    done = subprocess.run(
        ["git", "apply", "-p1", "-C1", str(patch)], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{patch.name} no longer applies:\n{done.stderr}"


def play(copy: Path, database: str, sandbox_url: str) -> Played:
    """The story on the copy, with nothing of the repository's own package in reach."""
    environ = {
        **os.environ,
        "PYTHONPATH": f"{copy}{os.pathsep}{REPOSITORY}",
        "STORY_OWNER_DSN": server.dsn_of("owner", database),
        "STORY_APP_DSN": server.dsn_of("app", database),
        "STORY_SANDBOX_URL": sandbox_url,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants.story"],
        cwd=copy, env=environ, capture_output=True, text=True, timeout=STORY_S_MAX,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["payloom"] == str(copy / "payloom"), "the story ran on another copy"
    return Played(told, printed)
