"""Nobody is skipped, held up or misled: whatever commits, drips or fails beside them."""

import asyncio
import json
import random
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import pytest
from aiohttp import web

from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime
from payloom.webhooks.deliver import PER_ENDPOINT, Outlet, deliver_due
from payloom.webhooks.publish import NewEvent, publish
from payloom.webhooks.redeliver import redeliver
from payloom.worker import DELIVERIES_AT_ONCE
from tests.webhooks.receiver import Receiver, open_receiver
from tests.webhooks.rows import (
    PAID,
    advance,
    deliver,
    deliveries,
    endpoint_at,
    events,
    new_order,
    tell,
)

# --- F54: commits in another order than they began in ----------------------------------------


async def test_an_event_that_commits_after_younger_ones_were_delivered_is_not_skipped(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    is_written, may_commit = asyncio.Event(), asyncio.Event()

    async def slow_to_commit() -> None:
        async with rt.db.transaction() as tx:
            await publish(tx, [NewEvent(merchant, None, 1, PAID, {}, "")], rt.clock())
            is_written.set()
            await may_commit.wait()

    slow = asyncio.create_task(slow_to_commit())
    await is_written.wait()
    for sequence in (2, 3):
        await tell(rt, merchant, sequence=sequence)
        await deliver(rt, outlet)
    assert sequences(receiver) == [2, 3]
    may_commit.set()
    await slow

    assert await deliver(rt, outlet) == 1

    assert sequences(receiver) == [2, 3, 1]
    assert [row["sequence"] for row in await events(rt)] == [1, 2, 3], "the ids were not inverted"
    assert await deliver(rt, outlet) == 0


async def test_what_another_worker_holds_locked_is_not_waited_for_and_not_skipped(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    for sequence in (1, 2, 3):
        await tell(rt, merchant, sequence=sequence)
    first = (await deliveries(rt))[0]["id"]
    is_locked, may_end = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with rt.db.transaction() as tx:
            await tx.fetch("SELECT id FROM deliveries WHERE id = $1 FOR UPDATE", first)
            is_locked.set()
            await may_end.wait()

    holding = asyncio.create_task(hold())
    await is_locked.wait()
    assert await deliver(rt, outlet) == 2
    may_end.set()
    await holding
    assert await deliver(rt, outlet) == 1
    assert sorted(sequences(receiver)) == [1, 2, 3]


# --- F57: one that drips ---------------------------------------------------------------------


async def test_one_dripping_endpoint_of_fifty_holds_up_none_of_the_others(
    rt: Runtime, outlet: Outlet
) -> None:
    """All events of the 49 arrive while not one answer of the dripping one has."""
    release, tellings = asyncio.Event(), 4

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=200, headers={"Content-Length": "1000000"})
        if request.path.endswith("/headers"):
            await release.wait()  # an answer that does not even begin
        await response.prepare(request)
        while not release.is_set():
            await response.write(b".")
            await asyncio.sleep(0.05)
        return response

    async with AsyncExitStack() as stack:
        slow = await stack.enter_async_context(open_receiver())
        quick = await stack.enter_async_context(open_receiver())
        slow.answer = drip
        merchants = [(await create_merchant(rt, "Shop", "test")).merchant_id for _ in range(5)]
        for place in range(50):
            url = f"{slow.url}/headers" if place == 0 else f"{quick.url}/{place}"
            await endpoint_at(rt, merchants[place % 5], url)
        for _ in range(tellings * PER_ENDPOINT):
            await tell(rt, merchants[0])  # the dripping one's is among them
        for merchant in merchants[1:]:
            for _ in range(tellings):
                await tell(rt, merchant)
        due = 9 * tellings * PER_ENDPOINT + 40 * tellings
        while len(quick.got) < due:
            await deliver_due(rt, outlet, limit=DELIVERIES_AT_ONCE)
            await asyncio.sleep(0.01)
            assert max(outlet.on_the_way.values(), default=0) <= PER_ENDPOINT

        assert len(quick.got) == due
        assert len({got.path for got in quick.got}) == 49
        assert len(slow.got) == PER_ENDPOINT
        answered = [row["state"] for row in await deliveries(rt) if row["last_status"]]
        assert set(answered) == {"delivered"}
        release.set()
        await outlet.settle()


async def test_an_endpoint_never_has_more_tries_at_once_than_its_share(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    """Also when what is due grows while some tries are on their way."""
    release = asyncio.Event()

    async def slowly(_request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    receiver.answer = slowly
    await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)
    await deliver_due(rt, outlet, limit=100)
    for _ in range(2 * PER_ENDPOINT - 1):
        await tell(rt, merchant)
    assert await deliver_due(rt, outlet, limit=100) == PER_ENDPOINT - 1
    assert await deliver_due(rt, outlet, limit=100) == 0
    await receiver.wait_for(PER_ENDPOINT)
    assert outlet.on_the_way.total() == PER_ENDPOINT
    release.set()
    await outlet.settle()
    while await deliver(rt, outlet):
        pass
    assert len(receiver.got) == 2 * PER_ENDPOINT


# --- F59: what arrives in another order than it happened in -----------------------------------


@pytest.mark.parametrize("seed", range(6))
async def test_a_receiver_that_drops_lower_sequences_always_ends_at_the_newest_state(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, seed: int
) -> None:
    """Answers fail at random, retries overtake, and old events are asked for once more."""
    chance = random.Random(seed)
    outlet.chance = chance.random
    states = ("PENDING", "PROCESSING", "FAILED", "SUCCEEDED")
    order = await new_order(rt, merchant)
    known: dict[str, tuple[int, str]] = {}
    overtaken = 0

    async def keep_the_highest(request: web.Request) -> web.Response:
        nonlocal overtaken
        if chance.random() < 0.5:
            return web.Response(status=chance.choice((302, 429, 500, 503)))
        event = json.loads(await request.read())
        data = event["data"]
        if event["sequence"] > known.get(data["id"], (0, ""))[0]:
            known[data["id"]] = (event["sequence"], data["payment_order_status"])
        else:
            overtaken += 1
        # The event is kept, and yet the answer may not say so: it comes again.
        return web.Response(status=chance.choice((200, 200, 504)))

    receiver.answer = keep_the_highest
    await endpoint_at(rt, merchant, receiver.url)
    for sequence, status in enumerate(states, 1):
        data: dict[str, object] = {"id": "po_1", "payment_order_status": status}
        async with rt.db.transaction() as tx:
            await publish(tx, [NewEvent(merchant, order, sequence, PAID, data, "")], rt.clock())
        await deliver(rt, outlet)
        await advance(rt, timedelta(seconds=chance.choice((0, 3, 40))))
    again = [row["id"] for row in await events(rt)]
    while any(row["state"] == "pending" for row in await deliveries(rt)):
        await deliver(rt, outlet)
        await advance(rt, timedelta(hours=1))
        if again:
            await redeliver(rt, merchant, again.pop(chance.randrange(len(again))))

    assert known == {"po_1": (len(states), states[-1])}
    assert overtaken > 0, "nothing came late in this run"
    assert {row["state"] for row in await deliveries(rt)} == {"delivered"}


def sequences(receiver: Receiver) -> list[int]:
    return [json.loads(got.body)["sequence"] for got in receiver.got]
