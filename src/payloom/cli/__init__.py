"""The command line: every command is listed here by hand.

Commands import what they need when they run. It is the one place where that is allowed, so that
`payloom --help` does not wait for a web framework.
"""

import sys
from typing import Annotated

import typer

from payloom import __version__
from payloom.cli import (
    connections,
    db,
    demo,
    explain,
    keys,
    ledger,
    merchants,
    notices,
    processes,
    webhook_endpoints,
)
from payloom.cli.failing import tell_failure


def _group(title: str) -> typer.Typer:
    return typer.Typer(help=title, no_args_is_help=True, rich_markup_mode=None)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        print(f"payloom {__version__}")
        raise typer.Exit


def build() -> typer.Typer:
    """All commands, in the order in which `--help` shows them."""
    app = typer.Typer(
        name="payloom",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    app.command()(demo.demo)
    app.command()(processes.serve)
    app.command()(processes.worker)
    app.command()(processes.sandbox)
    app.command()(explain.explain)

    group = _group("The database: migrate it, look at it, stop the embedded one.")
    group.command()(db.migrate)
    group.command()(db.status)
    group.command()(db.shell)
    group.command()(db.stop)
    app.add_typer(group, name="db")

    group = _group("Merchants: one business in one mode each.")
    group.command()(merchants.create)
    group.command("list")(merchants.list_)
    app.add_typer(group, name="merchants")

    group = _group("API keys of a merchant.")
    group.command()(keys.create)
    group.command()(keys.revoke)
    group.command("list")(keys.list_)
    app.add_typer(group, name="keys")

    group = _group("A merchant's accounts at PSPs.")
    group.command()(connections.add)
    group.command("add-secret")(connections.add_secret)
    group.command("list")(connections.list_)
    app.add_typer(group, name="connections")

    group = _group("What PSPs told us: look at it, apply it again.")
    group.command("list")(notices.list_)
    group.command()(notices.show)
    group.command()(notices.replay)
    group.command()(notices.put_aside)
    app.add_typer(group, name="notices")

    group = _group("Where merchants hear of events.")
    group.command()(webhook_endpoints.create)
    group.command("list")(webhook_endpoints.list_)
    group.command("rotate-secret")(webhook_endpoints.rotate_secret)
    group.command()(webhook_endpoints.enable)
    group.command()(webhook_endpoints.redeliver)
    app.add_typer(group, name="webhook-endpoints")

    group = _group("The books.")
    group.command()(ledger.audit)
    app.add_typer(group, name="ledger")
    return app


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Say which version this is.", callback=_tell_version, is_eager=True
        ),
    ] = False,
) -> None:
    """The payment backend behind a shop's checkout."""


def main() -> None:
    """The console script. Exits 0, 1 when something failed, 2 when it was asked wrongly."""
    try:
        build()()
    except Exception as error:
        sys.exit(tell_failure(error))
