"""Faults on command: each effect as a client sees it, and what the log says of it."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
import stripe

from tests.sandbox.merchant import Merchant, Page, form

SESSIONS = "/v1/checkout/sessions"


async def count(merchant: Merchant) -> int:
    return len((await merchant.sessions.list_async()).data)


async def test_late_waits_and_then_does_it(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "late", delay_s=0.4)
    began = time.monotonic()
    await merchant.order()
    assert 0.4 <= time.monotonic() - began < 3


async def test_late_is_done_even_when_the_client_has_gone(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "late", delay_s=0.5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await merchant.post(SESSIONS, form())
    assert await count(merchant) == 0
    await asyncio.sleep(0.6)
    assert await count(merchant) == 1


@pytest.mark.parametrize(
    ("status", "exception"),
    [
        (429, stripe.RateLimitError),
        (500, stripe.APIError),
        (503, stripe.APIError),
        (409, stripe.APIError),
        (401, stripe.AuthenticationError),
        (402, stripe.CardError),
    ],
)
async def test_status_answers_without_doing(
    merchant: Merchant, status: int, exception: type[stripe.StripeError]
) -> None:
    await merchant.fault(SESSIONS, "status", status=status)
    with pytest.raises(exception) as refused:
        await merchant.order()
    assert refused.value.http_status == status
    assert await count(merchant) == 0
    await merchant.order()  # the order was for one call
    entry = (await merchant.log())[0]
    assert (entry["status"], entry["effect"], entry["object"]) == (status, "status", None)


async def test_drop_closes_before_anything_is_done(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "drop", method="POST")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await merchant.post(SESSIONS, form())
    assert await count(merchant) == 0
    entry = (await merchant.log())[0]
    assert (entry["status"], entry["effect"]) == (None, "drop")


async def test_apply_then_drop_does_it_and_says_nothing(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "apply_then_drop", method="POST")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    status, again, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, headers["Idempotent-Replayed"]) == (200, "true")
    listed = await merchant.sessions.list_async()
    assert [s.id for s in listed.data] == [again["id"]]
    entry = (await merchant.log())[0]
    assert (entry["effect"], entry["object"]) == ("apply_then_drop", again["id"])


async def test_a_dropped_call_is_a_connection_error_for_the_sdk(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "apply_then_drop", method="POST")
    with pytest.raises(stripe.APIConnectionError):
        await merchant.order()


@pytest.mark.parametrize("effect", ["drop", "apply_then_drop"])
async def test_a_dropped_connection_is_closed_with_no_byte_sent(
    merchant: Merchant, effect: str
) -> None:
    await merchant.fault("/v1/events", effect)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(merchant.url.split(":")[-1]))
    head = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {merchant.key}\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(2):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_truncate_sends_half_of_the_body_and_closes(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "truncate", method="POST")
    async with merchant.http.post(
        merchant.url + SESSIONS, data=form(), headers=merchant.auth
    ) as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert await count(merchant) == 1


async def test_truncate_sends_just_half_of_what_it_promised(merchant: Merchant) -> None:
    await merchant.fault("/v1/events", "truncate")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(merchant.url.split(":")[-1]))
    head = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {merchant.key}\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(2):
        headers, _, body = (await reader.read()).partition(b"\r\n\r\n")
    promised = int(headers.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert len(body) == promised // 2
    writer.close()
    await writer.wait_closed()


async def test_a_path_may_end_in_a_star_and_count_for_ever(merchant: Merchant) -> None:
    await merchant.fault("/v1/checkout/*", "status", status=500, count=-1)
    for _ in range(3):
        status, _, _ = await merchant.post(SESSIONS, form())
        assert status == 500
    status, _ = await merchant.get("/v1/events")
    assert status == 200


async def test_faults_count_down_are_listed_and_cleared(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "status", status=503, count=2)
    await merchant.fault("/v1/events", "drop", method="get")
    await merchant.post(SESSIONS, form())

    async def listed() -> list[dict[str, Any]]:
        async with merchant.http.get(
            f"{merchant.url}/_sandbox/faults", headers=merchant.auth
        ) as answer:
            faults: list[dict[str, Any]] = await answer.json()
            return faults

    assert [(f["effect"], f["count"], f["method"]) for f in await listed()] == [
        ("status", 1, None),
        ("drop", 1, "GET"),
    ]
    async with merchant.http.delete(f"{merchant.url}/_sandbox/faults", headers=merchant.auth):
        assert await listed() == []
    assert (await merchant.post(SESSIONS, form()))[0] == 200


async def test_faults_of_one_tenant_spare_the_other(merchant: Merchant) -> None:
    other = Merchant(merchant.url, merchant.http)
    await merchant.fault("/v1/*", "status", status=500, count=-1)
    assert (await other.post(SESSIONS, form()))[0] == 200


async def test_a_method_limits_a_fault(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "status", method="GET", status=500)
    assert (await merchant.post(SESSIONS, form()))[0] == 200
    assert (await merchant.get(SESSIONS))[0] == 500


@pytest.mark.parametrize(
    "order",
    [
        None,
        [],
        {},
        {"path": "/v1/events"},
        {"path": "/v1/events", "effect": "explode"},
        {"path": "v1", "effect": "drop"},
        {"path": "/v1", "effect": "drop", "count": 0},
        {"path": "/v1", "effect": "drop", "count": "2"},
        {"path": "/v1", "effect": "drop", "count": True},
        {"path": "/v1", "effect": "status", "status": 99},
        {"path": "/v1", "effect": "late", "delay_s": -1},
        {"path": "/v1", "effect": "late", "delay_s": "1"},
        {"path": "/v1", "effect": "drop", "colour": "red"},
        {"path": 5, "effect": "drop"},
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(merchant: Merchant, order: Any) -> None:
    async with merchant.http.post(
        f"{merchant.url}/_sandbox/faults", json=order, headers=merchant.auth
    ) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["message"]


async def test_faults_reach_the_hosted_page_too(merchant: Merchant) -> None:
    session = await merchant.order()
    await merchant.fault("/c/pay/*", "status", status=503)
    page = await Page(merchant.http, session.url).open()
    assert page.status == 503
    # the client itself sends a GET a second time on a connection that it had used before
    await merchant.fault("/c/pay/*", "drop", count=2)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await page.open()
    assert (await page.open()).status == 200
    visits = [(e["effect"], e["status"]) for e in (await merchant.log())[1:]]
    assert visits == [("status", 503), ("drop", None), ("drop", None), (None, 200)]


async def test_paying_by_a_page_that_drops_the_answer_charges_once(merchant: Merchant) -> None:
    session = await merchant.order()
    page = await Page(merchant.http, session.url).open()
    await merchant.fault("/c/pay/*", "apply_then_drop", method="POST")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await page.pay("4242424242424242")
    assert await page.pay("4242424242424242") == ""
    assert "Already paid" in page.html
    assert (await merchant.events()).count("charge.succeeded") == 1


async def test_a_page_of_a_proxy_comes_instead_of_json(merchant: Merchant) -> None:
    await merchant.fault("/v1/checkout/sessions", "proxy_page")
    async with merchant.http.post(
        f"{merchant.url}/v1/checkout/sessions", data=form(), headers=merchant.auth
    ) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")
        assert "Request-Id" not in answer.headers
    assert (await merchant.sessions.list_async()).data == []
    (entry, _) = await merchant.log()
    assert (entry["effect"], entry["status"]) == ("proxy_page", None)
