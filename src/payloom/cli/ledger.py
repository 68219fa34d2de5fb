"""payloom ledger …"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from payloom.cli.failing import FAILED
from payloom.cli.opening import with_runtime
from payloom.cli.output import AsJson, console, print_json, print_list

if TYPE_CHECKING:
    from payloom.runtime import Runtime


def audit(
    check_all: Annotated[
        bool, typer.Option("--all", help="Check every invariant, not only those of the books.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the books against themselves and the payments. Exits 1 when anything is found."""

    async def work(rt: "Runtime") -> list[dict[str, Any]]:
        from dataclasses import asdict

        from payloom.audit import run
        from payloom.audit.invariants import BOOKS

        async with rt.db.transaction() as tx:
            only = None if check_all else BOOKS
            return [asdict(found) for found in await run.audit(tx, now=rt.clock(), only=only)]

    findings = with_runtime(work)
    if as_json:
        print_json({"ok": not findings, "findings": findings})
    elif findings:
        print_list(findings, as_json=False, columns=list(findings[0]), nothing="")
    else:
        console().print("[green]✓[/] The books balance.")
    if findings:
        raise typer.Exit(FAILED)
