"""Two flows on one order, in every order of their statements: one end (F30, F44, F48, F79; I14)."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import cluster_dsn
from tests.mutants.planting import apply, copied, run_on
from tests.weave.explore import explore
from tests.weave.ground import open_ground
from tests.weave.pairs import PAIRS, Pair

pytestmark = pytest.mark.timeout(1_800)

PATIENCE_S = 1_500


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.name for pair in PAIRS])
async def test_every_order_of_steps_leads_to_one_end(
    dsn: str, database: str, pair: Pair, record_property: Callable[[str, object], None]
) -> None:
    async with open_ground(dsn, cluster_dsn("owner", database)) as ground:
        explored = await explore(ground, pair, pair.switches)

    record_property("schedules", explored.schedules)
    # and it was not green because nothing happened
    assert explored.schedules > 3
    assert bool(explored.with_waiting) == pair.waits


def test_a_lock_that_is_not_taken_is_found_with_the_order_of_steps(
    template: str, tmp_path: Path
) -> None:
    """The database refuses what comes of it, and another try mends that: found all the same."""
    copy = copied(tmp_path, "shop", "sandbox")
    apply(Path(__file__).parent / "planted" / "order_not_locked.patch", copy)

    words = ("--only", "the answer is recorded x notices are applied")
    done = run_on(copy, "tests.weave", *words, timeout_s=PATIENCE_S)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "notices.batch_broken" in done.stdout
    assert re.search(r"^ +one +PSP register$", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^ +other +ROLLBACK$", done.stdout, re.MULTILINE), done.stdout
