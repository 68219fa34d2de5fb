"""Redelivery: once more, from the beginning, with the same id and bytes (F55, F56)."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from payloom.core import ids
from payloom.core.errors import InvalidRequest
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime
from payloom.webhooks.deliver import Outlet, deliver_due
from payloom.webhooks.disable import disable_endpoint
from payloom.webhooks.endpoints import delete_endpoint, enable_endpoint
from payloom.webhooks.redeliver import EndpointDisabled, NoSuchEvent, redeliver
from payloom.webhooks.schedule import PAUSES
from tests.webhooks.calling import Api
from tests.webhooks.receiver import Receiver, answering, open_receiver
from tests.webhooks.rows import PAID, advance, deliver, deliveries, endpoint_at, events, rows, tell

URL = "https://shop.example/hooks"
GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "receive-webhooks.md"


async def test_a_delivered_event_is_sent_once_more_with_the_same_id_and_bytes(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    event = await told(rt, merchant)
    await deliver(rt, outlet)
    (before,) = await deliveries(rt)
    await advance(rt, timedelta(days=10))

    (begun,) = await redeliver(rt, merchant, event)

    assert (begun.id, begun.state, begun.tries) == (before["id"], "pending", 0)
    assert await deliver(rt, outlet) == 1
    first, again = receiver.got
    assert first.body == again.body
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    (row,) = await deliveries(rt)
    assert (row["state"], row["first_delivered_at"]) == ("delivered", before["finished_at"])
    assert row["finished_at"] > before["finished_at"]
    assert await deliver(rt, outlet) == 0


async def test_an_exhausted_delivery_gets_every_try_anew_and_waits_for_nobody_any_more(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(500)
    event = await told(rt, merchant)
    await fail_to_the_end(rt, outlet)
    assert [row["state"] for row in await deliveries(rt)] == ["exhausted"]
    receiver.answer = answering(204)  # a success, else the endpoint would be switched off
    await told(rt, merchant)
    await deliver(rt, outlet)
    receiver.got.clear()

    receiver.answer = answering(500)
    await redeliver(rt, merchant, event)
    await fail_to_the_end(rt, outlet)

    assert len(receiver.got) == len(PAUSES) + 1
    assert [row["state"] for row in await deliveries(rt)] == ["exhausted", "delivered"]
    receiver.answer = answering(204)
    await redeliver(rt, merchant, event)
    await deliver(rt, outlet)
    assert [row["state"] for row in await deliveries(rt)] == ["delivered", "delivered"]


async def test_one_that_waits_is_due_now_and_what_else_waits_is_not_touched(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(500)
    await told(rt, merchant)
    event = await told(rt, merchant)
    for pause in PAUSES[:3]:
        await deliver(rt, outlet)
        await advance(rt, pause)
    await deliver(rt, outlet)
    assert await deliver(rt, outlet) == 0
    other = [row for row in await deliveries(rt) if row["event_id"] != event]
    receiver.got.clear()
    receiver.answer = answering(200)

    await redeliver(rt, merchant, event)

    assert await deliver(rt, outlet) == 1
    assert [got.headers["webhook-id"] for got in receiver.got] == [ids.text("evt", event)]
    assert [row for row in await deliveries(rt) if row["event_id"] != event] == other


async def test_asking_in_an_outage_costs_no_try(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(500)
    event = await told(rt, merchant)
    for _ in range(2 * len(PAUSES)):
        assert await deliver(rt, outlet) == 1
        await redeliver(rt, merchant, event)
    receiver.got.clear()
    await fail_to_the_end(rt, outlet)
    assert len(receiver.got) == len(PAUSES) + 1


@pytest.mark.parametrize(
    ("status", "state", "sent"), [(200, "delivered", 1), (500, "pending", 2)], ids=str
)
async def test_one_on_its_way_ends_first_and_begins_anew_only_if_it_was_not_taken(
    rt: Runtime,
    merchant: UUID,
    receiver: Receiver,
    outlet: Outlet,
    status: int,
    state: str,
    sent: int,
) -> None:
    """It is in its last try: asked for now, it must not be given up by an answer to before."""
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slowly(_request: web.Request) -> web.Response:
        arrived.set()
        await release.wait()
        return web.Response(status=status)

    await endpoint_at(rt, merchant, receiver.url)
    event = await told(rt, merchant)
    await rows(rt, "UPDATE deliveries SET tries = $1 RETURNING id", len(PAUSES))
    receiver.answer = slowly
    await deliver_due(rt, outlet, limit=10)
    await arrived.wait()

    await redeliver(rt, merchant, event)

    assert await deliver_due(rt, outlet, limit=10) == 0, "two tries of one delivery at once"
    release.set()
    await outlet.settle()
    (row,) = await deliveries(rt)
    assert (row["state"], row["last_status"]) == (state, status)
    assert (row["finished_at"] is None) == (state == "pending")
    await deliver(rt, outlet)
    assert len(receiver.got) == sent


async def test_it_goes_to_all_enabled_endpoints_that_want_the_type_also_to_younger_ones(
    rt: Runtime, merchant: UUID
) -> None:
    old, _ = await endpoint_at(rt, merchant, URL)
    event = await told(rt, merchant)
    younger, _ = await endpoint_at(rt, merchant, URL, [PAID])
    await endpoint_at(rt, merchant, URL, ["payment_order.failed"])
    gone, _ = await endpoint_at(rt, merchant, URL)
    await delete_endpoint(rt, merchant, gone)
    stranger = (await create_merchant(rt, "Other", "test")).merchant_id
    await endpoint_at(rt, stranger, URL)

    begun = await redeliver(rt, merchant, event)

    assert {each.endpoint_id for each in begun} == {old, younger}
    assert {row["endpoint_id"] for row in await deliveries(rt)} == {old, younger}


async def test_it_goes_to_one_endpoint_if_that_is_named(rt: Runtime, merchant: UUID) -> None:
    one, _ = await endpoint_at(rt, merchant, URL)
    await endpoint_at(rt, merchant, URL)
    event = await told(rt, merchant)
    before = await deliveries(rt)
    begun = await redeliver(rt, merchant, event, one)
    assert [each.endpoint_id for each in begun] == [one]
    assert [row for row in await deliveries(rt) if row["endpoint_id"] != one] == [
        row for row in before if row["endpoint_id"] != one
    ]


async def test_what_a_disabled_endpoint_missed_comes_when_it_is_enabled_and_asked_for(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    await disable_endpoint(rt, merchant, endpoint, "gone")
    event = await told(rt, merchant)
    with pytest.raises(EndpointDisabled):
        await redeliver(rt, merchant, event, endpoint)
    assert await redeliver(rt, merchant, event) == []

    await enable_endpoint(rt, merchant, endpoint)
    await deliver(rt, outlet)
    assert receiver.got == []
    await redeliver(rt, merchant, event, endpoint)
    await deliver(rt, outlet)
    assert [got.headers["webhook-id"] for got in receiver.got] == [ids.text("evt", event)]


async def test_what_cannot_be_redelivered_is_refused_and_changes_nothing(
    rt: Runtime, merchant: UUID
) -> None:
    unwanting, _ = await endpoint_at(rt, merchant, URL, ["payment_order.failed"])
    deleted, _ = await endpoint_at(rt, merchant, URL)
    event = await told(rt, merchant)
    await delete_endpoint(rt, merchant, deleted)
    stranger = (await create_merchant(rt, "Other", "test")).merchant_id
    theirs, _ = await endpoint_at(rt, stranger, URL)
    before = await deliveries(rt)

    for who, what in ((merchant, ids.new()), (stranger, event)):
        with pytest.raises(NoSuchEvent):
            await redeliver(rt, who, what)
    for endpoint in (ids.new(), theirs, unwanting):
        with pytest.raises(InvalidRequest) as refusal:
            await redeliver(rt, merchant, event, endpoint)
        assert [error.field for error in refusal.value.errors] == ["endpoint"]
    with pytest.raises(EndpointDisabled):
        await redeliver(rt, merchant, event, deleted)
    assert await deliveries(rt) == before


# --- over HTTP -------------------------------------------------------------------------------


async def test_it_answers_202_with_the_deliveries_and_shows_what_becomes_of_them(
    api: Api, rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    event = ids.text("evt", await told(rt, merchant))
    await deliver(rt, outlet)

    status, answer = await api.call("POST", f"/v1/events/{event}/redeliver")

    assert status == 202
    (shown,) = answer["data"]
    assert shown["id"].startswith("dlv_")
    assert (shown["event"], shown["endpoint"]) == (event, ids.text("whe", endpoint))
    assert (shown["state"], shown["tries"], shown["finished_at"]) == ("pending", 0, None)
    assert shown["next_at"] is not None
    path = f"/v1/events/{event}/deliveries"
    listed = {"data": [shown], "has_more": False, "next_cursor": None}
    assert await api.get(path) == (200, listed)
    await deliver(rt, outlet)
    _, after = await api.get(path)
    assert (after["data"][0]["state"], after["data"][0]["next_at"]) == ("delivered", None)
    assert (after["data"][0]["tries"], after["data"][0]["last_status"]) == (1, 200)


async def test_the_same_key_sends_it_once_and_another_key_once_more(
    api: Api, rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    path = f"/v1/events/{ids.text('evt', await told(rt, merchant))}/redeliver"
    await deliver(rt, outlet)
    answers = []
    for key in ("one", "one", "two"):
        answers.append(await api.post(path, {}, **{"Idempotency-Key": key}))
        await deliver(rt, outlet)
    assert answers[0] == answers[1]
    assert len(receiver.got) == 1 + 2


async def test_refusals_over_http_name_what_is_wrong(api: Api, rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL, ["payment_order.failed"])
    event = ids.text("evt", await told(rt, merchant))
    path = f"/v1/events/{event}/redeliver"
    for named in ("whe_nonsense", "", event, ids.text("whe", ids.new()), ids.text("whe", endpoint)):
        status, problem = await api.post(path, {"endpoint": named})
        assert (status, problem["errors"][0]["field"]) == (422, "endpoint")
    for body, field in (({"endpoint": 7}, "endpoint"), ({"endpoints": []}, "endpoints")):
        status, problem = await api.post(path, body)
        assert (status, problem["errors"][0]["field"]) == (422, field)
    await delete_endpoint(rt, merchant, endpoint)
    status, problem = await api.post(path, {"endpoint": ids.text("whe", endpoint)})
    assert (status, problem["code"]) == (409, "webhook_endpoint_disabled")
    for name in ("x", ids.text("evt", ids.new())):
        assert (await api.post(f"/v1/events/{name}/redeliver", {}))[0] == 404
        assert (await api.get(f"/v1/events/{name}/deliveries"))[0] == 404
    assert await api.post(path, {}) == (202, {"data": []})


async def test_deliveries_are_paged(api: Api, rt: Runtime, merchant: UUID) -> None:
    for _ in range(3):
        await endpoint_at(rt, merchant, URL)
    path = f"/v1/events/{ids.text('evt', await told(rt, merchant))}/deliveries"
    _, first = await api.get(path, limit=2)
    _, rest = await api.get(path, limit=2, starting_after=first["next_cursor"])
    assert (first["has_more"], rest["has_more"]) == (True, False)
    shown = [each["id"] for each in (*first["data"], *rest["data"])]
    assert shown == [ids.text("dlv", row["id"]) for row in reversed(await deliveries(rt))]


async def test_the_guides_program_asks_for_all_that_was_missed_the_oldest_first(
    api: Api, rt: Runtime, merchant: UUID, outlet: Outlet
) -> None:
    async with open_receiver() as receiver:
        endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
        await told(rt, merchant)
        await advance(rt, timedelta(seconds=1))
        await disable_endpoint(rt, merchant, endpoint, "gone")
        _, shown = await api.get(f"/v1/webhook-endpoints/{ids.text('whe', endpoint)}")
        missed = []
        for _ in range(3):
            await advance(rt, timedelta(seconds=1))
            missed.append(ids.text("evt", await told(rt, merchant)))
        await enable_endpoint(rt, merchant, endpoint)
        await deliver(rt, outlet)
        receiver.got.clear()

        loop, asked = asyncio.get_running_loop(), []

        def call(method: str, path: str, json: Any = None) -> Any:
            asked.append(path.replace("limit=100", "limit=2"))  # so that there are pages
            calling = api.call(method, asked[-1], json=json)
            status, answer = asyncio.run_coroutine_threadsafe(calling, loop).result()
            assert status in (200, 202), answer
            return answer

        program = guides_program("redeliver_missed")
        since = shown["disabled_at"]
        # The event of its own switching off is the first at that time.
        assert await asyncio.to_thread(program, call, shown["id"], since) == 1 + len(missed)
        sent = [path.split("/")[3] for path in asked if path.endswith("/redeliver")]
        assert sent[1:] == missed
        assert sum("limit=2" in path for path in asked) > 1
        await deliver(rt, outlet)
        assert set(missed) <= {got.headers["webhook-id"] for got in receiver.got}


def guides_program(name: str) -> Callable[..., int]:
    text = GUIDE.read_text()
    found = re.search(rf"^( *)```python {name}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    assert found, f"{GUIDE.name} has no example {name}"
    names: dict[str, Any] = {}
    exec(compile(re.sub(f"^{found[1]}", "", found[2], flags=re.MULTILINE), name, "exec"), names)
    program: Callable[..., int] = names[name]
    return program


async def told(rt: Runtime, merchant: UUID) -> UUID:
    """Publish an event; its id."""
    await tell(rt, merchant)
    event: UUID = (await events(rt))[-1]["id"]
    return event


async def fail_to_the_end(rt: Runtime, outlet: Outlet) -> None:
    for pause in PAUSES:
        assert await deliver(rt, outlet) == 1
        await advance(rt, pause)
    assert await deliver(rt, outlet) == 1
    await advance(rt, timedelta(days=9))
    assert await deliver(rt, outlet) == 0
