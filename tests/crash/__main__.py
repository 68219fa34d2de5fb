"""`make crash N=1000`: kill payloom so often, see that it always goes on, and say where it died."""

import argparse
import os
import secrets
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import payloom
from payloom.core import log
from tests.crash.aims import POINTS
from tests.crash.run import Told, run
from tests.scenarios.invariants import table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--point", action="append", choices=POINTS, help="only this; repeat it")
    asked = parser.parse_args()
    # Lives are forks of a process that finds its modules as we do.
    os.environ["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    log.configure("WARNING", process="crash")
    screen = Console()
    where = Path(payloom.__file__).parents[1]
    screen.print(f"seed {asked.seed}, payloom in {where}", highlight=False, soft_wrap=True)
    columns = (TextColumn("killed"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        bar = progress.add_task("killed", total=asked.kills)
        told = run(
            asked.kills,
            asked.seed,
            asked.point or (),
            lambda killed: progress.update(bar, completed=killed),
        )
    screen.print(_table(told))
    if told.findings:
        screen.print(table(told.findings), markup=False, highlight=False, soft_wrap=True)
    return int(bool(told.findings))


def _table(told: Told) -> Table:
    shown = Table("where", "killed there", "sent there")
    for place in told.aims.places:
        shown.add_row(place, str(told.aims.hit[place]), str(told.aims.tried[place]))
    shown.caption = f"{told.aims.killed} killed in {told.seconds:.0f} s"
    return shown


if __name__ == "__main__":
    sys.exit(main())
