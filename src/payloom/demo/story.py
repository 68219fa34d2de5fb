"""The nine steps of a payment on the terminal, each as soon as it has happened."""

from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.text import Text

LAST = 9
INDENT = 4
WIDTH_MAX = 100


class Story:
    """Tells each step once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[int] = set()
        self._first: datetime | None = None

    @property
    def is_complete(self) -> bool:
        return len(self._told) == LAST

    def tell(self, steps: Sequence[dict[str, Any]], *, is_over: bool) -> None:
        """What is new. The last step is a chain of things: it is told when all of it is there."""
        fresh = [step for step in steps if step["at"] and step["step"] not in self._told]
        for step in fresh:
            if step["step"] != LAST or is_over:
                self._told.add(step["step"])
                self._print(step)

    def _print(self, step: dict[str, Any]) -> None:
        at = datetime.fromisoformat(step["at"])
        self._first = self._first or at
        line = Text(f" {step['step']} ", "bold black on cyan")
        line.append(f" {step['title']}", "bold default not reverse")
        since = (at - self._first).total_seconds()
        when = f"{at:%H:%M:%S}.{at.microsecond // 1000:03}  {since:+.3f} s"
        self._console.print(line)
        self._print_below(when, "cyan")
        if step["detail"]:
            self._print_below(step["detail"], "dim")

    def _print_below(self, text: str, style: str) -> None:
        width = min(self._console.width, WIDTH_MAX)
        indent = " " * INDENT
        for line in wrap(text, width, initial_indent=indent, subsequent_indent=indent):
            self._console.print(Text(line, style))
