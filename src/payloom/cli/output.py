"""What commands print: for people by rich, for scripts as JSON."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

WIDTH_OF_FILES = 200  # nobody folds lines for a file or a pipe


def console(*, stderr: bool = False) -> Console:
    """Where to print; colours only on a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH_OF_FILES
    return Console(file=stream, width=width, highlight=False)


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def print_facts(facts: Mapping[str, Any], *, as_json: bool, note: str = "") -> None:
    """Names and values, each on a line that can be copied whole."""
    if as_json:
        print_json(dict(facts))
        return
    out, longest = console(), max(map(len, facts))
    for name, value in facts.items():
        line = Text(name.ljust(longest + 2), "dim")
        line.append(_cell(value), "default")
        out.print(line, soft_wrap=True)
    if note:
        out.print(Text(note, "yellow"))


def print_list(
    rows: Sequence[Mapping[str, Any]], *, as_json: bool, columns: Sequence[str], nothing: str
) -> None:
    """`{"data": [...]}`, or a table of the named columns."""
    if as_json:
        print_json({"data": [dict(row) for row in rows]})
        return
    if not rows:
        console().print(Text(nothing, "dim"))
        return
    shown = [[column.replace("_", " ") for column in columns]]
    shown += [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    out = console()
    for number, cells in enumerate(shown):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        # Never folded: an id in two pieces cannot be copied.
        out.print(Text("  ".join(padded).rstrip(), "default" if number else "bold"), soft_wrap=True)


@contextmanager
def counted(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr around long work, which says what it has done; only on a terminal."""
    from rich.progress import Progress

    screen = console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def _cell(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
