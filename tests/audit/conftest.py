"""A database after a story, its keepers dismissed: whatever a test breaks in it stays broken."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from payloom.core import ids
from payloom.core.crypto import new_key
from payloom.core.master_keys import MasterKeys
from payloom.runtime import running
from payloom.settings import Settings
from payloom.webhooks.disable import disable_endpoint
from tests import database as server
from tests.scenarios.conftest import sandbox_url as sandbox_url
from tests.scenarios.stage import Stage, open_stage

ORDERS = "/v1/payment-orders"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def unguarded(template: str, sandbox_url: str) -> AsyncIterator[str]:
    """The name of a database without any constraint. Its orders: W-1 paid, W-2 refused, W-3
    canceled and paid all the same, W-4 open. One of its endpoints was switched off."""
    settings = Settings.from_env({"HOME": "."})
    async with server.clone(template) as name:
        dsn = server.dsn_of("app", name)
        async with (
            running(settings, dsn, MasterKeys([new_key()])) as rt,
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
    gone = await stage.post("/v1/webhook-endpoints", {"url": "https://shop.example/gone"})
    whose, which = stage.merchant.merchant_id, ids.parse("whe", gone.json["id"])
    assert await disable_endpoint(stage.rt, whose, which, "gone")
    made = await stage.post(ORDERS, stage.wanted(), **{"Idempotency-Key": "first"})
    await stage.pay(made.json["attempts"][0]["token"])
    await stage.until(made.json["id"], "SUCCEEDED")
    await stage.fault("/v1/checkout/sessions", "status", status=400, method="POST")
    refused = await stage.post(ORDERS, stage.wanted())
    assert refused.status == 422, refused.body
    canceled = await stage.post(ORDERS, stage.wanted())
    await stage.post(f"{ORDERS}/{canceled.json['id']}/cancel", {})
    await stage.pay(canceled.json["attempts"][0]["token"], "4000000000009912")
    await until_returned(stage)
    await stage.post(ORDERS, stage.wanted())


async def until_returned(stage: Stage) -> None:
    async with asyncio.timeout(20), stage.rt.db.statement() as tx:
        done = "SELECT count(*) FROM refunds WHERE state = 'SUCCEEDED'"
        while not await tx.fetchval(done):  # noqa: ASYNC110 rows tell nobody
            await asyncio.sleep(0.02)


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
               WHERE indisunique AND indrelid::regclass::text IN ('attempts', 'refunds')
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
