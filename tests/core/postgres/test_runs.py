"""The first run, the second run, and everybody who may come in between."""

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from payloom.core.postgres.account import STATE
from tests.core.postgres.callers import (
    EVERY_CALLER,
    IS_ROOT,
    SOURCES,
    Caller,
    postmasters,
    tried_by,
)

VERSIONS = pytest.mark.parametrize("version", [16, 18])


@VERSIONS
@tried_by(EVERY_CALLER)
async def test_first_run_creates_and_second_run_joins(
    caller: Caller, home: Path, version: int
) -> None:
    first = caller.run("dsn", home, version=version)
    second = caller.run("dsn", home, version=version)
    assert {**second, "took_s": 0} == {**first, "took_s": 0}

    connection = await asyncpg.connect(first["owner"])
    try:
        assert connection.get_server_version().major == version
        assert await connection.fetchval("SELECT current_user || '@' || current_database()") == (
            "payloom_owner@payloom"
        )
    finally:
        await connection.close()


async def test_rows_and_passwords_stay_over_a_stop(caller: Caller, home: Path) -> None:
    first = caller.run("dsn", home)
    await run_sql(first["owner"], "CREATE TABLE kept AS SELECT 42 AS answer")
    assert caller.run("stop", home) == {"stopped": True}
    assert caller.run("stop", home) == {"stopped": False}
    assert postmasters(first["data"]) == []

    second = caller.run("dsn", home)
    assert second["pid"] != first["pid"]
    assert second["owner"] == first["owner"]
    assert await run_sql(second["owner"], "SELECT answer FROM kept") == 42


@tried_by(EVERY_CALLER)
def test_the_server_is_nobodys_child_and_not_root(caller: Caller, home: Path) -> None:
    [server] = postmasters(caller.run("dsn", home)["data"])
    assert server.uids().effective != 0
    place = (home / "postgres/18").resolve()
    in_home = not IS_ROOT or caller.uid != 0 or caller.base_mode == 0o711
    assert (place.parent == home / "postgres") == in_home
    assert server.ppid() not in (os.getpid(), 0)
    assert os.getsid(server.pid) not in (os.getsid(0), 0)


def test_two_versions_live_in_one_home(caller: Caller, home: Path) -> None:
    first, second = caller.run("dsn", home, version=16), caller.run("dsn", home, version=18)
    assert first["pid"] != second["pid"]
    assert first["app"] != second["app"]
    assert caller.run("stop", home) == {"stopped": True}
    assert postmasters(first["data"]) + postmasters(second["data"]) == []


def test_remove_leaves_nothing_of_the_database(caller: Caller, home: Path) -> None:
    answer = caller.run("dsn", home)
    (home / "demo.json").touch()
    caller.run("remove", home)
    assert not Path(answer["data"]).exists()
    assert [*(home / "postgres").iterdir()] == [home / "postgres" / "lock"]
    assert (home / "demo.json").exists()
    assert not [
        path for path in (STATE / "clusters").glob("*/home") if str(home) in path.read_text()
    ]
    caller.run("remove", home)  # again: nothing to do


def test_without_the_wheel_the_message_says_what_to_do(own_home: Path) -> None:
    # -S hides site-packages; our launcher itself needs only the standard library.
    script = f"import payloom.core.postgres as p; p.dsn(p.server.Path({str(own_home)!r}))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
    )
    assert "Install it, or set PAYLOOM_DATABASE_URL" in done.stderr


async def run_sql(address: str, statement: str) -> object:
    connection = await asyncpg.connect(address)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
