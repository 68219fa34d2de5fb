"""The shopper comes back: a hint to look, never evidence (F29 to F33)."""

import asyncio
import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from payloom.core import ids
from payloom.merchants.connections import disable_connection
from payloom.runtime import Runtime
from tests.scenarios.moves import (
    SESSIONS,
    advance,
    causes,
    cure,
    event,
    made,
    poison,
    postings,
    query_of,
    rest,
    return_url,
    shown,
    tell,
    token_of,
    until_notices,
)
from tests.scenarios.stage import Reply, Stage

SHOP = "http://127.0.0.1/shop/return"


async def back(stage: Stage, path: str, method: str = "GET", **options: Any) -> Reply:
    return await stage.send(method, path, key=None, **options)


def check_signature(stage: Stage, query: dict[str, str]) -> None:
    """As the documents tell shops to check it."""
    text = ".".join(
        query[name]
        for name in ("payment_order_id", "reference", "payment_order_status", "timestamp")
    )
    secret = stage.merchant.return_secret.reveal().encode()
    mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    assert query["signature"] == "v1," + base64.urlsafe_b64encode(mac).decode().rstrip("=")
    assert abs(int(query["timestamp"]) - time.time()) < 10


async def lose_notices(stage: Stage) -> None:
    await stage.fault("/psp/*", "hook_lose", count=-1)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_with_no_notice_the_psp_is_asked(stage: Stage, method: str) -> None:
    await lose_notices(stage)
    order = await made(stage, reference="Ü & 1/2")
    await stage.pay(token_of(order))
    reply = await back(stage, await return_url(stage, order), method)
    query = query_of(reply)
    assert query["payment_order_status"] == "SUCCEEDED"
    assert (query["payment_order_id"], query["reference"]) == (order["id"], "Ü & 1/2")
    assert reply.headers["location"].startswith(SHOP + "?")
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["referrer-policy"] == "no-referrer"
    check_signature(stage, query)
    assert (await causes(stage, order["id"]))[-1] == ("Paid", "return")
    assert await postings(stage, order["id"]) == [("captured", 4999)]


async def test_a_stored_notice_is_applied_before_the_psp_is_asked(stage: Stage) -> None:
    await rest(stage)
    order = await made(stage)
    await stage.pay(token_of(order))
    await until_notices(stage, "stored", type="checkout.session.completed")
    query = query_of(await back(stage, await return_url(stage, order)))
    assert query["payment_order_status"] == "SUCCEEDED"
    assert (await causes(stage, order["id"]))[-1] == ("Paid", "notice")
    reads = await stage.sandbox_log(f"{SESSIONS}/{token_of(order)}", "GET")
    assert len(reads) == 1  # the test's own, for the way back


async def test_a_stored_decline_does_not_keep_us_from_asking(stage: Stage) -> None:
    """The notice of the decline has come, the one of the payment is lost."""
    await rest(stage)
    order = await made(stage)
    await stage.pay(token_of(order), "4000000000000002")
    await until_notices(stage, "stored", type="payment_intent.payment_failed")
    await lose_notices(stage)
    await stage.pay(token_of(order))
    query = query_of(await back(stage, await return_url(stage, order)))
    assert query["payment_order_status"] == "SUCCEEDED"
    assert (await causes(stage, order["id"]))[-1] == ("Paid", "return")


async def test_an_order_that_is_paid_needs_no_call(stage: Stage) -> None:
    order = await made(stage)
    path = await return_url(stage, order)
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    before = await stage.sandbox("GET", "/_sandbox/log")
    for _ in range(3):
        assert query_of(await back(stage, path))["payment_order_status"] == "SUCCEEDED"
    assert await stage.sandbox("GET", "/_sandbox/log") == before


async def test_an_unpaid_order_comes_back_pending(stage: Stage) -> None:
    order = await made(stage)
    query = query_of(await back(stage, await return_url(stage, order)))
    assert query["payment_order_status"] == "PENDING"
    check_signature(stage, query)


