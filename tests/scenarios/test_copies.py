"""A thousand copies of one registration: one order, one page at the PSP (F01 to F03)."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from payloom.core import ids
from payloom.runtime import running
from tests.scenarios.moves import ORDERS, SESSIONS, job_runs_now, shown, token_of
from tests.scenarios.stage import Reply, Stage, serving

COPIES = 1_000
KEY = "Idempotency-Key"


@asynccontextmanager
async def second_api(stage: Stage, dsn: str) -> AsyncIterator[str]:
    """Another API process, but for the process: it shares nothing with the first but the rows."""
    async with (
        running(stage.rt.settings, dsn, stage.rt.master_keys) as rt,
        serving(rt) as url,
    ):
        yield url


async def copies(stage: Stage, urls: list[str], body: object, **headers: str) -> list[Reply]:
    """COPIES posts of one body at once, by turns to these APIs."""
    headers["Authorization"] = f"Bearer {stage.merchant.api_key.reveal()}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def post(url: str) -> Reply:
            async with http.post(url + ORDERS, json=body, headers=headers) as response:
                return Reply(response.status, await response.read(), dict(response.headers))

        return await asyncio.gather(*(post(urls[n % len(urls)]) for n in range(COPIES)))


async def nothing_is_double(stage: Stage) -> str:
    """One order, one attempt, one session at the PSP that was asked for once; the order's id."""
    async with stage.rt.db.statement() as tx:
        orders = await tx.fetch("SELECT id FROM payment_orders")
        attempts = await tx.fetch("SELECT id FROM attempts")
    assert (len(orders), len(attempts)) == (1, 1)
    await one_session(stage)
    assert len(await stage.sandbox_log(SESSIONS)) == 1
    return ids.text("po", orders[0]["id"])


async def one_session(stage: Stage) -> None:
    sessions = (await stage.sandbox("GET", SESSIONS))["data"]
    assert len(sessions) == 1
    # Whoever asked, and however often, asked under one key.
    asked = await stage.sandbox_log(SESSIONS)
    assert len({entry["idempotency_key"] for entry in asked}) == 1


async def kept(stage: Stage) -> list[dict[str, Any]]:
    """What is kept under keys; an answer still to come has no status."""
    async with stage.rt.db.statement() as tx:
        return [dict(row) for row in await tx.fetch("SELECT * FROM idempotency_keys ORDER BY key")]


# --- a thousand at once ------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2])
async def test_with_a_key_all_copies_get_one_status_and_one_body(
    stage: Stage, dsn: str, processes: int
) -> None:
    async with second_api(stage, dsn) as other:
        urls = [stage.api_url, other][:processes]
        replies = await copies(stage, urls, stage.wanted(), **{KEY: "k-1"})
    assert Counter(reply.status for reply in replies) == {201: COPIES}
    assert len({reply.body for reply in replies}) == 1
    assert replies[0].json["id"] == await nothing_is_double(stage)


async def test_without_a_key_one_copy_makes_the_order_and_the_rest_find_it(
    stage: Stage, dsn: str
) -> None:
    await stage.fault(SESSIONS, "late", delay_s=3, method="POST")  # the first is long under way
    async with second_api(stage, dsn) as other:
        replies = await copies(stage, [stage.api_url, other], stage.wanted())
    statuses = Counter(reply.status for reply in replies)
    assert statuses[201] == 1
    assert set(statuses) <= {200, 201, 202}
    assert statuses[202] > 0, "none came while the first was under way: these were not copies"
    assert {reply.json["id"] for reply in replies} == {await nothing_is_double(stage)}


async def test_keys_of_their_own_do_not_make_two_orders_of_one_reference(stage: Stage) -> None:
    body = stage.wanted()
    replies = await asyncio.gather(
        *(stage.post(ORDERS, body, **{KEY: f"click-{n}"}) for n in range(20))
    )
    statuses = Counter(reply.status for reply in replies)
    assert statuses[201] == 1
    assert set(statuses) <= {200, 201, 202}
    assert {reply.json["id"] for reply in replies} == {await nothing_is_double(stage)}


# --- the same key ------------------------------------------------------------------------------


async def test_the_key_with_another_body_is_refused_during_and_after(
    stage: Stage, dsn: str
) -> None:
    body = stage.wanted()
    others = [
        stage.wanted(reference=body["reference"], amount=body["amount"] + 1),
        stage.wanted(reference=body["reference"], description="another"),
        stage.wanted(),
    ]
    await stage.fault(SESSIONS, "late", delay_s=0.5, method="POST")
    async with second_api(stage, dsn) as other_api:
        first = asyncio.create_task(stage.post(ORDERS, body, **{KEY: "k"}))
        await until_placed(stage)
        during = [await stage.post(ORDERS, each, **{KEY: "k"}) for each in others]
        assert not first.done()
        there = await post_to(other_api, stage, others[0], "k")
    after = [await stage.post(ORDERS, each, **{KEY: "k"}) for each in others]
    assert (await first).status == 201
    for reply in [*during, there, *after]:
        assert (reply.status, reply.json["code"]) == (422, "idempotency_key_reused")
    await nothing_is_double(stage)


async def test_the_same_request_written_otherwise_is_the_same(stage: Stage) -> None:
    body = stage.wanted()
    first = await stage.post(ORDERS, body, **{KEY: "k"})
    turned = dict(reversed(body.items()))
    spaced = json.dumps(turned, indent=4).encode()
    again = await stage.send(
        "POST", ORDERS, data=spaced, headers={KEY: "k", "Content-Type": "application/json"}
    )
    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)


