"""What belongs to one merchant does not exist for another, on any route (S1, I21).

Every route is taken from the document that the API itself gives out: one that is missing from the
table below fails.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from payloom.core import ids
from payloom.merchants.merchants import NewMerchant, create_key, create_merchant
from payloom.merchants.scopes import SCOPES
from tests.scenarios.moves import made, token_of
from tests.scenarios.rows import counted
from tests.scenarios.stage import Stage, connect_psp, fresh_psp_key

# route → how it is tried on what is another's: by an id in its path, as a list, or by creating;
# what belongs to all is only asked for its key and scope
BY_ID, LIST, CREATES, OF_ALL = "by id", "list", "creates", "of all"
ROUTES = {
    "POST /v1/payment-orders": CREATES,
    "GET /v1/payment-orders": LIST,
    "GET /v1/payment-orders/{order_id}": BY_ID,
    "GET /v1/payment-orders/{order_id}/timeline": BY_ID,
    "POST /v1/payment-orders/{order_id}/attempts": BY_ID,
    "POST /v1/payment-orders/{order_id}/cancel": BY_ID,
    "POST /v1/payment-orders/{order_id}/refunds": BY_ID,
    "GET /v1/refunds": LIST,
    "GET /v1/refunds/{refund_id}": BY_ID,
    "GET /v1/ledger/accounts": LIST,
    "GET /v1/ledger/postings": LIST,
    "GET /v1/ledger/postings/{posting_id}": BY_ID,
    "POST /v1/webhook-endpoints": CREATES,
    "GET /v1/webhook-endpoints": LIST,
    "GET /v1/webhook-endpoints/{endpoint_id}": BY_ID,
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret": BY_ID,
    "POST /v1/webhook-endpoints/{endpoint_id}/enable": BY_ID,
    "DELETE /v1/webhook-endpoints/{endpoint_id}": BY_ID,
    "GET /v1/events": LIST,
    "GET /v1/events/{event_id}": BY_ID,
    "GET /v1/events/{event_id}/deliveries": BY_ID,
    "POST /v1/events/{event_id}/redeliver": BY_ID,
    "POST /v1/test/clock/advance": OF_ALL,
}
HOOK = {"url": "https://shop.example/hooks"}


async def routes_of(stage: Stage) -> set[str]:
    document = (await stage.send("GET", "/openapi.json", key=None)).json
    return {
        f"{method.upper()} {path}" for path, verbs in document["paths"].items() for method in verbs
    }


async def things_of(stage: Stage) -> dict[str, str]:
    """One of everything that the stage's merchant has, by the name that paths give its id."""
    order = await made(stage, customer={"id": "c-1"})
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    refund = (await stage.post(f"/v1/payment-orders/{order['id']}/refunds", {"amount": 1})).json
    postings = (await stage.get("/v1/ledger/postings")).json["data"]
    events = (await stage.get("/v1/events")).json["data"]
    endpoint = (await stage.post("/v1/webhook-endpoints", HOOK)).json
    return {
        "order_id": order["id"],
        "refund_id": refund["id"],
        "posting_id": postings[0]["id"],
        "event_id": events[0]["id"],
        "endpoint_id": endpoint["id"],
    }


@pytest.fixture
async def rival(stage: Stage) -> Stage:
    """Another merchant of the same API, with a connection of its own."""
    merchant: NewMerchant = await create_merchant(stage.rt, "Rival Ltd", "test")
    key = fresh_psp_key()
    connection = await connect_psp(
        stage.rt, stage.http, merchant,
        api_url=stage.api_url, sandbox_url=stage.sandbox_url, psp_key=key,
    )  # fmt: skip
    return replace(stage, merchant=merchant, connection_id=connection, psp_key=key)


async def test_every_route_is_in_the_table(stage: Stage) -> None:
    assert await routes_of(stage) == set(ROUTES)