async def test_a_slow_psp_keeps_the_shopper_two_seconds(stage: Stage) -> None:
    await lose_notices(stage)
    order = await made(stage)
    path = await return_url(stage, order)
    await stage.pay(token_of(order))
    await stage.fault(f"{SESSIONS}/*", "late", method="GET", delay_s=8)
    started = time.monotonic()
    query = query_of(await back(stage, path))
    assert time.monotonic() - started < 8  # the PSP's own time
    assert query["payment_order_status"] == "PENDING"
    check_signature(stage, query)
    assert query_of(await back(stage, path))["payment_order_status"] == "SUCCEEDED"


async def test_a_psp_that_is_away_leaves_the_present_status(stage: Stage) -> None:
    await lose_notices(stage)
    order = await made(stage)
    path = await return_url(stage, order)
    await stage.pay(token_of(order))
    for effect in ("drop", "truncate", "status"):
        # a client may ask once more over a fresh connection when a kept one is closed
        await stage.fault(f"{SESSIONS}/*", effect, method="GET", count=-1)
        assert query_of(await back(stage, path))["payment_order_status"] == "PENDING", effect
        await stage.sandbox("DELETE", "/_sandbox/faults")
        await lose_notices(stage)


async def test_the_cancel_link_leads_to_the_cancel_url_and_asks_nobody(stage: Stage) -> None:
    order = await made(stage, cancel_url="https://shop.example/cart?from=page")
    path = await return_url(stage, order, canceled=True)
    before = await stage.sandbox("GET", "/_sandbox/log")
    reply = await back(stage, path)
    query = query_of(reply)
    assert reply.headers["location"].startswith("https://shop.example/cart?from=page&")
    assert (query["from"], query["payment_order_status"]) == ("page", "PENDING")
    check_signature(stage, query)
    assert await stage.sandbox("GET", "/_sandbox/log") == before
    plain = await made(stage)
    reply = await back(stage, await return_url(stage, plain, canceled=True))
    assert reply.headers["location"].startswith(SHOP)
    await advance(stage, 86_000)
    await stage.until(order["id"], "EXPIRED")
    assert (await back(stage, path)).headers["location"].startswith("https://shop.example/cart")


async def test_whoever_paid_is_not_led_to_the_cancel_url(stage: Stage) -> None:
    order = await made(stage, cancel_url="https://shop.example/cart")
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    reply = await back(stage, await return_url(stage, order, canceled=True))
    assert reply.headers["location"].startswith(SHOP)


NO_TOKENS = ["", "?", "?t=", "?t=0", "?t={token}0", "?t=A{token}", "?t={token}%00", "?t=%C3%A9",
             "?t=%FF", "?t=%F0%9F%98%80", "?T={token}", "?t={token}&t=x", "?t=" + "0" * 32,
             "?t=" + "0" * 5_000]  # fmt: skip


async def test_without_the_right_token_there_is_nothing(stage: Stage) -> None:
    order = await made(stage)
    path, _, token = (await return_url(stage, order)).partition("?t=")
    await stage.pay(token_of(order))
    paid = await stage.until(order["id"], "SUCCEEDED")
    for query in NO_TOKENS:
        for method in ("GET", "POST"):
            reply = await back(stage, path + query.replace("{token}", token), method)
            assert reply.status == 404, query
            assert "location" not in reply.headers
    assert await shown(stage, order["id"]) == paid


async def test_neither_unknown_nor_anothers_attempts_lead_anywhere(stage: Stage) -> None:
    order, other = await made(stage), await made(stage)
    _, _, token = (await return_url(stage, order)).partition("?t=")
    for attempt in (ids.text("att", ids.new()), other["attempts"][0]["id"], order["id"]):
        assert (await back(stage, f"/return/{attempt}?t={token}")).status == 404


