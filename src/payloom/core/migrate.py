"""Numbered SQL files, forward only, one transaction each, under one advisory lock."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources

import asyncpg

LOCK = 7_305_551_208_114_001  # any number that nobody else locks
LOCK_TIMEOUT_MS = 5_000
ROLES = ("payloom_app", "payloom_reader")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `0002_payments.sql` is version 2, name `payments`."""

    version: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


class MigrationError(Exception):
    """The database and the files disagree, or a role is missing; the message says what to do."""


def migrations() -> list[Migration]:
    """All files in order, numbered 1, 2, 3 … without a gap."""
    folder = resources.files("payloom.migrations")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    found = [
        Migration(int(name[:4]), name[5:-4], (folder / name).read_text("utf-8")) for name in names
    ]
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations are not numbered 1, 2, 3 …: {names}")
    return found


async def migrate(dsn: str) -> list[Migration]:
    """Apply what is missing, as the owner; the applied ones. Safe to run many times and at once."""
    async with _connected(dsn, "PAYLOOM_MIGRATE_DATABASE_URL must be the owner's") as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await _ensure_roles(connection)
        await connection.execute(_BOOKKEEPING)
        done = await _applied(connection)
        fresh = [migration for migration in migrations() if migration.version not in done]
        for migration in fresh:
            await _apply(connection, migration)
        return fresh


async def status(dsn: str) -> list[tuple[Migration, bool]]:
    """Every migration and whether this database has it."""
    async with _connected(dsn, "PAYLOOM_DATABASE_URL must be of payloom_app") as connection:
        known = await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
        done = await _applied(connection) if known else set()
        return [(migration, migration.version in done) for migration in migrations()]


async def owning_role(dsn: str) -> str | None:
    """As whom this leads into a migrated database, if that role has an owner's rights there."""
    async with _connected(dsn, "PAYLOOM_DATABASE_URL must be of payloom_app") as connection:
        role: str | None = await connection.fetchval(_OWNING_ROLE)
        return role


@asynccontextmanager
async def _connected(dsn: str, instead: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of our own; what its role lacks is told as a sentence that says what to do."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        yield connection
    except asyncpg.InsufficientPrivilegeError as refused:
        role = await connection.fetchval("SELECT current_user")
        raise MigrationError(f"The role {role} may not do this ({refused}). {instead}") from None
    finally:
        await connection.close()


_BOOKKEEPING = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    int         NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON schema_migrations TO payloom_app
"""


# A superuser counts as a member of every role.
_OWNING_ROLE = """
SELECT current_user::text FROM pg_class
 WHERE oid = 'schema_migrations'::regclass AND pg_has_role(current_user, relowner, 'USAGE')
"""


async def _ensure_roles(connection: asyncpg.Connection) -> None:
    present = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    for role in ROLES:
        if role in present:
            continue
        try:
            await connection.execute(f"CREATE ROLE {role} LOGIN")
        except asyncpg.InsufficientPrivilegeError:
            wanted = "\n".join(f"  CREATE ROLE {name} LOGIN PASSWORD '…';" for name in ROLES)
            raise MigrationError(
                f"The owner may not make the role {role}. As a superuser, run:\n{wanted}"
            ) from None


async def _applied(connection: asyncpg.Connection) -> set[int]:
    rows = await connection.fetch("SELECT version, sha256 FROM schema_migrations")
    digests = {migration.version: migration.digest for migration in migrations()}
    for row in rows:
        if digests.get(row["version"], row["sha256"]) != row["sha256"]:
            raise MigrationError(
                f"Migration {row['version']} was changed after it was applied here;"
                " migrations are forward only, add a new one instead"
            )
    return {row["version"] for row in rows}


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.digest,
        )
