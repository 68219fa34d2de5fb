"""SIGKILL for the server, for who started it, and for who was just about to."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from payloom.core.postgres.account import STATE, Account
from payloom.core.postgres.layout import Layout
from tests.core.postgres.callers import EVERY_CALLER, Caller, answer_of, postmasters, tried_by

pytestmark = pytest.mark.crash

# Promised are 5 s; a crowded machine gets more, yet far less than the queries here would run.
SOON_S = 20

# What the driver says of a dying server depends on what it was just doing.
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


@pytest.mark.parametrize("version", [16, 18])
async def test_every_acknowledged_commit_outlives_the_server(
    caller: Caller, home: Path, version: int
) -> None:
    first = caller.run("dsn", home, version=version, durable=True)
    acknowledged = await commit_until_killed(first["superuser"], first["pid"])
    assert len(acknowledged) > 100

    second = caller.run("dsn", home, version=version, durable=True)
    assert second["took_s"] < SOON_S
    assert second["pid"] != first["pid"]
    assert acknowledged <= await stored(second["superuser"])


@tried_by(EVERY_CALLER)
async def test_a_killed_server_is_restarted_by_its_supervisor(caller: Caller, home: Path) -> None:
    with caller.start("supervise", home, durable=True) as supervisor:
        first = answer_of(supervisor)
        acknowledged = await commit_until_killed(first["superuser"], first["pid"])
        killed_at = time.monotonic()
        second = answer_of(supervisor)
        assert time.monotonic() - killed_at < SOON_S
        assert second["previous"] == -signal.SIGKILL
        assert acknowledged <= await stored(second["superuser"])
        assert supervisor.stdin
        supervisor.stdin.close()
        assert answer_of(supervisor) == {"stopped": 0}
    assert not is_running(second["pid"])


async def test_a_long_query_does_not_keep_a_killed_server_down(caller: Caller, home: Path) -> None:
    first = caller.run("dsn", home)
    busy = await asyncpg.connect(first["superuser"])
    backend = busy.get_server_pid()
    # Such a backend looks up only when it has rows to send: minutes after its postmaster died.
    query = asyncio.ensure_future(
        busy.fetchval("SELECT count(*) FROM generate_series(1, 10000000000)")
    )
    await asyncio.sleep(0.3)
    os.kill(first["pid"], signal.SIGKILL)
    await asyncio.sleep(0.3)
    assert is_running(backend)

    second = await asyncio.to_thread(caller.run, "dsn", home)
    assert second["took_s"] < SOON_S
    assert not is_running(backend)
    with pytest.raises(LOST):
        await query


async def test_the_server_outlives_a_killed_supervisor_and_the_next_takes_over(
    caller: Caller, home: Path
) -> None:
    with caller.start("supervise", home) as supervisor:
        first = answer_of(supervisor)
        connection = await asyncpg.connect(first["superuser"])
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        supervisor.kill()
    assert await connection.fetchval("SELECT answer FROM kept") == 42
    connection.terminate()

    with caller.start("supervise", home) as supervisor:
        second = answer_of(supervisor)
        assert second["pid"] != first["pid"]
        assert not is_running(first["pid"])
        connection = await asyncpg.connect(second["superuser"])
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()
        assert_never_crashed(home)
        supervisor.communicate("stop")
    assert not is_running(second["pid"])


def test_a_supervisor_takes_over_from_a_detached_server(caller: Caller, home: Path) -> None:
    detached = caller.run("dsn", home)
    with caller.start("supervise", home) as supervisor:
        owned = answer_of(supervisor)
        assert not is_running(detached["pid"])
        assert caller.run("dsn", home)["pid"] == owned["pid"]
        assert_never_crashed(home)
        supervisor.communicate("stop")


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "when the directory is made": lambda home: any(partial(home)),
    "in initdb": lambda home: any(p for at in partial(home) for p in at.glob("data/base/1/112")),
    "after initdb": lambda home: any(p for at in partial(home) for p in at.glob("data/base/5")),
    "before the start": lambda home: (home / "postgres/18").exists(),
    "while the server starts": lambda home: (home / "postgres/18/data/postmaster.pid").exists(),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_first_run_killed_half_way_is_made_good(
    caller: Caller, home: Path, moment: str
) -> None:
    with caller.start("dsn", home) as starter:
        while not MOMENTS[moment](home):
            assert starter.poll() is None, starter.communicate()
        starter.kill()
    answer = await asyncio.to_thread(caller.run, "dsn", home)
    for role in ("app", "owner", "reader", "superuser"):
        await (await asyncpg.connect(answer[role])).close()
    assert len(postmasters(answer["data"])) == 1
    caller.run("remove", home)
    assert not any(partial(home))


def partial(home: Path) -> Iterator[Path]:
    """Clusters in the making, in either of the two places."""
    name = Layout(home, 18, Account(0, 0, borrowed=False), home).name
    yield from (home / "postgres").glob("*.partial")
    yield from (STATE / "clusters").glob(f"{name}-*.partial")


async def commit_until_killed(address: str, pid: int) -> set[int]:
    """Commit from four connections while the server is killed; the numbers it acknowledged."""
    acknowledged: set[int] = set()
    connections = [await asyncpg.connect(address) for _ in range(4)]
    await connections[0].execute("CREATE TABLE kept (number bigint PRIMARY KEY)")

    async def commit(connection: Any, first: int) -> None:
        for number in range(first, 10**9, len(connections)):
            try:
                await connection.execute("INSERT INTO kept VALUES ($1)", number)
            except LOST:
                return
            acknowledged.add(number)

    writers = [asyncio.ensure_future(commit(c, n)) for n, c in enumerate(connections)]
    await asyncio.sleep(1)
    os.kill(pid, signal.SIGKILL)
    await asyncio.gather(*writers)
    for connection in connections:
        connection.terminate()
    return acknowledged


async def stored(address: str) -> set[int]:
    connection = await asyncpg.connect(address)
    try:
        return {row["number"] for row in await connection.fetch("SELECT number FROM kept")}
    finally:
        await connection.close()


def assert_never_crashed(home: Path) -> None:
    """Whoever takes over from a live server shuts it down; nothing has to be recovered."""
    said = "".join(log.read_text() for log in (home / "postgres/18/log").iterdir())
    assert said.count("database system was shut down at") == 2
    assert "not properly shut down" not in said


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
