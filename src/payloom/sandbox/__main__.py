"""`python -m payloom.sandbox --port N [--host H] [--store PATH]`."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from payloom.sandbox.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m payloom.sandbox", description="Stand-in PSPs.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument("--store", type=Path, help="SQLite file; a temporary one if left out")
    options = parser.parse_args()
    # the server stops in good order and hands the signal on: end with 0, temporary files removed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if options.store is not None:
        serve(options.host, options.port, options.store)
        return
    with tempfile.TemporaryDirectory(prefix="payloom-sandbox-") as folder:
        serve(options.host, options.port, Path(folder) / "sandbox.sqlite")


if __name__ == "__main__":
    main()
