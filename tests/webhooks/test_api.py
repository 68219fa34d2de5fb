"""Webhook endpoints and events, as a merchant's program sees them."""

from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from payloom.core import ids
from payloom.merchants.merchants import create_key, create_merchant
from payloom.runtime import Runtime
from payloom.webhooks.deliver import Outlet
from tests.webhooks.calling import Api
from tests.webhooks.receiver import Receiver
from tests.webhooks.rows import PAID, deliver, events, new_order, rows, tell, tell_of

URL = "https://shop.example/hooks"
REGISTERED = "payment_order.registered"


async def test_an_endpoint_is_made_read_listed_and_deleted(api: Api) -> None:
    status, made = await api.post("/v1/webhook-endpoints", {"url": URL, "event_types": [PAID]})
    assert status == 201
    assert made.pop("secret").startswith("whsec_")
    assert made["id"].startswith("whe_")
    assert made | {"id": "", "created_at": ""} == {
        "id": "",
        "url": URL,
        "event_types": [PAID],
        "created_at": "",
        "failing_since": None,
        "disabled_at": None,
        "disabled_reason": None,
    }
    path = f"/v1/webhook-endpoints/{made['id']}"
    assert await api.get(path) == (200, made)
    _, listed = await api.get("/v1/webhook-endpoints")
    assert listed == {"data": [made], "has_more": False, "next_cursor": None}

    status, deleted = await api.call("DELETE", path)
    assert status == 200
    assert deleted["disabled_at"] is not None
    assert deleted["disabled_reason"] == "deleted"
    assert await api.get(path) == (200, deleted)
    assert await api.call("DELETE", path) == (200, deleted)


async def test_the_secret_shown_verifies_what_arrives(
    api: Api, rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    _, made = await api.post("/v1/webhook-endpoints", {"url": receiver.url})
    await tell(rt, merchant)
    await deliver(rt, outlet)
    (got,) = receiver.got
    event = Webhook(made["secret"]).verify(got.body, got.headers)
    assert await api.get(f"/v1/events/{event['id']}") == (200, event)


async def test_repeating_a_request_by_its_key_gives_the_same_answer_and_keeps_no_secret(
    api: Api, rt: Runtime
) -> None:
    key = {"Idempotency-Key": "first"}
    first = await api.post("/v1/webhook-endpoints", {"url": URL}, **key)
    again = await api.post("/v1/webhook-endpoints", {"url": URL}, **key)
    assert first == again
    assert first[0] == 201
    assert len(await rows(rt, "SELECT id FROM webhook_endpoints")) == 1
    (kept,) = await rows(rt, "SELECT body FROM idempotency_keys")
    assert b"whsec_" not in kept["body"]
    assert first[1]["secret"].removeprefix("whsec_").encode() not in kept["body"]

    status, problem = await api.post("/v1/webhook-endpoints", {"url": URL + "/2"}, **key)
    assert (status, problem["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": None}, "url"),
        ({"url": 7}, "url"),
        ({"url": ""}, "url"),
        ({"url": "http://shop.example/"}, "url"),
        ({"url": "https://127.0.0.1/x" + "x" * 2000}, "url"),
        ({"url": URL, "event_types": []}, "event_types"),
        ({"url": URL, "event_types": "all"}, "event_types"),
        ({"url": URL, "event_types": ["payment_order.paid"]}, "event_types[0]"),
        ({"url": URL, "event_types": [PAID, 7]}, "event_types[1]"),
        ({"url": URL, "event_types": [PAID] * 1000}, "event_types"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
    ],
)
async def test_a_bad_endpoint_is_refused_with_the_field_named(
    api: Api, rt: Runtime, body: dict[str, Any], field: str
) -> None:
    status, problem = await api.post("/v1/webhook-endpoints", body)
    assert status == 422
    assert field in [error["field"] for error in problem["errors"]]
    assert await rows(rt, "SELECT id FROM webhook_endpoints") == []


async def test_endpoints_are_paged(api: Api) -> None:
    made = [(await api.post("/v1/webhook-endpoints", {"url": URL}))[1]["id"] for _ in range(3)]
    _, first = await api.get("/v1/webhook-endpoints", limit=2)
    assert [item["id"] for item in first["data"]] == [made[2], made[1]]
    assert first["has_more"]
    _, rest = await api.get("/v1/webhook-endpoints", limit=2, starting_after=first["next_cursor"])
    assert [item["id"] for item in rest["data"]] == [made[0]]
    assert not rest["has_more"]