async def test_what_is_anothers_is_not_found(stage: Stage, rival: Stage) -> None:
    things = await things_of(stage)
    before = await counted(stage.rt)
    for route in (name for name, kind in ROUTES.items() if kind == BY_ID):
        method, template = route.split(" ")
        mine = await rival.send(method, template.format(**things))
        nobodys = template.format(**{name: unknown_like(value) for name, value in things.items()})
        never = await rival.send(method, nobodys)
        assert mine.status == never.status == 404, route
        assert mine.body == never.body, "it must not be told from what never was"
    assert await counted(stage.rt) == before
    for route in (name for name, kind in ROUTES.items() if kind == BY_ID):
        method, template = route.split(" ")
        shown = await stage.send(method, template.format(**things))
        # It is there; a paid order takes neither another attempt nor a cancel, but a refund.
        assert shown.status in (200, 201, 202, 409), route


async def test_lists_hold_nothing_of_anothers(stage: Stage, rival: Stage) -> None:
    things = await things_of(stage)
    cursors = {"/v1/payment-orders": "order_id", "/v1/refunds": "refund_id",
               "/v1/ledger/postings": "posting_id",
               "/v1/webhook-endpoints": "endpoint_id", "/v1/events": "event_id"}  # fmt: skip
    filters = {"/v1/payment-orders": ["reference=W-1", "customer=c-1"],
               "/v1/ledger/postings": [f"payment_order={things['order_id']}"],
               "/v1/refunds": [f"payment_order={things['order_id']}", "status=SUCCEEDED"],
               "/v1/events": [f"payment_order={things['order_id']}"]}  # fmt: skip
    for route in (name for name, kind in ROUTES.items() if kind == LIST):
        path = route.removeprefix("GET ")
        queries = ["", *filters.get(path, [])]
        if path in cursors:
            queries.append(f"starting_after={things[cursors[path]]}")
        for query in queries:
            reply = await rival.send("GET", f"{path}?{query}")
            assert (reply.status, reply.json["data"]) == (200, []), (path, query)


async def test_names_and_keys_are_each_merchants_own(stage: Stage, rival: Stage) -> None:
    """The same reference under the same key: two orders, each at its own PSP account (F04)."""
    body = {**stage.wanted(), "reference": "same"}
    key = {"Idempotency-Key": "same"}
    mine, theirs = [
        await each.send("POST", "/v1/payment-orders", json=body, headers=key)
        for each in (stage, rival)
    ]
    assert (mine.status, theirs.status) == (201, 201)
    assert mine.json["id"] != theirs.json["id"]
    for each, order in ((stage, mine.json), (rival, theirs.json)):
        sessions = await each.sandbox("GET", "/v1/checkout/sessions")
        assert [session["id"] for session in sessions["data"]] == [token_of(order)]


async def test_each_route_asks_for_its_scope(stage: Stage) -> None:
    things = await things_of(stage)
    merchant = stage.merchant.merchant_id
    kept = {scope: [s for s in SCOPES if s != scope] for scope in SCOPES}
    wanted: dict[str, str] = {}
    for scope, others in kept.items():
        _, without = await create_key(stage.rt, merchant, "all but one", others)
        for route in ROUTES:
            method, template = route.split(" ")
            options: dict[str, Any] = {"json": {}} if method == "POST" else {}
            path = template.format(**{name: unknown_like(value) for name, value in things.items()})
            reply = await stage.send(method, path, key=without.reveal(), **options)
            if reply.status == 403:
                wanted[route] = scope
    assert set(wanted) == set(ROUTES), "a route that asks for no scope lets every key in"
    assert set(wanted.values()) == set(SCOPES)


async def test_no_route_of_the_api_answers_without_a_key(stage: Stage) -> None:
    for route in ROUTES:
        method, template = route.split(" ")
        path = re.sub(r"{\w+}", "x", template)
        assert (await stage.send(method, path, key=None)).status == 401, route


def unknown_like(public_id: str) -> str:
    return ids.text(public_id.split("_")[0], ids.new())