async def test_nothing_in_the_query_is_believed_or_passed_on(stage: Stage) -> None:
    order = await made(stage, return_url="https://shop.example/back?mine=1")
    path = await return_url(stage, order)
    lies = ("&payment_order_status=SUCCEEDED&status=paid&redirect_status=succeeded&reference=X"
            "&signature=v1,x&timestamp=1&payment_order_id=po_x&return_url=https://evil.example"
            "&session_id=cs_test_x&mine=2&next=//evil.example%0d%0aSet-Cookie:a=b")  # fmt: skip
    query = query_of(await back(stage, path + lies))
    assert query["payment_order_status"] == "PENDING"
    assert query["mine"] == "1"
    assert set(query) == {"mine", "payment_order_id", "reference", "payment_order_status",
                          "timestamp", "signature"}  # fmt: skip
    check_signature(stage, query)
    assert (await shown(stage, order["id"]))["payment_order_status"] == "PENDING"
    form = {"t": "x", "payment_order_status": "SUCCEEDED"}
    assert query_of(await back(stage, path, "POST", data=form))["payment_order_status"] == "PENDING"


URLS = ["https://shop.example/a;jsessionid=1/b",
        "https://shop.example/it's|[x]~!$&()*+,:@%20%2F?a=b;c", "https://shop.example",
        "https://shop.example?x", "https://shop.example/?a=%26&b"]  # fmt: skip


async def test_the_shops_url_is_kept_to_the_letter(stage: Stage) -> None:
    for url in URLS:
        order = await made(stage, return_url=url)
        location = (await back(stage, await return_url(stage, order))).headers["location"]
        assert location.startswith(url + ("&" if "?" in url else "?"))
        assert urlsplit(location).hostname == "shop.example"


async def test_a_poisoned_notice_does_not_keep_the_shopper(stage: Stage, owner: Runtime) -> None:
    order = await made(stage)
    path = await return_url(stage, order)
    await poison(owner, order["id"])
    await stage.fault("/psp/*", "hook_delay", count=-1, delay_s=3_600)
    await stage.pay(token_of(order))
    session = await stage.sandbox("GET", f"/v1/checkout/sessions/{token_of(order)}")
    await tell(stage, event("checkout.session.completed", session))
    reply = await back(stage, path)
    query = query_of(reply)
    assert query["payment_order_status"] == "PENDING"
    check_signature(stage, query)
    await cure(owner)
    await stage.until(order["id"], "SUCCEEDED")


async def test_a_connection_out_of_use_does_not_keep_the_shopper(stage: Stage) -> None:
    await lose_notices(stage)
    order = await made(stage)
    path = await return_url(stage, order)
    await disable_connection(stage.rt, stage.merchant.merchant_id, stage.connection_id)
    query = query_of(await back(stage, path))
    assert query["payment_order_status"] == "PENDING"
    check_signature(stage, query)


async def test_twenty_returns_at_once_pay_once(stage: Stage) -> None:
    order = await made(stage)
    path = await return_url(stage, order)
    await stage.pay(token_of(order))
    replies = await asyncio.gather(*(back(stage, path) for _ in range(20)))
    assert {query_of(reply)["payment_order_status"] for reply in replies} == {"SUCCEEDED"}
    assert await postings(stage, order["id"]) == [("captured", 4999)]
    assert [outcome for outcome, _ in await causes(stage, order["id"])].count("Paid") == 1


async def test_returns_of_many_shoppers_do_not_wait_for_each_other(stage: Stage) -> None:
    """More at once than there are database connections, each in need of its connector."""
    orders = [await made(stage) for _ in range(15)]
    paths = [await return_url(stage, order) for order in orders]
    stage.rt.cache.forget(("connector_of", stage.connection_id))
    started = time.monotonic()
    replies = await asyncio.gather(*(back(stage, path) for path in paths))
    assert {reply.status for reply in replies} == {303}
    assert time.monotonic() - started < 5
