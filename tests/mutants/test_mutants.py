"""For every invariant a bug that breaks it, and only its own check goes red.

A patch is named after its invariant and begins with the bug it plants. It is applied to a copy of
the package, migrations included, and a story is played on that in a process of its own.

A patch that no longer applies: make the change again in src, `git diff -U1 --relative=src`, put
the text under its first line, and undo the change.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import database as server
from tests.mutants.planting import apply, copied, run_on

HERE = Path(__file__).parent
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
    return copied(tmp_path, "shop", "sandbox")


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


def play(copy: Path, database: str, sandbox_url: str) -> Played:
    """The story on the copy, with nothing of the repository's own package in reach."""
    done = run_on(
        copy,
        "tests.mutants.story",
        timeout_s=STORY_S_MAX,
        STORY_OWNER_DSN=server.dsn_of("owner", database),
        STORY_APP_DSN=server.dsn_of("app", database),
        STORY_SANDBOX_URL=sandbox_url,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["payloom"] == str(copy / "payloom"), "the story ran on another copy"
    return Played(told, printed)
