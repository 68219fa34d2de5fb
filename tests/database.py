"""The server that tests run on: one of our own, or the one that TEST_DATABASE_URL names.

Such a URL is of a role that may make roles and databases; the roles of ours are then put on by
`SET ROLE`, so that nobody's password changes.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from payloom.core import postgres
from payloom.core.migrate import ROLES, migrate

HOME = "TEST_CLUSTER_HOME"
DURABLE = "TEST_CLUSTER_DURABLE"
FOREIGN = os.environ.get("TEST_DATABASE_URL", "")
VERSION = int(os.environ.get("TEST_PG", "18"))
TEMPLATE = "payloom_tests"


def name_home(*, durable: bool = False) -> bool:
    """Choose where our server lives, unless a process above did; whether it was us.

    With `durable` fsync is on, as where real money is.
    """
    if HOME in os.environ:
        return False
    os.environ[DURABLE] = "yes" if durable else "no"
    os.environ[HOME] = tempfile.mkdtemp(prefix="payloom-tests-")
    return True


def remove_home() -> None:
    home = Path(os.environ.pop(HOME))
    postgres.remove(home)
    shutil.rmtree(home, ignore_errors=True)


def dsn_of(role: postgres.Role, database: str) -> str:
    """How to reach a database as one of our roles; our server is started on first use."""
    if not FOREIGN:
        home = Path(os.environ[HOME])
        durable = os.environ.get(DURABLE) == "yes"
        dsn = postgres.dsn(home, role=role, version=VERSION, durable=durable)
        return dsn.replace("/payloom?", f"/{database}?")
    parts = urlsplit(FOREIGN)
    query = dict(parse_qsl(parts.query))
    if role != "superuser":
        query["role"] = f"payloom_{role}"
    return urlunsplit(parts._replace(path=f"/{database}", query=urlencode(query)))


def make_template() -> str:
    """A migrated database to clone; made once, by whoever comes first."""
    asyncio.run(_make_template())
    return TEMPLATE


async def _make_template() -> None:
    connection = await asyncpg.connect(dsn_of("superuser", "postgres"))
    try:
        await connection.execute("SELECT pg_advisory_lock(8400)")
        known = await connection.fetch("SELECT rolname FROM pg_roles")
        for role in {"payloom_owner", *ROLES} - {row["rolname"] for row in known}:
            await connection.execute(f"CREATE ROLE {role}")
        if FOREIGN:  # put on by SET ROLE, a role does not see the names of its own sessions
            await connection.execute("GRANT pg_read_all_stats TO payloom_app")
        await connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}_fresh")
        exists = await connection.fetchval(
            "SELECT true FROM pg_database WHERE datname = $1", TEMPLATE
        )
        if FOREIGN and exists and not _made_here():
            await connection.execute(f"DROP DATABASE {TEMPLATE}")
            exists = None
        if exists is None:
            await connection.execute(f"CREATE DATABASE {TEMPLATE}_fresh OWNER payloom_owner")
            await migrate(dsn_of("owner", f"{TEMPLATE}_fresh"))
            await connection.execute(f"ALTER DATABASE {TEMPLATE}_fresh RENAME TO {TEMPLATE}")
            (Path(os.environ[HOME]) / "template").touch()
    finally:
        await connection.close()


def _made_here() -> bool:
    """A template that an earlier run left on a server of yours may be of other migrations."""
    return (Path(os.environ[HOME]) / "template").exists()


@asynccontextmanager
async def clone(template: str) -> AsyncIterator[str]:
    """The name of a fresh copy of the template; dropped at the end."""
    name = f"payloom_t_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(dsn_of("superuser", "postgres"))
    await connection.execute(
        f"CREATE DATABASE {name} TEMPLATE {template} OWNER payloom_owner STRATEGY file_copy"
    )
    try:
        yield name
    finally:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()
