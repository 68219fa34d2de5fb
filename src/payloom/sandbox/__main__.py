"""`python -m payloom.sandbox --port N [--host H] [--store PATH]`."""

import argparse
import sys
import tempfile
from pathlib import Path

from payloom.sandbox.server import listen, serve
from payloom.sandbox.store import StoreInUse


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m payloom.sandbox", description="Stand-in PSPs.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument("--store", type=Path, help="SQLite file; a temporary one if left out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="payloom-sandbox-") as folder:
        store = options.store or Path(folder) / "sandbox.sqlite"
        try:
            serve(listen(options.host, options.port), store)
        except (StoreInUse, OSError) as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
