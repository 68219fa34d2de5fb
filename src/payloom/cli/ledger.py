"""payloom ledger …"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from payloom.cli.failing import FAILED
from payloom.cli.opening import with_runtime
from payloom.cli.output import AsJson, console, print_json, print_list

if TYPE_CHECKING:
    from payloom.audit.run import Finding
    from payloom.runtime import Runtime


def audit(
    check_all: Annotated[
        bool, typer.Option("--all", help="Check every invariant, not only those of the books.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the books against themselves and the payments. Exits 1 when anything is found."""

    from payloom.audit import run
    from payloom.audit.invariants import BOOKS

    only = None if check_all else BOOKS

    async def work(rt: "Runtime") -> "list[Finding]":
        async with rt.db.transaction() as tx:
            return await run.audit(tx, now=rt.clock(), only=only)

    found = with_runtime(work)
    findings, verdicts = [asdict(finding) for finding in found], run.summary(found, only)
    if as_json:
        checked = [verdict.invariant for verdict in verdicts]
        print_json({"ok": not findings, "checked": checked, "findings": findings})
    elif findings:
        broken = sum(verdict.findings > 0 for verdict in verdicts)
        print_list(findings, as_json=False, columns=list(findings[0]), nothing="")
        console().print(f"[red]✗[/] {broken} of {len(verdicts)} invariants are broken.")
    else:
        every = "all " if check_all else ""
        console().print(f"[green]✓[/] The books balance: {every}{len(verdicts)} invariants hold.")
    if findings:
        raise typer.Exit(FAILED)
