"""`make weave`: every pair through its schedules, and a table of how many there were."""

import argparse
import asyncio
import sys
import time

from rich.console import Console
from rich.table import Table

from payloom.core import log
from tests import database as server
from tests.weave.explore import Explored, WrongEnd, explore
from tests.weave.ground import open_ground
from tests.weave.pairs import PAIRS, Pair


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.weave", description=__doc__)
    parser.add_argument("--only", default="", help="pairs whose name has these words in it")
    parser.add_argument("--switches", type=int, help="for all, instead of each pair's own bound")
    asked = parser.parse_args()
    log.configure("ERROR", process="weave")
    shown = Table("pair", "schedules", "bound", "with waiting", "seconds")
    owns_home = server.name_home()
    try:
        template = server.make_template()
        for pair in PAIRS:
            if asked.only in pair.name:
                began = time.monotonic()
                explored = asyncio.run(_explored(template, pair, asked.switches))
                _add(shown, pair, explored, time.monotonic() - began)
    except WrongEnd as wrong:
        print(wrong)
        return 1
    finally:
        if owns_home:
            server.remove_home()
    Console().print(shown)
    return 0


async def _explored(template: str, pair: Pair, switches: int | None) -> Explored:
    async with (
        server.clone(template) as name,
        open_ground(server.dsn_of("app", name), server.dsn_of("owner", name)) as ground,
    ):
        return await explore(ground, pair, pair.switches if switches is None else switches)


def _add(shown: Table, pair: Pair, explored: Explored, seconds: float) -> None:
    bound = "all there are" if explored.is_all else f"{explored.switches} switches"
    counts = (str(explored.schedules), bound, str(explored.with_waiting))
    shown.add_row(pair.name, *counts, f"{seconds:.1f}")


if __name__ == "__main__":
    sys.exit(main())
