"""Every database gets every migration once, in order, or is told what to do."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from payloom.core import postgres
from payloom.core.migrate import LOCK, MigrationError, migrate, migrations, status
from tests import database as server

ALL = list(range(1, len(migrations()) + 1))


@pytest.fixture
async def empty(template: str) -> AsyncIterator[str]:
    """An empty database of the owner's; its URL. The roles came with the template."""
    async with server.clone("template0") as name:
        yield server.dsn_of("owner", name)


async def run(dsn: str, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def applied(dsn: str) -> list[int]:
    return [row["version"] for row in await run(dsn, "SELECT version FROM schema_migrations")]


async def test_an_empty_database_gets_all_in_order_and_nothing_the_second_time(
    empty: str,
) -> None:
    assert [done for _, done in await status(empty)] == [False] * len(ALL)
    assert [migration.version for migration in await migrate(empty)] == ALL
    assert await migrate(empty) == []
    assert [done for _, done in await status(empty)] == [True] * len(ALL)
    rows = await run(empty, "SELECT * FROM schema_migrations ORDER BY version")
    kept = [(row["version"], row["name"], row["sha256"]) for row in rows]
    assert kept == [(each.version, each.name, each.digest) for each in migrations()]


async def test_of_several_at_once_each_migration_is_applied_by_one(empty: str) -> None:
    done = await asyncio.gather(*(migrate(empty) for _ in range(4)))
    assert sorted(migration.version for each in done for migration in each) == ALL
    assert sorted(await applied(empty)) == ALL


async def test_one_that_fails_leaves_nothing_of_itself_and_all_before_it(empty: str) -> None:
    third = migrations()[2]
    await run(empty, "CREATE TABLE ledger_entries ()")  # in the way of the third
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(empty)
    assert await applied(empty) == [1, 2]
    await run(empty, "DROP TABLE ledger_entries")

    # Now its own work succeeds, and to note that it is done does not.
    await run(empty, "ALTER TABLE schema_migrations ADD CONSTRAINT no CHECK (version <> 3)")
    with pytest.raises(asyncpg.CheckViolationError):
        await migrate(empty)
    assert (await run(empty, "SELECT to_regclass('ledger_postings') AS it"))[0]["it"] is None
    await run(empty, "ALTER TABLE schema_migrations DROP CONSTRAINT no")

    assert (await migrate(empty))[0] == third
    assert sorted(await applied(empty)) == ALL


async def test_a_migration_that_waits_for_a_busy_table_gives_up_soon(empty: str) -> None:
    """Everybody who comes after it would wait behind it (F85)."""
    await run(empty, "CREATE TABLE payment_orders ()")  # in the way of the second
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(empty)
    await run(empty, "DROP TABLE payment_orders")
    busy = await asyncpg.connect(empty)
    try:
        await busy.execute("BEGIN; LOCK TABLE merchants")
        async with asyncio.timeout(8):
            with pytest.raises(asyncpg.LockNotAvailableError):
                await migrate(empty)
        await busy.execute("ROLLBACK")
    finally:
        await busy.close()
    assert [migration.version for migration in await migrate(empty)] == ALL[1:]


async def test_a_file_that_was_changed_after_it_was_applied_is_refused(empty: str) -> None:
    await migrate(empty)
    await run(empty, "UPDATE schema_migrations SET sha256 = 'of other text' WHERE version = 2")
    for refusing in (migrate, status):
        with pytest.raises(MigrationError, match=r"Migration 2 was changed .* add a new one"):
            await refusing(empty)


async def test_a_newer_database_is_let_alone(empty: str) -> None:
    """An older version still runs while a newer one has migrated already (F85)."""
    await migrate(empty)
    await run(empty, "INSERT INTO schema_migrations VALUES (9999, 'later', 'x')")
    assert await migrate(empty) == []
    assert all(done for _, done in await status(empty))


async def test_nobody_waits_for_a_lock_that_a_finished_migration_left(empty: str) -> None:
    await migrate(empty)
    taken = (await run(empty, f"SELECT pg_try_advisory_lock({LOCK}) AS taken"))[0]
    assert taken["taken"]


# --- roles -------------------------------------------------------------------------------------


@pytest.fixture
def server_without_roles() -> Iterator[str]:
    """A server that knows an owner of no rights but its database; the owner's URL."""
    with tempfile.TemporaryDirectory(prefix="payloom-test-", dir="/tmp") as directory:
        home = Path(directory)
        superuser = postgres.dsn(home, role="superuser", durable=False)
        try:
            asyncio.run(run_each(superuser, ["app", "reader"]))
            yield postgres.dsn(home, role="owner", durable=False)
        finally:
            postgres.remove(home)


async def run_each(superuser: str, roles: list[str]) -> None:
    for role in roles:
        await run(superuser, f"DROP OWNED BY payloom_{role}")
        await run(superuser, f"DROP ROLE payloom_{role}")
    await run(superuser, "ALTER ROLE payloom_owner NOCREATEROLE")


def test_an_owner_who_may_make_no_roles_is_told_the_commands(server_without_roles: str) -> None:
    with pytest.raises(MigrationError) as refused:
        asyncio.run(migrate(server_without_roles))
    told = str(refused.value)
    assert "may not make the role payloom_app" in told
    for role in ("payloom_app", "payloom_reader"):
        assert f"CREATE ROLE {role} LOGIN PASSWORD" in told
    tables = asyncio.run(run(server_without_roles, "SELECT to_regclass('merchants') AS it"))
    assert tables[0]["it"] is None


async def test_a_role_that_lacks_the_right_is_told_as_whom_to_come(database: str) -> None:
    with pytest.raises(MigrationError, match=r"payloom_app .*must be the owner's"):
        await migrate(server.dsn_of("app", database))
    with pytest.raises(MigrationError, match=r"payloom_reader .*must be of payloom_app"):
        await status(server.dsn_of("reader", database))


# --- what the roles may ------------------------------------------------------------------------


async def test_the_app_owns_nothing_and_rewrites_no_history(database: str) -> None:
    owned = await run(
        server.dsn_of("superuser", database),
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relowner <> 'payloom_owner'::regrole",
    )
    assert owned == []
    app = server.dsn_of("app", database)
    for table in ("payment_log", "ledger_postings", "ledger_entries", "events", "merchants"):
        for sql in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"DROP TABLE {table}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await run(app, sql)
    for table in ("payment_log", "ledger_postings", "ledger_entries", "events"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run(app, f"UPDATE {table} SET merchant_id = merchant_id")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(app, "CREATE TABLE mine ()")


async def test_the_reader_sees_one_merchants_rows_and_no_secrets(database: str) -> None:
    app, reader = (server.dsn_of(role, database) for role in ("app", "reader"))
    one, other = (str(number) * 8 + "-0000-7000-8000-000000000000" for number in (1, 2))
    for merchant in (one, other):
        await run(app, f"INSERT INTO merchants VALUES ('{merchant}', 'A', 'test', now())")
    assert await run(reader, "SELECT * FROM merchants") == []
    connection = await asyncpg.connect(reader)
    try:
        await connection.execute(f"SET payloom.merchant_id = '{one}'")
        seen = await connection.fetch("SELECT merchant_id::text FROM merchants")
        assert [row["merchant_id"] for row in seen] == [one]
        for table in ("secrets", "data_keys", "api_keys", "idempotency_keys"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT * FROM {table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE merchants SET name = 'B'")
    finally:
        await connection.close()
