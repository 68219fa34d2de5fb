"""Rate limits, once they are ordered: by account, by endpoint, and no part of the API's answers."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.sandbox.merchant import Json, Merchant, form
from tests.sandbox.process import Start

SESSIONS = "/v1/checkout/sessions"
REASON = "Stripe-Rate-Limited-Reason"
SLOW = 0.001  # a second: one request, and the next after a thousand


async def control(merchant: Merchant, method: str, body: Any = None) -> tuple[int, Json]:
    url = f"{merchant.url}/_sandbox/rate_limits"
    async with merchant.http.request(method, url, json=body, headers=merchant.auth) as answer:
        return answer.status, await answer.json()


async def order(merchant: Merchant, **limits: float) -> None:
    status, _ = await control(merchant, "POST", limits)
    assert status == 200


async def test_they_are_off_until_they_are_ordered(merchant: Merchant) -> None:
    assert await control(merchant, "GET") == (200, {})
    answers = await asyncio.gather(*[merchant.get("/v1/events") for _ in range(60)])
    assert {status for status, _ in answers} == {200}


async def test_as_ordered_they_are_those_that_stripe_documents(merchant: Merchant) -> None:
    documented = {"account_per_s": 25, "endpoint_per_s": 25}
    assert await control(merchant, "POST", {}) == (200, documented)
    assert await control(merchant, "GET") == (200, documented)
    live = Merchant(merchant.url, merchant.http, merchant.key.replace("_test_", "_live_"))
    assert (await control(live, "POST", {}))[1] == {"account_per_s": 100, "endpoint_per_s": 25}


async def test_an_endpoint_that_is_asked_too_often_is_refused_and_others_are_not(
    merchant: Merchant,
) -> None:
    session = await merchant.order()
    await order(merchant, account_per_s=1_000, endpoint_per_s=SLOW)
    status, _, _ = await merchant.post(SESSIONS, form())
    assert status == 200
    status, body, headers = await merchant.post(SESSIONS, form())
    assert (status, body["error"]["code"], headers[REASON]) == (429, "rate_limit", "endpoint-rate")
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Should-Retry"] == "false"
    assert "Retry-After" not in headers
    assert (await merchant.get(SESSIONS))[0] == 200
    assert (await merchant.get(f"{SESSIONS}/{session.id}"))[0] == 200
    assert (await merchant.get(f"{SESSIONS}/cs_another"))[0] == 429, "ids make no other endpoint"
    await merchant.advance(1_001)
    assert (await merchant.post(SESSIONS, form()))[0] == 200


async def test_an_account_that_asks_too_often_is_refused_everywhere(merchant: Merchant) -> None:
    await order(merchant, account_per_s=SLOW, endpoint_per_s=1_000)
    assert (await merchant.get("/v1/events"))[0] == 200
    status, _, headers = await merchant.post(SESSIONS, form())
    assert (status, headers[REASON]) == (429, "global-rate")
    other = Merchant(merchant.url, merchant.http)
    assert (await other.get("/v1/events"))[0] == 200


async def test_what_is_limited_is_not_kept_under_its_key_and_is_logged(merchant: Merchant) -> None:
    await order(merchant, endpoint_per_s=SLOW)
    await merchant.post(SESSIONS, form())
    status, _, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert status == 429
    await control(merchant, "DELETE")
    status, _, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, "Idempotent-Replayed" in headers) == (200, False)
    assert [entry["status"] for entry in await merchant.log()] == [200, 429, 200]


async def test_a_fault_waits_for_a_request_that_gets_through(merchant: Merchant) -> None:
    await order(merchant, endpoint_per_s=SLOW)
    await merchant.get("/v1/events")
    await merchant.fault("/v1/events", "status", status=503)
    assert (await merchant.get("/v1/events"))[0] == 429
    await merchant.advance(1_001)
    assert (await merchant.get("/v1/events"))[0] == 503


async def test_reset_lifts_them(merchant: Merchant) -> None:
    await order(merchant, endpoint_per_s=SLOW)
    async with merchant.http.post(f"{merchant.url}/_sandbox/reset", headers=merchant.auth) as done:
        assert done.status == 200
    assert await control(merchant, "GET") == (200, {})
    for _ in range(3):
        assert (await merchant.get("/v1/events"))[0] == 200


async def test_they_survive_a_kill(start: Start, store: Path, http: aiohttp.ClientSession) -> None:
    process = start(store)
    await order(Merchant(process.url, http, "sk_test_limited12345"), endpoint_per_s=SLOW)
    process.kill()
    merchant = Merchant(start(store).url, http, "sk_test_limited12345")
    assert (await control(merchant, "GET"))[1]["endpoint_per_s"] == SLOW
    assert [(await merchant.get("/v1/events"))[0] for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    "body",
    [
        {"account_per_s": 0},
        {"account_per_s": -1},
        {"endpoint_per_s": "25"},
        {"endpoint_per_s": True},
        {"endpoint_per_s": None},
        {"endpoint_per_s": 1e9},
        {"per_s": 1},
        [],
        7,
    ],
)
async def test_a_limit_that_is_none_is_refused(merchant: Merchant, body: Any) -> None:
    assert (await control(merchant, "POST", body))[0] == 400
    assert await control(merchant, "GET") == (200, {})
