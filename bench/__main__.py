"""`python -m bench [--quick] [--json FILE]`: measure, show, and fail if a payment got lost."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.programs import NotRunning
from bench.report import show
from bench.result import Result
from bench.run import Options, run
from bench.targets import verdicts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure a whole payloom.")
    parser.add_argument("--quick", action="store_true", help="a quarter of the time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there, too")
    parser.add_argument("--in-flight", type=int, default=64, help="shoppers at once, to saturate")
    parser.add_argument(
        "--with-return", action="store_true", help="shoppers also come back to the shop"
    )
    asked = parser.parse_args()
    console = Console()
    options = Options(asked.quick, asked.in_flight, asked.with_return)
    try:
        result = run(options, console)
    except NotRunning as broken:
        console.print(f"[red]{broken}", highlight=False)
        return 1
    show(console, result)
    if asked.json is not None:
        _write(result, asked.json)
    return 0 if result.outcome.is_good else 1


def _write(result: Result, path: Path) -> None:
    targets = [{**asdict(each), "is_met": each.is_met} for each in verdicts(result)]
    path.write_text(json.dumps({**asdict(result), "targets": targets}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
