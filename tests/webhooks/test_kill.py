"""A worker killed while it delivers: what it had in hand is sent again, soon (F53, F55)."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiohttp import web

from payloom.core.db import Tx
from payloom.core.master_keys import MasterKeys
from payloom.runtime import Runtime
from payloom.webhooks.deliver import LEASE_S, Outlet, deliver_due
from tests.webhooks.receiver import Receiver
from tests.webhooks.rows import deliveries, endpoint_at, tell

pytestmark = pytest.mark.crash


async def test_a_killed_workers_deliveries_are_sent_again_within_the_lease(
    rt: Runtime, dsn: str, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    """Two are in hand at the kill: one waits for its answer, one has it but is not recorded."""
    await endpoint_at(rt, merchant, receiver.url + "/waits")
    await endpoint_at(rt, merchant, receiver.url + "/answers")
    receiver.answer = answers_or_waits
    await tell(rt, merchant)
    async with rt.db.transaction() as tx, worker(dsn, rt.master_keys) as process:
        await receiver.wait_for(2)
        # The row locks of this open transaction keep the worker from recording the answer.
        await tx.fetch("SELECT id FROM deliveries FOR UPDATE")
        recording = await blocked(tx)
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        killed_at = time.monotonic()
        # A statement outlives its client; one that a crash of the machine cuts short does not.
        await tx.fetch("SELECT pg_terminate_backend($1, 5000)", recording)
    assert [row["state"] for row in await deliveries(rt)] == ["pending", "pending"]
    first = [(got.path, got.headers["webhook-id"], got.body) for got in receiver.got]

    receiver.got.clear()
    receiver.answer = thanks
    while len(receiver.got) < 2:
        assert time.monotonic() < killed_at + LEASE_S + 2
        await deliver_due(rt, outlet, limit=100)
        await asyncio.sleep(0.05)
    await outlet.settle()

    again = [(got.path, got.headers["webhook-id"], got.body) for got in receiver.got]
    assert Counter(again) == Counter(first)
    assert [(row["state"], row["fence"]) for row in await deliveries(rt)] == [("delivered", 2)] * 2


async def thanks(_request: web.Request) -> web.Response:
    return web.Response()


async def answers_or_waits(request: web.Request) -> web.Response:
    await asyncio.sleep(0.3 if request.path.endswith("/answers") else 60)
    return web.Response()


async def blocked(tx: Tx) -> int:
    """The backend that waits for our locks, as soon as there is one."""
    while True:
        for row in await tx.fetch("SELECT pid FROM pg_locks WHERE NOT granted"):
            pid: int = row["pid"]
            return pid
        await asyncio.sleep(0.02)


@asynccontextmanager
async def worker(dsn: str, keys: MasterKeys) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.webhooks.worker", dsn, keys.setting.reveal()
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
