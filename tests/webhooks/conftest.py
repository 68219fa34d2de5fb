"""Merchants with endpoints at a real receiver."""

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID
import asyncio
import asyncpg
import pytest

from payloom.core import postgres
from payloom.core.migrate import migrate
from payloom.runtime import Runtime, running
from payloom.settings import Settings
from payloom.merchants.merchants import NewMerchant, create_merchant
from payloom.webhooks.deliver import Outlet, open_outlet
from tests.webhooks.receiver import Receiver, open_receiver


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    yield home
    postgres.remove(home)


@pytest.fixture(scope="session")
def template(home: Path) -> str:
    owner = postgres.dsn(home, role="owner", durable=False)
    asyncio.run(migrate(owner))
    return "payloom"


@pytest.fixture
async def database(home: Path, template: str) -> AsyncIterator[str]:
    name = f"t_{secrets.token_hex(6)}"
    root = postgres.dsn(home, role="superuser", durable=False)
    connection = await asyncpg.connect(root.replace("/payloom?", "/postgres?"))
    await connection.execute(
        f"CREATE DATABASE {name} TEMPLATE {template} OWNER payloom_owner STRATEGY file_copy"
    )
    yield name
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def dsn(home: Path, database: str) -> str:
    return postgres.dsn(home, role="app", durable=False).replace("/payloom?", f"/{database}?")


@pytest.fixture
async def rt(dsn: str) -> AsyncIterator[Runtime]:
    async with running(Settings.from_env({}), dsn, secrets.token_bytes(32)) as rt:
        yield rt


@pytest.fixture
async def shop(rt: Runtime) -> NewMerchant:
    """A merchant in test mode whose receivers may be on this machine."""
    rt.settings = replace(rt.settings, webhooks_to_loopback=True)
    return await create_merchant(rt, "Tea and Cups", "test")


@pytest.fixture
def merchant(shop: NewMerchant) -> UUID:
    return shop.merchant_id


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as receiver:
        yield receiver


@pytest.fixture
async def outlet(rt: Runtime, shop: NewMerchant) -> AsyncIterator[Outlet]:
    """Retries come at exactly the pauses of the table."""
    async with open_outlet(rt, chance=lambda: 0.5) as outlet:
        yield outlet


@pytest.fixture
async def owner(home: Path, database: str) -> AsyncIterator[Runtime]:
    """The tables' owner, for what the app role may not do."""
    dsn = postgres.dsn(home, role="owner", durable=False).replace("/payloom?", f"/{database}?")
    async with running(Settings.from_env({}), dsn, secrets.token_bytes(32)) as owner:
        yield owner
