"""Real PostgreSQL for every test: one cluster a run, one template migrated once, a clone a test."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from payloom.core import postgres
from payloom.core.migrate import migrate
from payloom.runtime import Runtime, running
from payloom.settings import Settings

_HOME = "TEST_CLUSTER_HOME"
_VERSION = int(os.environ.get("TEST_PG", "18"))


def pytest_configure(config: pytest.Config) -> None:
    """The first process names the cluster's home; those it starts share it."""
    if _HOME not in os.environ:
        os.environ[_HOME] = tempfile.mkdtemp(prefix="payloom-tests-")
        config.stash[_OWNS_HOME] = True


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.stash.get(_OWNS_HOME, False):
        home = Path(os.environ.pop(_HOME))
        postgres.remove(home)
        shutil.rmtree(home, ignore_errors=True)


_OWNS_HOME = pytest.StashKey[bool]()


def cluster_dsn(role: postgres.Role, database: str = "payloom") -> str:
    """How to reach a database of the tests' cluster, started on first use; fsync is off."""
    dsn = postgres.dsn(Path(os.environ[_HOME]), role=role, version=_VERSION, durable=False)
    return dsn.replace("/payloom?", f"/{database}?")


@pytest.fixture(scope="session")
def template() -> str:
    """A migrated database that nobody connects to any more."""
    asyncio.run(migrate(cluster_dsn("owner")))
    return "payloom"


@pytest.fixture
async def database(template: str) -> AsyncIterator[str]:
    """The name of a fresh clone; it goes with the test."""
    name = f"t_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(cluster_dsn("superuser", "postgres"))
    await connection.execute(
        f"CREATE DATABASE {name} TEMPLATE {template} OWNER payloom_owner STRATEGY file_copy"
    )
    yield name
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
def dsn(database: str) -> str:
    """As the app role, as every process of ours connects."""
    return cluster_dsn("app", database)


@pytest.fixture
def settings() -> Settings:
    return Settings.from_env({"PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes", "HOME": "."})


@pytest.fixture
async def rt(dsn: str, settings: Settings) -> AsyncIterator[Runtime]:
    async with running(settings, dsn, secrets.token_bytes(32)) as rt:
        yield rt


@pytest.fixture
async def owner(database: str, settings: Settings) -> AsyncIterator[Runtime]:
    """The tables' owner, for what the app role may not do."""
    async with running(settings, cluster_dsn("owner", database), secrets.token_bytes(32)) as owner:
        yield owner
