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
        width = min(self._console.width, WIDTH_MAX)
        title, since = f" {step['title']}", (at - self._first).total_seconds()
        latest = "by " if step.get("or_before") else ""
        when = f"{latest}{at:%H:%M:%S}.{at.microsecond // 1000:03} {since:+7.3f} s"
        space = " " * max(2, width - INDENT + 1 - len(title) - len(when))
        self._console.print(
            Text.assemble(
                (f" {step['step']} ", "bold black on cyan"), (title, "bold"), space, (when, "cyan")
            ),
            soft_wrap=True,
        )
        indent = " " * INDENT
        for line in wrap(step["detail"], width, initial_indent=indent, subsequent_indent=indent):
            self._console.print(Text(line, "dim"))