async def test_events_are_listed_newest_first_and_paged(
    api: Api, rt: Runtime, merchant: UUID
) -> None:
    for sequence in (1, 2, 3):
        await tell(rt, merchant, sequence=sequence)
    _, first = await api.get("/v1/events", limit=2)
    assert [event["sequence"] for event in first["data"]] == [3, 2]
    _, rest = await api.get("/v1/events", limit=2, starting_after=first["next_cursor"])
    assert [event["sequence"] for event in rest["data"]] == [1]
    assert (first["has_more"], rest["has_more"]) == (True, False)


async def test_events_are_filtered_by_type_and_order(api: Api, rt: Runtime, merchant: UUID) -> None:
    order, other = await new_order(rt, merchant), await new_order(rt, merchant)
    await tell_of(rt, merchant, order, REGISTERED, PAID)
    await tell_of(rt, merchant, other, REGISTERED)

    async def found(**query: str) -> list[tuple[str, int]]:
        status, listed = await api.get("/v1/events", **query)
        assert status == 200
        return [(event["type"], event["sequence"]) for event in listed["data"]]

    named = ids.text("po", order)
    assert await found(payment_order=named) == [(PAID, 2), (REGISTERED, 1)]
    assert await found(payment_order=named, type=PAID) == [(PAID, 2)]
    assert await found(type=REGISTERED) == [(REGISTERED, 1), (REGISTERED, 1)]
    assert await found(type="refund.failed") == []
    assert await found(payment_order=ids.text("po", ids.new())) == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "many"},
        {"starting_after": "evt_nonsense"},
        {"starting_after": ""},
        {"type": "payment_order.paid"},
        {"type": ""},
        {"payment_order": "po_nonsense"},
        {"payment_order": ""},
    ],
    ids=str,
)
async def test_a_bad_query_value_is_refused_by_name(api: Api, query: dict[str, str]) -> None:
    status, problem = await api.get("/v1/events", **query)
    assert status == 422
    assert [error["field"] for error in problem["errors"]] == list(query)


@pytest.mark.parametrize("path", ["/v1/events/{}", "/v1/webhook-endpoints/{}"])
async def test_unknown_and_malformed_ids_are_not_found(api: Api, path: str) -> None:
    prefix = "evt" if "events" in path else "whe"
    for name in (ids.text(prefix, ids.new()), ids.text("po", ids.new()), "x", "%00", prefix + "_"):
        status, problem = await api.get(path.format(name))
        assert (status, problem["code"]) == (404, "not_found")


async def test_another_merchant_sees_nothing_of_these(
    api: Api, rt: Runtime, merchant: UUID
) -> None:
    _, made = await api.post("/v1/webhook-endpoints", {"url": URL})
    await tell(rt, merchant)
    (event,) = await events(rt)
    stranger = api.as_((await create_merchant(rt, "Other", "test")).api_key.reveal())

    for path in (
        f"/v1/webhook-endpoints/{made['id']}",
        f"/v1/events/{ids.text('evt', event['id'])}",
    ):
        assert (await api.get(path))[0] == 200
        assert (await stranger.get(path))[0] == 404
    assert (await stranger.call("DELETE", f"/v1/webhook-endpoints/{made['id']}"))[0] == 404
    for path in ("/v1/webhook-endpoints", "/v1/events"):
        assert (await stranger.get(path))[1]["data"] == []


async def test_a_key_needs_the_scope_of_what_it_does(api: Api, rt: Runtime, merchant: UUID) -> None:
    _, reader = await create_key(rt, merchant, "reads events", ["events:read"])
    _, manager = await create_key(rt, merchant, "manages", ["webhook_endpoints:write"])
    assert (await api.as_(reader.reveal()).get("/v1/events"))[0] == 200
    assert (await api.as_(reader.reveal()).get("/v1/webhook-endpoints"))[0] == 403
    refused = await api.as_(reader.reveal()).post("/v1/webhook-endpoints", {"url": URL})
    assert refused[0] == 403
    assert (await api.as_(manager.reveal()).get("/v1/events"))[0] == 403
    assert (await api.as_(manager.reveal()).get("/v1/webhook-endpoints"))[0] == 200
