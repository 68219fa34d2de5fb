"""payloom demo"""

from typing import Annotated

import typer

from payloom.cli.opening import read_settings
from payloom.cli.output import AsJson


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Play one payment without a browser, then stop.")
    ] = False,
    reload: Annotated[
        bool, typer.Option("--reload", help="Restart API and worker when a source file changes.")
    ] = False,
    port_base: Annotated[
        int | None,
        typer.Option(
            envvar="PORT_BASE",
            min=1024,
            max=65533,
            help="The API's port; the shop gets the next, the sandbox the one after.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run everything on this machine: database, API, worker, PSP sandbox and a shop."""
    from payloom.demo.run import Wanted, run

    wanted = Wanted(port_base=port_base, once=once, reload=reload, as_json=as_json)
    code = run(read_settings(), wanted)
    if code:
        raise typer.Exit(code)
