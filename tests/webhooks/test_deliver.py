"""Deliveries: signed, repeated with the same bytes until taken, given up after three days."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from standardwebhooks import Webhook

from payloom.core import ids
from payloom.core.db import Tx
from payloom.runtime import Runtime
from payloom.webhooks import queries
from payloom.webhooks.deliver import LEASE_S, PER_ENDPOINT, Outlet, deliver_due, open_outlet
from payloom.webhooks.endpoints import delete_endpoint
from payloom.webhooks.model import Claimed, Result
from payloom.webhooks.schedule import PAUSES
from payloom.webhooks.send import TIMEOUT_S
from tests.webhooks.receiver import Receiver, answering, open_receiver
from tests.webhooks.rows import advance, deliver, deliveries, endpoint_at, events, rows, tell


async def test_a_delivery_carries_the_stored_bytes_and_a_signature_that_verifies(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    _, secret = await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)

    assert await deliver(rt, outlet) == 1

    (got,), (event,) = receiver.got, await events(rt)
    assert got.body == event["body"].encode()
    assert got.headers["webhook-id"] == ids.text("evt", event["id"])
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("payloom/")
    assert Webhook(secret.reveal()).verify(got.body, got.headers) == json.loads(event["body"])
    (row,) = await deliveries(rt)
    assert (row["state"], row["tries"], row["last_status"]) == ("delivered", 1, 200)


async def test_what_is_delivered_is_not_sent_again(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)
    await deliver(rt, outlet)
    await advance(rt, timedelta(days=30))
    assert await deliver(rt, outlet) == 0
    assert len(receiver.got) == 1


async def test_signatures_carry_real_time_when_business_time_is_ahead(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    _, secret = await endpoint_at(rt, merchant, receiver.url)
    await advance(rt, timedelta(days=2))
    await tell(rt, merchant)
    await deliver(rt, outlet)
    Webhook(secret.reveal()).verify(receiver.got[0].body, receiver.got[0].headers)


@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
async def test_a_failing_endpoint_gets_the_same_id_and_bytes_over_three_days_then_no_more(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, status: int
) -> None:
    _, secret = await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(status, Location=receiver.url)
    await tell(rt, merchant)
    for pause in PAUSES:
        assert await deliver(rt, outlet) == 1
        await advance(rt, pause - timedelta(seconds=2))
        assert await deliver(rt, outlet) == 0, f"came before its pause of {pause} was over"
        await advance(rt, timedelta(seconds=2))
    assert await deliver(rt, outlet) == 1

    (row,) = await deliveries(rt)
    assert (row["state"], row["tries"]) == ("exhausted", len(PAUSES) + 1)
    assert row["last_status"] == status
    assert row["last_error"].startswith(f"answered {status}")
    assert row["finished_at"] - row["created_at"] > timedelta(days=3)
    await advance(rt, timedelta(days=30))
    assert await deliver(rt, outlet) == 0
    assert len(receiver.got) == len(PAUSES) + 1
    assert len({(got.headers["webhook-id"], got.body) for got in receiver.got}) == 1
    for got in receiver.got:
        Webhook(secret.reveal()).verify(got.body, got.headers)


async def test_a_receiver_that_is_down_for_days_gets_it_by_the_last_try(
    rt: Runtime, merchant: UUID, outlet: Outlet
) -> None:
    async with open_receiver() as receiver:
        await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)
    for pause in PAUSES:
        assert await deliver(rt, outlet) == 1
        await advance(rt, pause)
    async with open_receiver(port=int(receiver.url.split(":")[2].split("/")[0])) as back:
        assert await deliver(rt, outlet) == 1
        assert len(back.got) == 1
    (row,) = await deliveries(rt)
    assert (row["state"], row["tries"]) == ("delivered", len(PAUSES) + 1)
    assert row["finished_at"] - row["created_at"] > timedelta(days=3)


async def test_a_receiver_that_comes_back_gets_what_it_missed(
    rt: Runtime, merchant: UUID, outlet: Outlet
) -> None:
    async with open_receiver() as receiver:
        await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)
    await deliver(rt, outlet)
    (row,) = await deliveries(rt)
    assert (row["state"], row["last_status"]) == ("pending", None)
    assert "ClientConnectorError" in row["last_error"]

    async with open_receiver(port=int(receiver.url.split(":")[2].split("/")[0])) as back:
        await advance(rt, timedelta(seconds=8))
        await deliver(rt, outlet)
        assert len(back.got) == 1
    assert [row["state"] for row in await deliveries(rt)] == ["delivered"]


async def test_a_lost_claim_writes_nothing(rt: Runtime, merchant: UUID) -> None:
    await endpoint_at(rt, merchant, "https://shop.example/")
    await tell(rt, merchant)
    slow = await claim(rt, lease_s=0)
    quick = await claim(rt)
    assert (slow[0].id, slow[0].fence) == (quick[0].id, quick[0].fence - 1)

    assert await record(rt, slow[0], "delivered") == set()
    assert (await deliveries(rt))[0]["state"] == "pending"
    assert await record(rt, quick[0], "exhausted") == {quick[0].id}
    assert await record(rt, quick[0], "delivered") == set()
    assert (await deliveries(rt))[0]["state"] == "exhausted"


async def test_a_claim_holds_for_its_lease_whatever_business_time_does(
    rt: Runtime, merchant: UUID
) -> None:
    await endpoint_at(rt, merchant, "https://shop.example/")
    await tell(rt, merchant)
    assert len(await claim(rt)) == 1
    await advance(rt, timedelta(days=1))
    assert await claim(rt) == []


def test_the_lease_is_longer_than_a_try_can_take() -> None:
    assert LEASE_S >= TIMEOUT_S + 5


async def test_two_workers_share_what_is_due(rt: Runtime, merchant: UUID) -> None:
    for _ in range(4):
        await endpoint_at(rt, merchant, "https://shop.example/")
    for _ in range(5):
        await tell(rt, merchant)
    async with rt.db.transaction() as tx:  # the first is still at it when the second comes
        first = await claim_in(tx, rt, limit=10)
        second = await claim(rt)
    taken = {delivery.id for delivery in (*first, *second)}
    assert (len(first), len(second), len(taken)) == (10, 10, 20)


async def test_a_slow_endpoint_holds_up_nobody_else(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    release = asyncio.Event()

    async def slowly(_request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with open_receiver() as slow:
        slow.answer = slowly
        await endpoint_at(rt, merchant, slow.url)
        await endpoint_at(rt, merchant, receiver.url)
        for _ in range(3 * PER_ENDPOINT):
            await tell(rt, merchant)
        while len(receiver.got) < 3 * PER_ENDPOINT:
            await deliver_due(rt, outlet, limit=100)
            await asyncio.sleep(0.01)
        assert len(slow.got) == PER_ENDPOINT
        release.set()
        await outlet.settle()
        while await deliver(rt, outlet):
            pass
        assert len(slow.got) == 3 * PER_ENDPOINT
    assert {row["state"] for row in await deliveries(rt)} == {"delivered"}


async def test_no_more_than_the_limit_is_on_the_way(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    release = asyncio.Event()

    async def slowly(_request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    receiver.answer = slowly
    for _ in range(3):
        await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)
    assert await deliver_due(rt, outlet, limit=2) == 2
    assert await deliver_due(rt, outlet, limit=2) == 0
    release.set()
    await outlet.settle()
    assert await deliver(rt, outlet, limit=2) == 1


async def test_those_who_wait_longest_come_first(rt: Runtime, merchant: UUID) -> None:
    endpoints = [(await endpoint_at(rt, merchant, "https://shop.example/"))[0] for _ in range(3)]
    await tell(rt, merchant)
    for age, endpoint in zip((1, 3, 2), endpoints, strict=True):
        await rows(
            rt,
            "UPDATE deliveries SET next_at = next_at - $2 * interval '1 hour'"
            " WHERE endpoint_id = $1 RETURNING id",
            endpoint,
            age,
        )
    assert [d.endpoint_id for d in await claim(rt, limit=1)] == [endpoints[1]]
    assert [d.endpoint_id for d in await claim(rt, limit=1)] == [endpoints[2]]


async def test_what_a_disabled_endpoint_is_owed_is_closed_and_not_sent(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(503)
    await tell(rt, merchant)
    await deliver(rt, outlet)
    await delete_endpoint(rt, merchant, endpoint)

    assert await deliver(rt, outlet) == 1, "must not wait for the time of its next try"

    assert len(receiver.got) == 1
    ended = [(row["state"], row["last_error"]) for row in await deliveries(rt)]
    assert ended == [("exhausted", "the endpoint is disabled")]


async def test_a_secret_that_does_not_open_costs_only_its_own_delivery(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    broken, _ = await endpoint_at(rt, merchant, receiver.url)
    await endpoint_at(rt, merchant, receiver.url)
    await rows(
        rt,
        "UPDATE secrets SET sealed = sha256(sealed) || sealed WHERE owner = $1 RETURNING owner",
        broken,
    )
    rt.cache.forget(("webhook_secrets", merchant, broken))
    await tell(rt, merchant)

    await deliver(rt, outlet)

    assert len(receiver.got) == 1
    ended = {row["endpoint_id"] == broken: row for row in await deliveries(rt)}
    assert ended[False]["state"] == "delivered"
    assert (ended[True]["state"], ended[True]["last_error"]) == (
        "pending",
        "not sent: SealBroken",
    )


async def test_nothing_is_sent_unsigned(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    await rows(rt, "DELETE FROM secrets WHERE owner = $1 RETURNING owner", endpoint)
    rt.cache.forget(("webhook_secrets", merchant, endpoint))
    await tell(rt, merchant)
    await deliver(rt, outlet)
    assert receiver.got == []
    assert [row["last_error"] for row in await deliveries(rt)] == ["the endpoint has no secret"]


async def test_a_live_merchant_never_reaches_this_machine_even_where_test_mode_may(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, owner: Runtime
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    await rows(owner, "UPDATE merchants SET mode = 'live' RETURNING mode")
    await tell(rt, merchant)
    await deliver(rt, outlet)
    assert receiver.got == []
    assert [row["last_error"] for row in await deliveries(rt)] == ["the address is not public"]


async def test_closing_the_outlet_waits_for_what_is_on_its_way(
    rt: Runtime, merchant: UUID, receiver: Receiver
) -> None:
    async def slowly(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return web.Response()

    receiver.answer = slowly
    await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)
    async with open_outlet(rt) as outlet:
        await deliver_due(rt, outlet, limit=10)
    assert [row["state"] for row in await deliveries(rt)] == ["delivered"]


async def test_results_are_counted(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    def counted(result: str) -> float:
        name = "payloom_deliveries_total"
        return REGISTRY.get_sample_value(name, {"result": result}) or 0.0

    before = {result: counted(result) for result in ("delivered", "failed")}
    await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(500)
    await tell(rt, merchant)
    await deliver(rt, outlet)
    receiver.answer = answering(200)
    await advance(rt, timedelta(seconds=8))
    await deliver(rt, outlet)
    assert {result: counted(result) - count for result, count in before.items()} == {
        "delivered": 1,
        "failed": 1,
    }


async def test_nothing_is_sent_while_a_transaction_is_open(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)
    async with rt.db.transaction():
        await deliver(rt, outlet)
    assert receiver.got == []
    assert [row["last_error"] for row in await deliveries(rt)] == ["not sent: RuntimeError"]


async def claim(rt: Runtime, *, limit: int = 100, lease_s: int = LEASE_S) -> list[Claimed]:
    async with rt.db.statement() as tx:
        return await claim_in(tx, rt, limit=limit, lease_s=lease_s)


async def claim_in(tx: Tx, rt: Runtime, *, limit: int, lease_s: int = LEASE_S) -> list[Claimed]:
    return await queries.claim_due(
        tx, rt.clock(), limit=limit, per_endpoint=PER_ENDPOINT, on_the_way={}, lease_s=lease_s
    )


async def record(rt: Runtime, delivery: Claimed, state: str) -> set[UUID]:
    now = rt.clock()
    result = Result(delivery, state, now, None, None, is_failure=state != "delivered")
    async with rt.db.statement() as tx:
        return set(await queries.record_results(tx, [result], now))
