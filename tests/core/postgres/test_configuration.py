"""What a created cluster is like, seen by its clients."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from payloom.core.postgres import LauncherError, dsn, stop
from payloom.core.postgres.layout import LOGINS, layout_of
from payloom.core.postgres.locate import find
from tests.core.postgres.callers import Caller, postmasters

SHOWN = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "wal_level": "replica",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "autovacuum": "on",
    "jit": "off",
    "idle_in_transaction_session_timeout": "30s",
    "TimeZone": "UTC",
    "server_encoding": "UTF8",
    "data_checksums": "on",
    "log_statement": "none",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}


@pytest.fixture(scope="module", params=[16, 18])
def version(request: pytest.FixtureRequest) -> int:
    chosen: int = request.param
    return chosen


@pytest.fixture(scope="module")
def shared_home(version: int) -> Iterator[Path]:
    with Caller("this process").base() as base:
        dsn(base / "home", version=version)
        yield base / "home"


async def test_settings_are_as_promised(shared_home: Path, version: int) -> None:
    connection = await asyncpg.connect(dsn(shared_home, version=version))
    try:
        rows = await connection.fetch(
            "SELECT name, current_setting(name) AS value FROM pg_settings"
        )
        actual = {row["name"]: row["value"] for row in rows}
        assert {name: actual[name] for name in SHOWN} == SHOWN
        # Text sorts by code point and knows letters beyond ASCII.
        assert await connection.fetchval("SELECT 'Z' < 'a' AND 'É' ~ '\\w' AND lower('É') = 'é'")
    finally:
        await connection.close()


async def test_each_role_has_its_own_password_and_rights(shared_home: Path, version: int) -> None:
    addresses = {role: dsn(shared_home, role=role, version=version) for role in LOGINS}
    connection = await asyncpg.connect(addresses["superuser"])
    try:
        roles = await connection.fetch(
            "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
            "  FROM pg_roles WHERE rolcanlogin ORDER BY rolname"
        )
        assert [tuple(role) for role in roles] == [
            ("payloom_app", False, False, False, False, False),
            ("payloom_owner", False, True, False, False, False),
            ("payloom_reader", False, False, False, False, False),
            ("postgres", True, True, True, True, True),
        ]
        owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'payloom'"
        assert await connection.fetchval(owner) == "payloom_owner"
    finally:
        await connection.close()
    assert len({address.split("@")[0].split(":")[2] for address in addresses.values()}) == 4


async def test_the_owner_may_grant_the_roles_it_did_not_make(
    shared_home: Path, version: int
) -> None:
    connection = await asyncpg.connect(dsn(shared_home, role="owner", version=version))
    try:
        await connection.execute("ALTER ROLE payloom_app CONNECTION LIMIT 100")
        await connection.execute("ALTER ROLE payloom_reader SET default_transaction_read_only = on")
    finally:
        await connection.close()


async def test_a_wrong_password_is_refused(shared_home: Path, version: int) -> None:
    for role in LOGINS:
        address = dsn(shared_home, role=role, version=version)
        password = address.split("@")[0].split(":")[2]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(address.replace(password, "wrong"))


def test_nothing_listens_on_tcp(shared_home: Path, version: int) -> None:
    [server] = postmasters(str(layout_of(shared_home, version).data))
    family = [server, *server.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):  # a worker of the server that has ended
            assert not process.net_connections("inet")
    assert server.net_connections("unix")


@pytest.mark.parametrize("role", LOGINS)
def test_psql_takes_the_address(shared_home: Path, version: int, role: str) -> None:
    address = dsn(shared_home, role=role, version=version)  # type: ignore[arg-type] # a key of LOGINS
    said = tool(version, "psql", "-XAtc", "SELECT current_user", address)
    assert said.strip() == LOGINS[role]  # type: ignore[index] # as above


def test_a_base_backup_can_be_taken(shared_home: Path, version: int, tmp_path: Path) -> None:
    address = dsn(shared_home, role="superuser", version=version)
    tool(version, "pg_basebackup", "-c", "fast", "-D", str(tmp_path / "copy"), "-d", address)
    assert (tmp_path / "copy" / "PG_VERSION").read_text() == f"{version}\n"


async def test_the_log_holds_errors_but_not_what_statements_carry(
    shared_home: Path, version: int
) -> None:
    connection = await asyncpg.connect(dsn(shared_home, role="superuser", version=version))
    try:
        await connection.execute("CREATE TEMP TABLE people (email text CHECK (email = ''))")
        with pytest.raises(asyncpg.CheckViolationError, match="people_email_check"):
            await connection.execute("INSERT INTO people VALUES ('jane@example.com')")
    finally:
        await connection.close()
    said = "".join(log.read_text() for log in layout_of(shared_home, version).log.iterdir())
    assert "people_email_check" in said
    assert "jane" not in said


async def test_without_durability_all_safety_is_off(own_home: Path) -> None:
    connection = await asyncpg.connect(dsn(own_home, durable=False))
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval("SELECT current_setting($1)", name) == "off"
    finally:
        await connection.close()


async def test_durability_is_never_promised_of_a_server_without_it(own_home: Path) -> None:
    dsn(own_home, durable=False)
    with pytest.raises(LauncherError, match="without durability"):
        dsn(own_home)
    stop(own_home)
    connection = await asyncpg.connect(dsn(own_home))
    try:
        assert await connection.fetchval("SHOW fsync") == "on"
    finally:
        await connection.close()
    assert dsn(own_home, durable=False) == dsn(own_home)  # more than asked for is fine


def test_a_loose_umask_opens_nothing(own_home: Path) -> None:
    before = os.umask(0)
    try:
        dsn(own_home, durable=False)
    finally:
        os.umask(before)
    layout = layout_of(own_home, 18)
    for path in (layout.passwords, layout.start_log, *layout.log.iterdir(), *layout.data.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_server_sees_nothing_of_the_callers_environment(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_0123456789ab")
    dsn(own_home, durable=False)
    [server] = postmasters(str(layout_of(own_home, 18).data))
    assert "STRIPE_API_KEY" in os.environ
    assert not {"STRIPE_API_KEY", "HOME", "USER"} & set(psutil.Process(server.pid).environ())


def tool(version: int, name: str, *words: str) -> str:
    """Run one of the wheel's own clients; PGPORT must not lead it astray."""
    done = subprocess.run(
        [find(version).bin / name, *words],
        env={"PGPORT": "1", "PGHOST": "nowhere", "PGCONNECT_TIMEOUT": "5"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
