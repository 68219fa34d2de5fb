"""The command line: every command is listed here by hand.

Commands import what they need when they run. It is the one place where that is allowed, so that
`payloom --help` does not wait for a web framework.
"""

import sys
from collections.abc import Callable
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
    sealing,
    webhook_endpoints,
)
from payloom.cli.failing import tell_failure

Commands = dict[str, Callable[..., None]]

ALONE: Commands = {
    "demo": demo.demo,
    "serve": processes.serve,
    "worker": processes.worker,
    "sandbox": processes.sandbox,
    "explain": explain.explain,
}
# Each group with its title and commands, in the order in which `--help` shows them.
GROUPS: dict[str, tuple[str, Commands]] = {
    "db": (
        "The database: migrate it, look at it, stop the embedded one.",
        {"migrate": db.migrate, "status": db.status, "shell": db.shell, "stop": db.stop},
    ),
    "merchants": (
        "Merchants: one business in one mode each.",
        {"create": merchants.create, "list": merchants.list_},
    ),
    "keys": (
        "API keys of a merchant.",
        {"create": keys.create, "revoke": keys.revoke, "list": keys.list_},
    ),
    "connections": (
        "A merchant's accounts at PSPs.",
        {
            "add": connections.add,
            "add-secret": connections.add_secret,
            "replace-secret": connections.replace_secret,
            "remove-secret": connections.remove_secret,
            "list": connections.list_,
        },
    ),
    "notices": (
        "What PSPs told us: look at it, apply it again.",
        {
            "list": notices.list_,
            "show": notices.show,
            "replay": notices.replay,
            "put-aside": notices.put_aside,
        },
    ),
    "secrets": (
        "What is sealed, and the keys that seal it.",
        {
            "check": sealing.check,
            "rotate-master-key": sealing.rotate_master_key,
            "rotate-data-keys": sealing.rotate_data_keys,
        },
    ),
    "webhook-endpoints": (
        "Where merchants hear of events.",
        {
            "create": webhook_endpoints.create,
            "list": webhook_endpoints.list_,
            "rotate-secret": webhook_endpoints.rotate_secret,
            "enable": webhook_endpoints.enable,
            "redeliver": webhook_endpoints.redeliver,
        },
    ),
    "ledger": ("The books.", {"audit": ledger.audit}),
}


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        print(f"payloom {__version__}")
        raise typer.Exit


def build() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="payloom",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for name, command in ALONE.items():
        app.command(name)(command)
    for group, (title, commands) in GROUPS.items():
        below = typer.Typer(help=title, no_args_is_help=True, rich_markup_mode=None)
        for name, command in commands.items():
            below.command(name)(command)
        app.add_typer(below, name=group)
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
