"""What a chain stands on: a database of its own with fsync on, and a sandbox as the PSP."""

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg

from payloom.core.crypto import new_key
from payloom.core.master_keys import MasterKeys
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime, running
from payloom.settings import Settings
from payloom.webhooks.endpoints import create_endpoint, signing_secrets
from payloom.worker import Worker
from tests import database as server
from tests.crash.relay import Relay
from tests.crash.shop import Shop
from tests.crash.stories import FLAKY, SESSIONS
from tests.scenarios.moves import advance
from tests.scenarios.stage import Stage, connect_psp, fresh_psp_key
from tests.webhooks.receiver import open_receiver

# Of the orders described as flaky every change but the third is refused, once they have a page.
_FLAKY = f"""
CREATE SEQUENCE flaky;
CREATE FUNCTION be_flaky() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF nextval('flaky') % 3 <> 0 THEN RAISE EXCEPTION 'flaky'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER flaky BEFORE UPDATE ON payment_orders FOR EACH ROW
WHEN (OLD.description = '{FLAKY}' AND OLD.payment_order_status <> 'CREATED')
EXECUTE FUNCTION be_flaky();
"""


@dataclass(frozen=True, slots=True)
class World:
    """What all chains of a run share."""

    home: Path
    sandbox_url: str


@dataclass(frozen=True, slots=True)
class Ground:
    """One chain's own: `rt` is the judge's, `environ` what the processes are started with."""

    rt: Runtime
    shop: Shop
    environ: dict[str, str]


@contextmanager
def open_world() -> Iterator[World]:
    """A cluster with a migrated template, and a sandbox; both go with the run."""
    os.environ.pop(server.HOME, None)  # the tests' own server is not durable
    server.name_home(durable=True)
    with tempfile.TemporaryDirectory(prefix="payloom-crash-") as home:
        sandbox = subprocess.Popen(
            [sys.executable, "-m", "payloom.sandbox", "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            server.make_template()
            assert sandbox.stdout is not None
            url = next(word for word in sandbox.stdout.readline().split() if "://" in word)
            yield World(Path(home), url.rstrip("/"))
        finally:
            ended = sandbox.poll()
            sandbox.terminate()
            sandbox.communicate()
            server.remove_home()
            assert ended is None, f"the sandbox ended by itself, with {ended}"


@asynccontextmanager
async def open_ground(
    world: World, api: Relay, psp: Relay, *, is_swept: bool
) -> AsyncIterator[Ground]:
    """A merchant with its shop, connected to the sandbox by way of `psp`."""
    keys = MasterKeys([new_key()])
    async with server.clone(server.TEMPLATE) as name:
        await _make_some_orders_flaky(name)
        environ = {
            "PAYLOOM_HOME": str(world.home),
            "PAYLOOM_DATABASE_URL": server.dsn_of("app", name),
            "PAYLOOM_DATABASE_POOL": "5",
            "PAYLOOM_MASTER_KEY": keys.setting.reveal(),
            "PAYLOOM_PUBLIC_URL": api.url,
            "PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes",
            "PAYLOOM_SWEEP": "yes" if is_swept else "no",
            "PAYLOOM_LOG_LEVEL": "WARNING",
        }
        settings = Settings.from_env(environ)
        psp.target = int(world.sandbox_url.rpartition(":")[2])
        async with (
            running(settings, environ["PAYLOOM_DATABASE_URL"], keys) as rt,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as http,
            open_receiver() as receiver,
        ):
            stages = [await _stage(rt, http, world, api.url, psp.url) for _ in range(3)]
            merchant_id = stages[0].merchant.merchant_id
            endpoint = await create_endpoint(rt, merchant_id, "test", receiver.url, None)
            (secret,) = await signing_secrets(rt, merchant_id, endpoint.id)
            await advance(stages[0], 60)  # so that no event is as young as its endpoint
            await stages[1].fault(SESSIONS, "drop", method="POST", count=-1)
            await stages[2].fault(SESSIONS, "status", status=400, method="POST", count=-1)
            shop, mute, shunned = (Shop(stage, receiver, secret.reveal()) for stage in stages)
            shop.is_swept, shop.mute, shop.shunned = is_swept, mute, shunned
            receiver.answer = shop.take
            yield Ground(rt, shop, environ)


async def _stage(
    rt: Runtime, http: aiohttp.ClientSession, world: World, api_url: str, psp_url: str
) -> Stage:
    """A merchant and its tenant of the sandbox."""
    merchant, psp_key = await create_merchant(rt, "Corner Shop", "test"), fresh_psp_key()
    connection_id = await connect_psp(
        rt, http, merchant, api_url=api_url, sandbox_url=psp_url, psp_key=psp_key
    )
    # Nobody runs this worker: those of the processes are the ones that work.
    worker = Worker(rt)
    return Stage(rt, api_url, world.sandbox_url, merchant, connection_id, psp_key, http, worker)


async def _make_some_orders_flaky(database: str) -> None:
    connection = await asyncpg.connect(server.dsn_of("owner", database))
    try:
        await connection.execute(_FLAKY)
    finally:
        await connection.close()
