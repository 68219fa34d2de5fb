"""Notices that come too early, are poisoned, or whose worker is killed (F43, F44)."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from payloom.core.db import Tx
from payloom.notices.apply import TRIES_MAX, apply_waiting
from payloom.runtime import Runtime
from tests.database import dsn_of
from tests.scenarios.moves import (
    ORDERS,
    SESSIONS,
    advance,
    causes,
    cure,
    job_runs_now,
    made,
    notices,
    poison,
    rest,
    shown,
    tell,
    token_of,
    until_notices,
)
from tests.scenarios.stage import Stage, working
from tests.scenarios.telling import COMPLETED, check_paid_once, lose_notices, said


async def test_a_notice_faster_than_our_registration_waits_for_it(stage: Stage) -> None:
    """The PSP's answer is lost; its page is found and paid before we have asked again."""
    await stage.fault(SESSIONS, "apply_then_drop", method="POST")
    reply = await stage.post(ORDERS, stage.wanted())
    assert (reply.status, reply.json["payment_order_status"]) == (202, "CREATED")
    await stage.fault(SESSIONS, "drop", method="POST", count=2)
    (session,) = (await stage.sandbox("GET", SESSIONS))["data"]
    await stage.pay(session["id"])
    await until_notices(stage, "stored", type=COMPLETED, remark="Paid does not follow REGISTERING")
    async with asyncio.timeout(20):
        while (await shown(stage, reply.json["id"]))["payment_order_status"] != "SUCCEEDED":
            await advance(stage, 5)
            await asyncio.sleep(0.1)
    await check_paid_once(stage, reply.json)
    assert (await causes(stage, reply.json["id"]))[-1] == ("Paid", "notice")


async def test_a_poisoned_notice_stops_only_itself(stage: Stage, owner: Runtime) -> None:
    await rest(stage)
    await lose_notices(stage)
    orders = [await made(stage) for _ in range(3)]
    for order in orders:
        await stage.pay(token_of(order))
        await tell(stage, await said(stage, COMPLETED, order))
    await poison(owner, orders[1]["id"])
    with capture_logs():  # the tracebacks take a second each to draw
        assert await apply_waiting(stage.rt, limit=200) == 3
    statuses = [(await shown(stage, order["id"]))["payment_order_status"] for order in orders]
    assert statuses == ["SUCCEEDED", "PENDING", "SUCCEEDED"]
    (stuck,) = await notices(stage, state="stored")
    assert "poisoned" in stuck["remark"]

    with capture_logs():
        for taken in [1] * (TRIES_MAX - 1) + [0]:
            await advance(stage, 2**TRIES_MAX)
            assert await apply_waiting(stage.rt, limit=200) == taken
    (stuck,) = await notices(stage, state="quarantined")
    assert stuck["tries"] == TRIES_MAX

    await cure(owner)  # and what it told is learned all the same: from the PSP, by the job
    await job_runs_now(stage)
    async with working(stage.rt):
        await stage.until(orders[1]["id"], "SUCCEEDED")
    await check_paid_once(stage, orders[1])


@pytest.mark.crash
async def test_a_worker_killed_while_it_applies_loses_nothing(
    stage: Stage, dsn: str, tmp_path: Path
) -> None:
    """Acknowledged is kept (I13): two notices are in the hands of a worker that dies."""
    await rest(stage)
    await lose_notices(stage)
    orders = [await made(stage) for _ in range(2)]
    for order in orders:
        await stage.pay(token_of(order))
        assert (await tell(stage, await said(stage, COMPLETED, order))).status == 200
    async with stage.rt.db.transaction() as tx:
        # The row locks of this open transaction keep the worker from recording anything.
        await tx.fetch("SELECT id FROM payment_orders FOR UPDATE")
        async with worker_process(stage, dsn, tmp_path) as process:
            applying = await blocked(tx)
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        await end_session(applying)
    assert {(kept["state"], kept["tries"]) for kept in await notices(stage)} == {("stored", 0)}
    assert {(await shown(stage, order["id"]))["payment_order_status"] for order in orders} == {
        "PENDING"
    }
    async with worker_process(stage, dsn, tmp_path):
        for order in orders:
            await stage.until(order["id"], "SUCCEEDED")
            await check_paid_once(stage, order)
            assert (await causes(stage, order["id"]))[-1] == ("Paid", "notice")


async def end_session(pid: int) -> None:
    """What the kernel does when a worker's machine is gone; on a server of yours it takes a
    superuser."""
    superuser = await asyncpg.connect(dsn_of("superuser", "postgres"))
    await superuser.fetch("SELECT pg_terminate_backend($1, 5000)", pid)
    await superuser.close()


@asynccontextmanager
async def worker_process(
    stage: Stage, dsn: str, home: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`payloom worker` on the stage's database."""
    environ = {
        **os.environ,
        "PAYLOOM_HOME": str(home),
        "PAYLOOM_DATABASE_URL": dsn,
        "PAYLOOM_MASTER_KEY": stage.rt.master_keys.setting.reveal(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "payloom.cli", "worker", env=environ,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def blocked(tx: Tx) -> int:
    """The backend that waits for our locks, as soon as there is one."""
    async with asyncio.timeout(20):
        while True:
            for row in await tx.fetch("SELECT pid FROM pg_locks WHERE NOT granted"):
                pid: int = row["pid"]
                return pid
            await asyncio.sleep(0.02)
