"""The database goes away in the middle: 503, and nothing that was acknowledged is lost (F76, F80).

On a server of its own, durable, so that others are not disturbed."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from payloom.core import postgres
from payloom.core.crypto import new_key
from payloom.core.master_keys import MasterKeys
from payloom.core.migrate import migrate
from payloom.core.postgres import Postmaster
from payloom.runtime import running
from payloom.settings import Settings
from tests import database as server
from tests.scenarios.invariants import check_invariants
from tests.scenarios.moves import ORDERS, SESSIONS, advance, event, made, return_url, tell, token_of
from tests.scenarios.rows import counted
from tests.scenarios.stage import Stage, open_stage
from tests.scenarios.telling import COMPLETED, check_paid_once, said
from tests.scenarios.test_refusals import check_problem

pytestmark = pytest.mark.crash


@pytest.fixture
def postmaster() -> Iterator[Postmaster]:
    home = Path(tempfile.mkdtemp(prefix="payloom-away-"))
    postmaster = Postmaster(home, version=server.VERSION, durable=True)
    postmaster.start()
    postmaster.wait_ready()
    yield postmaster
    postmaster.stop()
    postgres.remove(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def stage(
    postmaster: Postmaster, settings: Settings, sandbox_url: str
) -> AsyncIterator[Stage]:
    home, version = postmaster.home, postmaster.version
    await migrate(postgres.dsn(home, role="owner", version=version))
    dsn = postgres.dsn(home, role="app", version=version)
    async with (
        running(settings, dsn, MasterKeys([new_key()])) as rt,
        open_stage(rt, sandbox_url) as stage,
    ):
        yield stage
        await check_invariants(stage)


def stop(postmaster: Postmaster) -> None:
    postmaster.stop()


def kill(postmaster: Postmaster) -> None:
    assert postmaster.pid is not None
    os.kill(postmaster.pid, signal.SIGKILL)
    while postmaster.poll() is None:
        time.sleep(0.01)


@pytest.mark.parametrize("end", [stop, kill])
async def test_a_database_that_goes_away_loses_nothing_that_was_acknowledged(
    stage: Stage, postmaster: Postmaster, end: Any
) -> None:
    opened, told = await made(stage), await made(stage)
    await stage.pay(token_of(told))
    assert (await tell(stage, await said(stage, COMPLETED, told))).status == 200
    await stage.fault(SESSIONS, "apply_then_drop", method="POST")
    unanswered = await stage.post(ORDERS, stage.wanted())
    assert unanswered.status == 202
    path = await return_url(stage, opened)
    acknowledged = await counted(stage.rt)

    await asyncio.to_thread(end, postmaster)
    refused = stage.wanted()
    await check_everything_is_unavailable(stage, refused, opened, path)
    await stage.pay(token_of(opened))  # the PSP's notice of it is refused, and comes again

    await asyncio.to_thread(postmaster.start)
    await asyncio.to_thread(postmaster.wait_ready)
    kept = await counted(stage.rt)
    assert all(kept[table] >= acknowledged[table] for table in acknowledged)
    assert kept["payment_orders"] == acknowledged["payment_orders"]
    await advance(stage, 10)
    for order in (opened, told):
        await stage.until(order["id"], "SUCCEEDED")
        await check_paid_once(stage, order)
    await stage.until(unanswered.json["id"], "PENDING")
    assert (await stage.post(ORDERS, refused)).status == 201


async def check_everything_is_unavailable(
    stage: Stage, refused: dict[str, Any], order: dict[str, Any], path: str
) -> None:
    """Each answer is a 503 that says so, and comes soon."""
    async with asyncio.timeout(10):
        replies = [
            await stage.post(ORDERS, refused),
            await stage.post(ORDERS, refused, **{"Idempotency-Key": "k"}),
            await stage.get(f"{ORDERS}/{order['id']}"),
            await stage.get(ORDERS),
            await tell(stage, event("customer.created", {})),
            await stage.send("GET", path, key=None),
            await stage.send("GET", "/readyz", key=None),
        ]
    for reply in replies:
        check_problem(reply, 503, "database_unavailable")
    assert (await stage.send("GET", "/healthz", key=None)).status == 200
