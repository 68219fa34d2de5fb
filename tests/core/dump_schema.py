"""`python -m tests.core.dump_schema`: write docs/reference/schema.sql anew.

Always by the embedded PostgreSQL 18, whatever the tests run on: each version dumps in words of
its own.
"""

import asyncio
import re
import tempfile
from pathlib import Path

from payloom.core import postgres
from payloom.core.migrate import migrate
from payloom.core.postgres.account import server_account
from payloom.core.postgres.locate import programs
from payloom.core.postgres.run import run

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "reference" / "schema.sql"
VERSION = 18
HEAD = """\
-- The schema as all migrations leave it, for reading: a change of it shows here as a whole.
-- Written by `python -m tests.core.dump_schema`; a database is made by `payloom db migrate`.

"""
# Says nothing of the schema, and changes with every minor release.
_RELEASE = re.compile(r"^-- Dumped (?:from database|by pg_dump) version .*\n", re.MULTILINE)


def dumped() -> str:
    """The schema of a fresh database with every migration."""
    with tempfile.TemporaryDirectory(prefix="payloom-test-", dir="/tmp") as directory:
        home = Path(directory)
        owner = postgres.dsn(home, role="owner", version=VERSION, durable=False)
        try:
            asyncio.run(migrate(owner))
            pg_dump = programs(VERSION, server_account()) / "pg_dump"
            done = run([pg_dump, "--schema-only", "--no-owner", "--restrict-key=x", owner])
        finally:
            postgres.remove(home)
    assert done.returncode == 0, done.stdout
    return HEAD + _RELEASE.sub("", done.stdout)


if __name__ == "__main__":
    SCHEMA.write_text(dumped())
    print(f"wrote {SCHEMA.relative_to(ROOT)}")
