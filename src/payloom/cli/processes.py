"""payloom serve, worker, sandbox: the long-running processes."""

import contextlib
import io
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from payloom.cli.failing import Failure
from payloom.cli.opening import read_settings
from payloom.cli.output import AsJson

Host = Annotated[str, typer.Option(help="The address to listen on.")]


def serve(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8400,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="How many processes share the port.")
    ] = 1,
    with_worker: Annotated[
        bool, typer.Option("--with-worker", help="Do the worker's work in here, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C, then finish what is in flight."""
    from payloom.cli.serving import Wanted, run

    wanted = Wanted(host, port, workers, with_worker=with_worker, as_json=as_json)
    run(read_settings(), wanted)


def worker(
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve /metrics and /healthz here.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="The address for these.")] = "127.0.0.1",
    as_json: AsJson = False,
) -> None:
    """Do what happens later: notices, deliveries, jobs. SIGTERM finishes what was begun."""
    from payloom.cli.working import run

    run(read_settings(), metrics_host, metrics_port, as_json=as_json)


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")],
    host: Host = "127.0.0.1",
    store: Annotated[
        Path | None, typer.Option(help="SQLite file; a temporary one if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve stand-ins for PSPs, for trying things out and for tests."""
    from payloom.sandbox.server import listen
    from payloom.sandbox.server import serve as serve_sandbox
    from payloom.sandbox.store import StoreInUse

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        if as_json:
            stack.enter_context(contextlib.redirect_stdout(_ReadyAsJson(sys.stdout)))
        if store is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="payloom-sandbox-"))
            store = Path(folder) / "sandbox.sqlite"
        try:
            listener = listen(host, port)
        except OSError as error:
            raise Failure(f"Cannot listen on {host}, port {port}: {error.strerror}") from None
        try:
            serve_sandbox(listener, store)
        except StoreInUse as taken:
            raise Failure(str(taken)) from None


class _ReadyAsJson(io.TextIOBase):
    """Says `sandbox ready at URL` in JSON."""

    def __init__(self, out: io.TextIOBase | object) -> None:
        self._out = out

    def write(self, text: str) -> int:
        url = next((word for word in text.split() if word.startswith("http")), None)
        print(json.dumps({"url": url}) if url else text, file=self._out, flush=True)  # type: ignore[arg-type]
        return len(text)
