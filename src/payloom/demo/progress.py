"""What the terminal shows while the demo starts: a list that fills; plain lines for a file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text


@dataclass(slots=True)
class Line:
    """One thing to be done; `detail` is said when it is."""

    title: str
    detail: str = ""
    began: float | None = None
    took: float | None = None
    failed: bool = False
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="cyan"))


class Progress:
    """The list. On a terminal it is redrawn in place, elsewhere each line is printed when done."""

    def __init__(self, console: Console, titles: tuple[str, ...]) -> None:
        self._console = console
        self._lines = {title: Line(title) for title in titles}
        self._live: Live | None = None
        self._width = max(map(len, titles))

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, get_renderable=self._table, refresh_per_second=12):
            yield

    @contextmanager
    def step(self, title: str) -> Iterator[Line]:
        """Around the work; set `detail` on the line."""
        line = self._lines[title]
        line.began = time.monotonic()
        try:
            yield line
        except BaseException:
            line.failed = True
            raise
        finally:
            line.took = time.monotonic() - line.began
            if not self._console.is_terminal:
                self._console.print(self._row_of(line))

    def _table(self) -> Group:
        table = Table.grid(padding=(0, 1))
        room = self._console.width - self._width - len("✓   00.0 s ")
        for line in self._lines.values():
            detail = Text(line.detail, "dim")
            detail.truncate(max(room, 1), overflow="ellipsis")
            title = Text(line.title.ljust(self._width), "default" if line.began else "dim")
            took = Text(_seconds(line).rjust(6), "dim")
            table.add_row(self._mark(line), title, detail, took)
        return Group(Text(""), table)

    def _mark(self, line: Line) -> Text | Spinner:
        if line.began is None:
            return Text("·", "dim")
        if line.took is None:
            return line.spinner
        return Text("✗", "bold red") if line.failed else Text("✓", "bold green")

    def _row_of(self, line: Line) -> Text:
        mark = "failed" if line.failed else "ok"
        return Text(f"{mark:<6} {line.title:<{self._width}}  {line.detail}  {_seconds(line)}")


def _seconds(line: Line) -> str:
    if line.began is None:
        return ""
    return f"{(line.took if line.took is not None else time.monotonic() - line.began):.1f} s"