async def test_a_202_is_not_kept_and_the_final_answer_is(stage: Stage) -> None:
    body = stage.wanted()
    await stage.fault(SESSIONS, "drop", method="POST")
    first = await stage.post(ORDERS, body, **{KEY: "k"})
    assert (first.status, first.json["payment_order_status"]) == (202, "CREATED")
    assert await kept(stage) == []

    again = await stage.post(ORDERS, body, **{KEY: "k"})
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert await kept(stage) == []

    await job_runs_now(stage)
    await stage.until(first.json["id"], "PENDING")
    final = await stage.post(ORDERS, body, **{KEY: "k"})
    assert (final.status, final.json["redirect_url"] is not None) == (200, True)
    assert [row["status"] for row in await kept(stage)] == [200]

    await stage.pay(token_of(final.json))
    await stage.until(first.json["id"], "SUCCEEDED")
    repeated = await stage.post(ORDERS, body, **{KEY: "k"})
    assert (repeated.status, repeated.body) == (200, final.body)
    await one_session(stage)


async def test_a_refusal_decided_after_our_commit_is_kept_byte_for_byte(
    stage: Stage, dsn: str
) -> None:
    body = stage.wanted()
    await stage.fault(SESSIONS, "status", status=400, method="POST")
    first = await stage.post(ORDERS, body, **{KEY: "k"})
    assert (first.status, first.json["code"]) == (422, "registration_refused")
    assert (await shown(stage, first.json["payment_order"]))["payment_order_status"] == "FAILED"
    async with second_api(stage, dsn) as other:
        again = [await stage.post(ORDERS, body, **{KEY: "k"})]
        again.append(await post_to(other, stage, body, "k"))
    for reply in again:
        assert (reply.status, reply.body) == (first.status, first.body)
        assert reply.headers["content-type"] == first.headers["content-type"]
    assert len(await stage.sandbox_log(SESSIONS)) == 1


async def test_a_reference_conflict_is_kept_too(stage: Stage) -> None:
    body = stage.wanted()
    await stage.post(ORDERS, body)
    other = {**body, "amount": body["amount"] + 1}
    first = await stage.post(ORDERS, other, **{KEY: "k"})
    assert (first.status, first.json["code"]) == (409, "reference_conflict")
    again = await stage.post(ORDERS, other, **{KEY: "k"})
    assert (again.status, again.body) == (first.status, first.body)
    await nothing_is_double(stage)


async def test_a_refusal_decided_before_our_commit_is_not_kept(stage: Stage) -> None:
    wrong = await stage.post(ORDERS, stage.wanted(amount=0), **{KEY: "k"})
    assert wrong.status == 422
    assert await kept(stage) == []
    assert (await stage.post(ORDERS, stage.wanted(), **{KEY: "k"})).status == 201


# --- a process that dies -----------------------------------------------------------------------


@pytest.mark.crash
async def test_the_key_of_a_killed_api_is_taken_over(
    stage: Stage, dsn: str, tmp_path: Path
) -> None:
    """It wrote the order and its claim, asked the PSP, and never heard the answer."""
    body = stage.wanted()
    await stage.fault(SESSIONS, "late", delay_s=0.5, method="POST")
    async with api_process(stage, dsn, tmp_path) as (process, url):
        doomed = asyncio.create_task(post_to(url, stage, body, "k"))
        await until_placed(stage)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(aiohttp.ClientError):
            await doomed
    assert [row["status"] for row in await kept(stage)] == [None]

    async with stage.rt.db.statement() as tx:  # 12 s later
        await tx.execute("UPDATE idempotency_keys SET lease_until = clock_timestamp()")
    asked = asyncio.get_running_loop().time()
    again = await stage.post(ORDERS, body, **{KEY: "k"})
    assert asyncio.get_running_loop().time() - asked < 2
    assert (again.status, again.json["payment_order_status"]) == (202, "CREATED")

    await asyncio.sleep(0.5)  # the PSP is done with the first
    await job_runs_now(stage)
    await stage.until(again.json["id"], "PENDING")
    final = await stage.post(ORDERS, body, **{KEY: "k"})
    assert (final.status, final.json["id"]) == (200, again.json["id"])
    assert [row["status"] for row in await kept(stage)] == [200]
    await one_session(stage)


async def post_to(url: str, stage: Stage, body: object, key: str) -> Reply:
    headers = {"Authorization": f"Bearer {stage.merchant.api_key.reveal()}", KEY: key}
    async with stage.http.post(url + ORDERS, json=body, headers=headers) as response:
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, await response.read(), lower)


async def until_placed(stage: Stage) -> None:
    """Wait until an order is written and the PSP asked."""
    async with asyncio.timeout(10), stage.rt.db.statement() as tx:
        while True:
            if await tx.fetchval("SELECT true FROM payment_orders"):
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def api_process(stage: Stage, dsn: str, home: Path) -> AsyncIterator[tuple[Process, str]]:
    """`payloom serve` on the stage's database, and its URL."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PAYLOOM_")},
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PAYLOOM_DATABASE_URL": dsn,
        "PAYLOOM_PUBLIC_URL": stage.api_url,
        "PAYLOOM_MASTER_KEY": stage.rt.master_keys.setting.reveal(),
    }
    command = (sys.executable, "-m", "payloom.cli", "serve", "--port", "0", "--json")
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield process, json.loads(line)["url"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
