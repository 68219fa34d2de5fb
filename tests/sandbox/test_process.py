"""The process: ready, stopped, killed and started again with everything still there."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.sandbox.merchant import VISA, Json, Merchant, Page, form
from tests.sandbox.process import Start
from tests.sandbox.receiver import Receiver
from tests.sandbox.until import until

pytestmark = pytest.mark.crash


async def test_it_is_ready_when_it_says_so_and_ends_well(
    start: Start, store: Path, http: aiohttp.ClientSession
) -> None:
    process = start(store)
    assert process.first_line.startswith("sandbox ready at http://127.0.0.1:")
    async with http.get(f"{process.url}/healthz") as answer:
        assert answer.status == 200
    assert process.stop() == 0


async def test_everything_survives_kill_9(
    start: Start, store: Path, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    first = start(store)
    merchant = Merchant(first.url, http)
    endpoint = await merchant.listen(receiver.url, ["checkout.session.completed"])
    receiver.status = 500
    await merchant.advance(1000)
    _, made, _ = await merchant.post("/v1/checkout/sessions", form(), Idempotency_Key="k1")
    page = await Page(http, made["url"]).open()
    await page.pay(VISA)
    await receiver.until(1)
    await asyncio.sleep(0.1)
    await merchant.fault("/v1/charges", "status", status=503)
    before = await merchant.log()
    events = await merchant.events()
    first.kill()

    second = start(store, first.port)
    assert (await merchant.sessions.retrieve_async(made["id"])).payment_status == "paid"
    assert (await merchant.log())[: len(before)] == before
    assert (await merchant.events())[: len(events)] == events
    assert (await merchant.advance(0))["offset_s"] == 1000
    _, again, headers = await merchant.post("/v1/checkout/sessions", form(), Idempotency_Key="k1")
    assert (again, headers["Idempotent-Replayed"]) == (made, "true")
    assert (await merchant.get("/v1/charges"))[0] == 503
    receiver.status = 200
    await merchant.advance(10)
    await receiver.until(2)
    assert receiver.got[1].is_signed_with(endpoint.secret)
    assert receiver.got[1].body == receiver.got[0].body
    await merchant.advance(86_400)
    assert "charge.updated" in await merchant.events()
    second.stop()


async def test_a_webhook_under_way_when_killed_is_sent_again(
    start: Start, store: Path, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    first = start(store)
    merchant = Merchant(first.url, http)
    await merchant.listen(receiver.url, ["checkout.session.completed"])
    receiver.delay_s = 5
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa")
    await receiver.until(1)
    first.kill()
    receiver.delay_s = 0
    second = start(store, first.port)
    await receiver.until(2)
    second.stop()


async def test_an_expiry_that_fell_due_while_down_is_made_up_for(
    start: Start, store: Path, http: aiohttp.ClientSession
) -> None:
    first = start(store)
    merchant = Merchant(first.url, http)
    clock = await merchant.advance(0)
    session = await merchant.order(expires_at=clock["now"] + 1802)
    await merchant.advance(1800.5)
    first.kill()
    await asyncio.sleep(1.5)
    second = start(store, first.port)

    async def expired() -> bool:
        return (await merchant.sessions.retrieve_async(session.id)).status == "expired"

    await until(expired)
    second.stop()


async def test_kills_during_a_storm_lose_nothing_that_was_answered(
    start: Start, store: Path, http: aiohttp.ClientSession
) -> None:
    process = start(store)
    merchant = Merchant(process.url, http)
    answered: list[str] = []

    async def client(n: int) -> None:
        for k in range(50):
            try:
                _, body, _ = await merchant.post(
                    "/v1/checkout/sessions", form(), Idempotency_Key=f"{n}-{k}"
                )
                answered.append(body["id"])
            except aiohttp.ClientError:
                return

    tasks = [asyncio.create_task(client(n)) for n in range(8)]

    async def enough() -> bool:
        return len(answered) >= 60

    await until(enough, within_s=20)
    process.kill()
    await asyncio.gather(*tasks)
    process = start(store, process.port)
    listed = await merchant.sessions.list_async({"limit": 100})
    kept = [session.id async for session in listed.auto_paging_iter()]
    assert set(answered) <= set(kept)
    log = [e["object"] for e in await merchant.log() if e["method"] == "POST"]
    assert log == list(reversed(kept))
    process.stop()


def test_the_store_is_for_its_owner_only_and_its_folder_is_made(
    start: Start, tmp_path: Path
) -> None:
    store = tmp_path / "new" / "sandbox.sqlite"
    start(store)
    assert {file.stat().st_mode & 0o077 for file in store.parent.iterdir()} == {0}


def test_two_processes_do_not_share_a_store(start: Start, store: Path) -> None:
    process = start(store)
    command = [sys.executable, "-m", "payloom.sandbox", "--port", "0", "--store", str(store)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode != 0
    assert "in use by another sandbox" in second.stderr
    process.stop()


def test_without_a_store_nothing_stays_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "payloom.sandbox", "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert list(tmp_path.iterdir()) != []
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    process.stdout.close()
    assert list(tmp_path.iterdir()) == []


async def test_no_card_number_and_no_api_key_is_in_the_store(
    start: Start, store: Path, http: aiohttp.ClientSession
) -> None:
    process = start(store)
    merchant = Merchant(process.url, http)
    session = await merchant.order()
    page = await Page(http, session.url).open()
    for number in ("4111111111111111", "4000000000009995", "4000000000003220", VISA):
        await page.open()
        await page.pay(f"{number[:4]} {number[4:]}")
    bad = {"type": "card", "card[number]": "5555555555554444", "card[exp_month]": "12"}
    await merchant.post("/v1/payment_methods", bad, Idempotency_Key="k1")
    bad["card[exp_year]"] = "34"
    await merchant.post("/v1/payment_methods", bad, Idempotency_Key="k2")
    process.stop()
    files = b"".join(path.read_bytes() for path in store.parent.iterdir())
    for number in (VISA, "4111111111111111", "4000000000009995", "4000000000003220"):
        assert number.encode() not in files
    assert b"5555555555554444" not in files
    assert merchant.key.encode() not in files


async def test_it_stays_small_while_the_log_is_bounded(
    start: Start, store: Path, http: aiohttp.ClientSession
) -> None:
    process = start(store)
    merchant = Merchant(process.url, http)
    await merchant.log()
    process.stop()
    with sqlite3.connect(store) as db:
        row = "0.0, 'GET', '/v1/events', NULL, 0, 200, NULL, NULL"
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 201999)"
            f" INSERT INTO log SELECT 1, i, {row} FROM n"
        )
    db.close()
    process = start(store, process.port)
    await merchant.get("/v1/events")  # the 202,000th
    assert len(await merchant.log()) == 200_000
    assert psutil.Process(process.pid).memory_info().rss < 400 * 2**20
    process.stop()


async def answered(merchant: Merchant, path: str, form: dict[str, str], key: str) -> Json:
    """What a client gets who asks again under the same key until it is answered."""
    found: list[Json] = []

    async def there() -> bool:
        try:
            status, body, _ = await merchant.post(path, form, Idempotency_Key=key)
        except aiohttp.ClientError:
            return False
        assert status == 200, body
        found.append(body)
        return True

    await until(there, within_s=30)
    return found[0]


async def test_kills_amid_payments_lose_and_repeat_nothing(
    start: Start, store: Path, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    process = start(store)
    merchant = Merchant(process.url, http)
    await merchant.listen(receiver.url, ["*"])
    # as if killed between the commit and the answer, which a kill rarely hits by itself
    await merchant.fault("/v1/*", "apply_then_drop", method="POST", count=20)
    paid: list[str] = []

    async def shop(n: int) -> None:
        for k in range(12):
            key = f"{n}-{k}"
            session = await answered(merchant, "/v1/checkout/sessions", form(), f"{key}-s")
            path = f"/v1/payment_pages/{session['id']}/confirm"
            page = await answered(merchant, path, {"payment_method": "pm_card_visa"}, f"{key}-c")
            assert page["payment_status"] == "paid"
            paid.append(session["id"])

    shops = [asyncio.create_task(shop(n)) for n in range(8)]
    for count in (15, 40, 65):
        await until(partial(reached, paid, count), within_s=30)
        process.kill()
        process = start(store, process.port)
    await asyncio.gather(*shops)

    listed = await merchant.sessions.list_async({"limit": 100})
    sessions = [each async for each in listed.auto_paging_iter()]
    assert sorted(each.id for each in sessions) == sorted(paid)
    assert {(each.status, each.payment_status) for each in sessions} == {("complete", "paid")}
    charges = await merchant.stripe.v1.charges.list_async({"limit": 100})
    assert len([each async for each in charges.auto_paging_iter()]) == len(paid)
    await merchant.advance(86_400)
    await merchant.deliveries(wait_s=30)
    events = await merchant.stripe.v1.events.list_async({"limit": 100})
    told = {each.id: each async for each in events.auto_paging_iter()}
    assert {delivery.event["id"] for delivery in receiver.got} == set(told)
    assert {each.pending_webhooks for each in told.values()} == {0}
    types = [each.type for each in told.values()]
    for type_ in ("checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"):
        assert types.count(type_) == len(paid)
    process.stop()


async def reached(paid: list[str], count: int) -> bool:
    return len(paid) >= count


async def test_keys_faults_and_tries_survive_kill_9(
    start: Start, store: Path, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    first = start(store)
    merchant = Merchant(first.url, http)
    await merchant.listen(receiver.url, ["checkout.session.completed"])
    _, rolled, _ = await merchant.post("/_sandbox/keys")
    async with http.delete(f"{first.url}/_sandbox/keys", headers=merchant.auth) as got:
        assert got.status == 200
    now = Merchant(first.url, http, rolled["key"])
    await now.fault("/v1/charges", "status", status=503, count=3)
    await now.get("/v1/charges")
    receiver.status = 500
    await now.confirm((await now.order()).id, "pm_card_visa")
    tries = await now.deliveries(wait_s=10)
    first.kill()

    second = start(store)
    for each in (merchant, now):
        each.url = second.url
    assert (await merchant.get("/v1/charges"))[0] == 401
    assert await now.deliveries() == tries
    assert [(await now.get("/v1/charges"))[0] for _ in range(3)] == [503, 503, 200]
    receiver.status = 200
    await now.advance(60)
    tries = await now.deliveries(wait_s=10)
    assert [(each["attempt"], each["status"]) for each in tries] == [(1, 500), (2, 200)]
    second.stop()
