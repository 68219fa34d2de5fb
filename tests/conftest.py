"""Real PostgreSQL for every test: one server a run, one template migrated once, a clone a test."""

from collections.abc import AsyncIterator

import hypothesis
import pytest

from payloom.core import postgres
from payloom.core.crypto import new_key
from payloom.core.master_keys import MasterKeys
from payloom.runtime import Runtime, running
from payloom.settings import Settings
from tests import database as server

# A busy machine breaks no law: what counts is the answer, not how long it took.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

_OWNS_HOME = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """The first process names the server's home; those it starts share it."""
    config.stash[_OWNS_HOME] = server.name_home()


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.stash.get(_OWNS_HOME, False):
        server.remove_home()


def cluster_dsn(role: postgres.Role, database: str = "payloom") -> str:
    """How to reach a database of the tests' server as one of our roles."""
    return server.dsn_of(role, database)


@pytest.fixture(scope="session")
def template() -> str:
    """A migrated database that nobody connects to."""
    return server.make_template()


@pytest.fixture
async def database(template: str) -> AsyncIterator[str]:
    """The name of a fresh clone; it goes with the test."""
    async with server.clone(template) as name:
        yield name


@pytest.fixture
def dsn(database: str) -> str:
    """As the app role, as every process of ours connects."""
    return cluster_dsn("app", database)


@pytest.fixture
def settings() -> Settings:
    """Without the sweep: a safety net must not hide a broken path. Its own tests switch it on."""
    told = {"PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes", "PAYLOOM_SWEEP": "no", "HOME": "."}
    return Settings.from_env(told)


@pytest.fixture
async def rt(dsn: str, settings: Settings) -> AsyncIterator[Runtime]:
    async with running(settings, dsn, MasterKeys([new_key()])) as rt:
        yield rt


@pytest.fixture
async def owner(database: str, settings: Settings) -> AsyncIterator[Runtime]:
    """The tables' owner, for what the app role may not do."""
    async with running(settings, cluster_dsn("owner", database), MasterKeys([new_key()])) as owner:
        yield owner
