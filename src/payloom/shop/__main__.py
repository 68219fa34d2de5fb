"""python -m payloom.shop --port N"""

import argparse
import os
import signal
import sys

from payloom.shop import InvalidSettings, Settings, serve


def main() -> None:
    """Read the environment and serve; exits 2 when the settings are wrong."""
    parser = argparse.ArgumentParser(prog="python -m payloom.shop", description="The demo shop.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8401, help="0 takes a free one")
    arguments = parser.parse_args()
    try:
        settings = Settings.from_env(os.environ)
    except InvalidSettings as error:
        sys.stderr.write(f"The shop cannot start:\n{error}\n")
        sys.exit(2)
    # The server hands the signal on once it has shut down; that is a good end, not a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(arguments.host, arguments.port, settings)


if __name__ == "__main__":
    main()
