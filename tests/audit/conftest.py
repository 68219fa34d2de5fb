"""A database after a story, its keepers dismissed: whatever a test breaks in it stays broken."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from payloom.runtime import running
from payloom.settings import Settings
from tests import database as server
from tests.scenarios.conftest import sandbox_url as sandbox_url
from tests.scenarios.stage import Stage, open_stage

ORDERS = "/v1/payment-orders"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def unguarded(template: str, sandbox_url: str) -> AsyncIterator[str]:
    """The name of a database with one paid and one refused order, without any constraint."""
    settings = Settings.from_env({"HOME": "."})
    async with server.clone(template) as name:
        dsn = server.dsn_of("app", name)
        async with (
            running(settings, dsn, secrets.token_bytes(32)) as rt,
            open_stage(rt, sandbox_url) as stage,
        ):
            await _play(stage)
        connection = await asyncpg.connect(server.dsn_of("owner", name))
        await connection.execute(_DISMISS_KEEPERS)
        await connection.close()
        yield name


@pytest.fixture
async def books(unguarded: str) -> AsyncIterator[asyncpg.Connection]:
    """A transaction in that database that leaves nothing behind."""
    connection = await asyncpg.connect(server.dsn_of("owner", unguarded))
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def _play(stage: Stage) -> None:
    await stage.post("/v1/webhook-endpoints", {"url": "https://shop.example/hooks"})
    made = await stage.post(ORDERS, stage.wanted(), **{"Idempotency-Key": "first"})
    await stage.pay(made.json["attempts"][0]["token"])
    await stage.until(made.json["id"], "SUCCEEDED")
    await stage.fault("/v1/checkout/sessions", "status", status=400, method="POST")
    refused = await stage.post(ORDERS, stage.wanted())
    assert refused.status == 422, refused.body


_DISMISS_KEEPERS = """
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT conrelid::regclass AS name, conname FROM pg_constraint
               WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'c', 'u', 'p')
               ORDER BY contype IN ('u', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', it.name, it.conname);
    END LOOP;
    FOR it IN SELECT indexrelid::regclass AS name FROM pg_index
               WHERE indisunique AND indrelid::regclass::text = 'attempts'
    LOOP
        EXECUTE format('DROP INDEX %s', it.name);
    END LOOP;
    FOR it IN SELECT oid::regclass AS name FROM pg_class
               WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', it.name);
    END LOOP;
END $$;
"""
