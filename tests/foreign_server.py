"""Run a command with PAYLOOM_DATABASE_URL naming a PostgreSQL that it did not start.

`python -m tests.foreign_server make test TESTS=tests/scenarios` shows that the tests run on a
server of yours; the server here is a plain one of the wheel's, in a home that goes afterwards.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from payloom.core import postgres


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="payloom-foreign-"))
    try:
        url = postgres.dsn(home, role="superuser", durable=True)
        return subprocess.call(sys.argv[1:], env={**os.environ, "PAYLOOM_DATABASE_URL": url})
    finally:
        postgres.remove(home)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
