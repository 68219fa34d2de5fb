"""A database that is away, and mistakes of our own: they must not be taken for each other."""

import asyncio
from typing import Any

import asyncpg
import pytest

from payloom.core.db import AWAY, Database, DatabaseAway, forbid_in_transaction
from payloom.runtime import Runtime
from tests.conftest import cluster_dsn


@pytest.mark.parametrize("value", [10**30, -(2**63) - 1, "4999"])
async def test_a_value_that_cannot_be_sent_is_our_mistake(rt: Runtime, value: Any) -> None:
    """Taken for an absence, it would be tried again for ever, and hold up all that is behind."""
    for begun in (rt.db.statement, rt.db.transaction):
        with pytest.raises(asyncpg.DataError):
            async with begun() as tx:
                await tx.fetchval("SELECT $1::bigint", value)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELEC 1", asyncpg.PostgresSyntaxError),
        ("SELECT 1 / 0", asyncpg.DivisionByZeroError),
        ("INSERT INTO business_clock DEFAULT VALUES", asyncpg.InsufficientPrivilegeError),
        ("SELECT * FROM no_such_table", asyncpg.UndefinedTableError),
    ],
)
async def test_a_wrong_statement_is_our_mistake(
    rt: Runtime, sql: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with rt.db.statement() as tx:
            await tx.execute(sql)


async def test_a_standby_that_takes_no_writes_is_away(rt: Runtime) -> None:
    async def write() -> None:
        async with rt.db.transaction() as tx:
            await tx.execute("SET TRANSACTION READ ONLY")
            await tx.execute("UPDATE business_clock SET offset_seconds = 0")

    with pytest.raises(DatabaseAway):
        await write()


async def test_a_connection_that_is_cut_is_away_and_the_next_works(
    rt: Runtime,
) -> None:
    admin = await asyncpg.connect(cluster_dsn("superuser", "postgres"))

    async def cut_in_the_middle() -> None:
        async with rt.db.transaction() as tx:
            pid = await tx.fetchval("SELECT pg_backend_pid()")
            await admin.execute("SELECT pg_terminate_backend($1)", pid)
            await tx.fetchval("SELECT 1")

    with pytest.raises(DatabaseAway):
        await cut_in_the_middle()
    await admin.close()
    async with rt.db.statement() as tx:
        assert await tx.fetchval("SELECT 1") == 1


async def test_a_server_that_is_not_there_is_away() -> None:
    for dsn in ("postgresql://nobody@127.0.0.1:1/none", "postgresql:///none?host=/nonexistent"):
        with pytest.raises(DatabaseAway):
            await Database.connect(dsn)


async def test_an_exception_rolls_back_and_so_does_a_cancellation(rt: Runtime) -> None:
    async def moved() -> int:
        async with rt.db.statement() as tx:
            return int(await tx.fetchval("SELECT offset_seconds FROM business_clock"))

    async def change_one_s_mind() -> None:
        async with rt.db.transaction() as tx:
            await tx.execute("UPDATE business_clock SET offset_seconds = 5")
            raise KeyError

    with pytest.raises(KeyError):
        await change_one_s_mind()
    assert await moved() == 0

    async def hang() -> None:
        async with rt.db.transaction() as tx:
            await tx.execute("UPDATE business_clock SET offset_seconds = 7")
            await tx.fetchval("SELECT pg_sleep(30)")

    task = asyncio.create_task(hang())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await moved() == 0
    async with rt.db.statement() as tx:
        idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        assert await tx.fetchval(idle + " AND datname = current_database()") == 0


async def test_inside_a_transaction_neither_another_nor_a_call_may_begin(rt: Runtime) -> None:
    async with rt.db.transaction():
        with pytest.raises(RuntimeError, match="inside an open transaction"):
            forbid_in_transaction("stripe.register")
        with pytest.raises(RuntimeError, match="inside an open transaction"):
            async with rt.db.transaction():
                pass
    forbid_in_transaction("stripe.register")


def test_what_counts_as_away_is_no_mistake_in_sql() -> None:
    mistakes = (asyncpg.UniqueViolationError, asyncpg.CheckViolationError, asyncpg.DataError,
                asyncpg.PostgresSyntaxError, asyncpg.UndefinedTableError)  # fmt: skip
    assert not any(issubclass(mistake, AWAY) for mistake in mistakes)


async def test_a_rehearsal_is_a_transaction_that_leaves_nothing(rt: Runtime) -> None:
    read = "SELECT offset_seconds FROM business_clock"
    async with rt.db.rehearsal() as tx:
        await tx.execute("UPDATE business_clock SET offset_seconds = 5")
        assert await tx.fetchval(read) == 5
        with pytest.raises(RuntimeError, match="inside an open transaction"):
            forbid_in_transaction("a call")
    forbid_in_transaction("a call")

    async def fail() -> None:
        async with rt.db.rehearsal() as tx:
            await tx.execute("UPDATE business_clock SET offset_seconds = 6")
            await tx.execute("SELECT 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fail()
    async with rt.db.statement() as tx:
        assert await tx.fetchval(read) == 0


async def test_a_rehearsal_whose_connection_is_cut_is_away(rt: Runtime) -> None:
    admin = await asyncpg.connect(cluster_dsn("superuser", "postgres"))

    async def cut_in_the_middle() -> None:
        async with rt.db.rehearsal() as tx:
            pid = await tx.fetchval("SELECT pg_backend_pid()")
            await admin.execute("SELECT pg_terminate_backend($1)", pid)
            await tx.fetchval("SELECT 1")

    with pytest.raises(DatabaseAway):
        await cut_in_the_middle()
    await admin.close()


async def test_a_connection_that_does_not_become_free_is_waited_for_so_long(dsn: str) -> None:
    """Nobody hangs because others hold what there is (F81)."""
    db = await Database.connect(dsn, size_max=1, wait_s_max=0.2)
    try:
        async with db.statement(), asyncio.timeout(10):
            with pytest.raises(DatabaseAway):
                async with db.statement():
                    pass
        assert db.waited_s() == 0
        async with db.statement() as tx:
            assert await tx.fetchval("SELECT 1") == 1
    finally:
        await db.close()
