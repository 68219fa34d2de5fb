"""serve, worker, sandbox: real processes that start, answer, and end well."""

import asyncio
import contextlib
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from payloom.runtime import Runtime
from tests.cli.conftest import Cli
from tests.scenarios.moves import SECRET, event
from tests.scenarios.telling import signed

WITHIN_S = 30


@asynccontextmanager
async def running(cli: Cli, *arguments: str) -> AsyncIterator[tuple[Process, Any]]:
    """The process, and what it said when it was ready."""
    process = await cli.start(*arguments, "--json")
    try:
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), WITHIN_S)
        assert line, (await process.communicate())[1].decode()
        yield process, json.loads(line)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def status_of(url: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert "server" not in {name.lower() for name in response.headers}
        return response.status


async def until_told(url: str, wanted: str) -> None:
    async with asyncio.timeout(WITHIN_S), aiohttp.ClientSession() as http:
        while True:
            async with http.get(url) as response:
                if wanted in await response.text():
                    return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_api_serves_until_it_is_told_to_stop(cli: Cli, number: signal.Signals) -> None:
    async with running(cli, "serve", "--port", "0") as (process, ready):
        assert await status_of(ready["url"] + "/readyz") == 200
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0


async def test_several_processes_share_a_port_and_end_together(cli: Cli) -> None:
    async with running(cli, "serve", "--port", "0", "--workers", "2") as (process, ready):
        assert ready["processes"] == 2
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    assert await status_of(ready["url"] + "/readyz") == 200
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0
        gone, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
        assert len(gone) >= 2


async def test_the_api_can_do_the_workers_work(cli: Cli) -> None:
    async with running(cli, "serve", "--port", "0", "--with-worker") as (process, ready):
        # What upkeep measures, which only the worker does.
        await until_told(ready["url"] + "/metrics", 'payloom_waiting{queue="notices"}')
        process.terminate()
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0


async def test_a_port_that_is_taken_is_one_sentence(cli: Cli) -> None:
    async with running(cli, "serve", "--port", "0") as (_, ready):
        port = ready["url"].rpartition(":")[2]
        second = await cli("serve", "--port", port)
        assert second.code == 1
        assert f"Cannot listen on 127.0.0.1, port {port}" in second.err
        third = await cli("worker", "--metrics-port", port)
        assert (third.code, f"port {port}" in third.err) == (1, True)


async def test_the_worker_has_a_door_for_operators(cli: Cli) -> None:
    async with running(cli, "worker", "--metrics-port", "0") as (process, ready):
        assert ready["url"].startswith("http://127.0.0.1:")
        async with aiohttp.ClientSession() as http:
            async with http.get(ready["url"] + "/healthz") as response:
                assert await response.json() == {"status": "ok"}
            async with http.get(ready["url"] + "/metrics") as response:
                assert "payloom_jobs_total" in await response.text()
        process.terminate()
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0


async def test_the_sandbox_says_where_it_is(bare: Cli) -> None:
    async with running(bare, "sandbox", "--port", "0") as (process, ready):
        assert await status_of(ready["url"] + "/healthz") == 200
        process.terminate()
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0


async def test_a_sandbox_in_the_way_of_another_is_one_sentence(bare: Cli, tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "sandbox.sqlite"))
    async with running(bare, "sandbox", "--port", "0", *store) as (_, ready):
        port = ready["url"].rpartition(":")[2]
        for arguments, told in (
            (("--port", port), f"Cannot listen on 127.0.0.1, port {port}: "),
            (("--port", "0", *store), "sandbox.sqlite is in use by another sandbox"),
        ):
            second = await bare("sandbox", *arguments)
            assert (second.code, second.out) == (1, "")
            assert second.err.startswith("payloom: ")
            assert told in second.err
            assert len(second.err.splitlines()) == 1


async def test_a_bug_is_answered_and_logged_once_under_the_requests_id(
    cli: Cli, owner: Runtime
) -> None:
    headers = {"Authorization": f"Bearer {(await cli.merchant())['api_key']}"}
    async with owner.db.statement() as tx:  # what no code of ours expects
        await tx.execute("ALTER TABLE events RENAME TO elsewhere")
    async with running(cli, "serve", "--port", "0") as (process, ready):
        headers["X-Request-Id"] = "the-shops-own-id"
        url = ready["url"] + "/v1/events"
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (500, "internal_error")
            assert response.headers["X-Request-Id"] == "the-shops-own-id"
        process.terminate()
        _, err = await asyncio.wait_for(process.communicate(), WITHIN_S)
    lines = [json.loads(line) for line in err.splitlines()]  # nothing there that is no JSON
    told = [(each["event"], each["correlation_id"]) for each in lines if "correlation_id" in each]
    assert told == [("request.bug", "the-shops-own-id"), ("request", "the-shops-own-id")]
    (bug,) = (each for each in lines if "exception" in each)
    assert 'relation "events" does not exist' in bug["exception"]


async def test_a_head_without_end_is_hung_up_on(cli: Cli) -> None:
    async with running(cli, "serve", "--port", "0") as (_, ready):
        port = int(ready["url"].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-big: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                writer.write(b"a" * 65_536)
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            answer = await asyncio.wait_for(reader.read(), 10)
            assert answer.startswith(b"HTTP/1.1 431 ") or answer == b""
        writer.close()
        assert await status_of(ready["url"] + "/healthz") == 200


async def test_a_request_in_flight_is_finished_before_the_api_stops(cli: Cli) -> None:
    """Its body comes only after the signal, and it is answered all the same."""
    key = (await cli.merchant())["api_key"]
    body = b'{"reference": "W-1"}'
    async with running(cli, "serve", "--port", "0") as (process, ready):
        port = int(ready["url"].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /v1/payment-orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
            + key.encode()
            + b"\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        await writer.drain()
        await asyncio.sleep(0.5)
        process.terminate()
        await asyncio.sleep(0.3)
        writer.write(body)
        answer = await asyncio.wait_for(reader.read(), 10)
        assert answer.startswith(b"HTTP/1.1 422 "), answer
        writer.close()
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0


# --- PAYLOOM_CRASH_AT, which is for tests of crashes -----------------------------------------


@pytest.mark.crash
async def test_a_process_sent_to_a_point_is_killed_there(cli: Cli) -> None:
    armed = cli.without(PAYLOOM_CRASH_AT="notice.stored:1")
    merchant = (await cli.merchant())["merchant_id"]
    made = await cli(
        "connections", "add", "stripe", "--merchant", merchant, "--json",
        STRIPE_API_KEY="sk_test_" + "x" * 24, STRIPE_WEBHOOK_SECRET=SECRET,
    )  # fmt: skip
    async with running(armed, "serve", "--port", "0") as (process, ready):
        url = f"{ready['url']}/psp/stripe/{made.json['connection_id']}/notices"
        raw = json.dumps(event("charge.succeeded", {"id": "ch_1"})).encode()
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientError):
                await http.post(url, data=raw, headers={"Stripe-Signature": signed(raw)})
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == -signal.SIGKILL


@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("worker",)])
async def test_no_process_can_be_sent_to_a_point_where_real_money_is(
    cli: Cli, words: tuple[str, ...]
) -> None:
    await cli.merchant("live")

    ended = await cli(*words, PAYLOOM_CRASH_AT="notice.stored:1")

    assert ended.code == 1
    assert "PAYLOOM_CRASH_AT is for tests, and there is a merchant in live mode" in ended.err
    assert "ready" not in ended.out
