"""What a person sees of the demo once it runs; scripts get JSON on stdout instead."""

import json
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from payloom.demo.home import Home

WIDTH_OF_FILES = 120
WIDTH_MAX = 100


class LastingConsole(Console):
    """Goes quiet when nobody reads any more (`make demo | head`); the processes go on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


class Terminal:
    """Where the demo speaks. With `as_json` people's words go to stderr."""

    def __init__(self, *, as_json: bool) -> None:
        stream = sys.stderr if as_json else sys.stdout
        width = None if stream.isatty() else WIDTH_OF_FILES
        self.console = LastingConsole(file=stream, width=width, highlight=False)
        self._as_json = as_json

    def tell(self, text: str) -> None:
        """One line about something that just happened."""
        now = datetime.now().astimezone()
        self.console.print(Text.assemble((f"{now:%H:%M:%S}  ", "dim"), text))

    def as_json(self, value: Mapping[str, Any]) -> None:
        if self._as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def welcome(self, home: Home, urls: Mapping[str, str]) -> None:
        """Everything runs: where to go, what to type, where to look, how to stop."""
        self.as_json({**urls, "home": str(home.root)})
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("Shop", Text.assemble((urls["shop_url"], "bold cyan underline")))
        table.add_row("", "put something in the cart, check out, pay")
        table.add_row("Card", "4242 4242 4242 4242, any future date, any code")
        table.add_row("", "")
        table.add_row("API", urls["api_url"])
        table.add_row("Sandbox", f"{urls['sandbox_url']}  stands in for Stripe")
        table.add_row("For scripts", str(home.facts))
        table.add_row("Logs", str(home.logs))
        table.add_row("Stop", "Ctrl-C")
        if self.console.is_terminal:
            width = min(WIDTH_MAX, self.console.width)
            panel = Panel(table, title="[bold]payloom runs[/]", title_align="left", padding=(1, 2),
                          border_style="green", width=width)  # fmt: skip
            self.console.print(Padding(panel, (1, 0)))
        else:
            self.console.print(table)
