"""payloom db …, and what serve and worker say of a database that is not as they need it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg
import pytest

from payloom.cli.db import libpq_environment, place_of
from payloom.core.postgres import Role
from payloom.demo.ports import any_free
from tests.cli.conftest import Cli
from tests.conftest import cluster_dsn


@pytest.fixture
async def empty(cli: Cli, database: str) -> Cli:
    """On a database without our tables."""
    owner = await asyncpg.connect(cluster_dsn("superuser", database))
    await owner.execute("DROP SCHEMA public CASCADE")
    await owner.execute("CREATE SCHEMA public AUTHORIZATION payloom_owner")
    await owner.execute("GRANT USAGE ON SCHEMA public TO payloom_app, payloom_reader")
    await owner.close()
    return cli


async def test_migrate_brings_a_database_up_to_date_once(empty: Cli, database: str) -> None:
    before = await empty("db", "status", "--json")
    assert (before.code, before.json["up_to_date"]) == (1, False)
    first = (await empty("db", "migrate", "--json")).json["applied"]
    assert first[0] == "0001 ground"
    again = (await empty("db", "migrate", "--json")).json
    assert again["applied"] == []
    assert again["database"].endswith(f"/{database}")
    after = await empty("db", "status", "--json")
    assert (after.code, after.json["up_to_date"]) == (0, True)
    assert len(after.json["migrations"]) == len(first)


async def test_migrate_says_which_database_it_was_and_never_the_password(cli: Cli) -> None:
    told = await cli("db", "migrate")
    assert told.code == 0, told.err
    assert place_of(cli.environment["PAYLOOM_MIGRATE_DATABASE_URL"]) in told.out
    hosts = "postgresql://me:p%40ss@db1:5432,db2:5433/books?sslmode=require"
    assert place_of(hosts) == "db1:5432,db2:5433/books"
    assert place_of("postgresql://me:x@/books?host=/run/pg&port=5432") == "/run/pg/books"


async def test_an_owner_alone_migrates_no_other_database(cli: Cli, tmp_path: Path) -> None:
    refused = await cli.without("PAYLOOM_DATABASE_URL")("db", "migrate")
    assert refused.code == 2
    assert "PAYLOOM_MIGRATE_DATABASE_URL: set PAYLOOM_DATABASE_URL as well" in refused.err
    assert not (tmp_path / "payloom").exists()


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",), ("merchants", "list")])
async def test_without_migrations_nothing_starts(empty: Cli, command: tuple[str, ...]) -> None:
    refused = await empty(*command)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("payloom: The database lacks")
    assert refused.err.endswith("run `payloom db migrate` first\n")


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)])
@pytest.mark.parametrize("role", ["owner", "superuser"])
async def test_nothing_serves_as_who_could_rewrite_the_books(
    cli: Cli, database: str, command: tuple[str, ...], role: Role
) -> None:
    refused = await cli(*command, PAYLOOM_DATABASE_URL=cluster_dsn(role, database))
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("payloom: PAYLOOM_DATABASE_URL is of the role ")
    assert "serve as payloom_app" in refused.err


async def test_migrating_a_database_of_ones_own_needs_its_owner(cli: Cli) -> None:
    refused = await cli.without("PAYLOOM_MIGRATE_DATABASE_URL")("db", "migrate")
    assert refused.code == 1
    assert "PAYLOOM_MIGRATE_DATABASE_URL" in refused.err


async def test_a_database_that_is_away_is_waited_for_with_a_line_in_the_log(
    cli: Cli, dsn: str
) -> None:
    port = any_free()
    parts = urlsplit(dsn)
    elsewhere = f"postgresql://{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}{parts.path}"
    worker = await cli.start("worker", "--json", PAYLOOM_DATABASE_URL=elsewhere)
    assert worker.stderr
    assert worker.stdout
    try:
        line = await asyncio.wait_for(worker.stderr.readline(), 20)
        assert b"database.away" in line, line
        async with forwarding(port, parse_qs(parts.query)["host"][0]):
            assert await asyncio.wait_for(worker.stdout.readline(), 20) == b'{"url": null}\n'
            worker.terminate()
            assert await asyncio.wait_for(worker.wait(), 20) == 0
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.communicate()


@asynccontextmanager
async def forwarding(port: int, sockets: str) -> AsyncIterator[None]:
    """The server's socket on a TCP port."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_unix_connection(f"{sockets}/.s.PGSQL.5432")
        await asyncio.gather(pump(reader, here), pump(there, writer))

    async with await asyncio.start_server(meet, "127.0.0.1", port):
        yield


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


async def test_a_database_that_refuses_us_is_told_at_once(cli: Cli, dsn: str) -> None:
    began = time.monotonic()
    wrong = dsn.replace("payloom_app:", "payloom_app:not")
    refused = await cli("worker", PAYLOOM_DATABASE_URL=wrong)
    assert refused.code == 1
    assert refused.err.startswith("payloom: The database refuses us:")
    assert time.monotonic() - began < 15
    assert "payloom_app:" not in refused.err


async def test_a_role_that_may_not_log_in_is_told_at_once(cli: Cli, database: str) -> None:
    superuser = await asyncpg.connect(cluster_dsn("superuser", database))
    await superuser.execute(f"CREATE ROLE {database} NOLOGIN PASSWORD 'x'")
    try:
        url = urlsplit(cluster_dsn("app", database))
        here = url.netloc.rpartition("@")[2]
        login = urlunsplit(url._replace(netloc=f"{database}:x@{here}"))
        refused = await cli("worker", PAYLOOM_DATABASE_URL=login)
        assert refused.code == 1
        assert refused.err.startswith("payloom: The database refuses us:")
    finally:
        await superuser.execute(f"DROP ROLE {database}")
        await superuser.close()


async def test_a_database_that_nobody_serves_fails_a_small_command(cli: Cli) -> None:
    gone = "postgresql://payloom_app:x@127.0.0.1:9/payloom"
    refused = await cli("merchants", "list", PAYLOOM_DATABASE_URL=gone)
    assert refused.code == 1
    assert refused.err.startswith("payloom: The database cannot be reached:")
    assert len(refused.err.splitlines()) == 1


async def test_shell_hands_the_password_over_where_nobody_sees_it(cli: Cli, dsn: str) -> None:
    shown = await cli("db", "shell", "--json")
    assert shown.json == {"database_url": dsn}
    environment = libpq_environment("postgresql://me:p%40ss@db.example:5433/books?sslmode=require")
    assert environment == {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "me",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "books",
        "PGSSLMODE": "require",
    }


async def test_a_database_of_ones_own_is_not_stopped(cli: Cli) -> None:
    refused = await cli("db", "stop")
    assert (refused.code, "stop a database of yours yourself" in refused.err) == (1, True)
