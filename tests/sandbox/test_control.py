"""Log, clock and reset: what tests and users steer the sandbox with."""

from datetime import UTC, datetime

import pytest

from tests.sandbox.merchant import Merchant, Page, form
from tests.sandbox.receiver import Receiver


async def test_the_log_tells_every_request_in_order(merchant: Merchant) -> None:
    _, made, _ = await merchant.post("/v1/checkout/sessions", form(), Idempotency_Key="k1")
    await merchant.get("/v1/checkout/sessions/cs_none")
    await merchant.get("/v1/nothing?secret=1")
    await Page(merchant.http, made["url"]).open()
    log = await merchant.log()
    assert [(e["method"], e["path"], e["status"], e["object"]) for e in log] == [
        ("POST", "/v1/checkout/sessions", 200, made["id"]),
        ("GET", "/v1/checkout/sessions/cs_none", 404, None),
        ("GET", "/v1/nothing", 404, None),
        ("GET", f"/c/pay/{made['id']}", 200, made["id"]),
    ]
    assert [e["idempotency_key"] for e in log] == ["k1", None, None, None]
    age = datetime.now(UTC) - datetime.fromisoformat(log[0]["at"])
    assert abs(age.total_seconds()) < 60
    assert set(log[0]) == {
        "at", "method", "path", "idempotency_key", "replayed", "status", "effect", "object",
    }  # fmt: skip


async def test_the_clock_moves_for_one_tenant_only(merchant: Merchant) -> None:
    other = Merchant(merchant.url, merchant.http)
    await merchant.advance(3600)
    moved = await merchant.advance(3600)
    assert moved["offset_s"] == 7200
    mine, theirs = await merchant.order(), await other.order()
    assert 7190 <= mine.created - theirs.created <= 7210
    async with merchant.http.get(f"{merchant.url}/_sandbox/clock", headers=merchant.auth) as answer:
        assert (await answer.json())["offset_s"] == 7200


@pytest.mark.parametrize("body", ["{}", "[]", '{"seconds": -1}', '{"seconds": "1"}', "x", ""])
async def test_a_clock_is_only_moved_forward_by_a_number(merchant: Merchant, body: str) -> None:
    async with merchant.http.post(
        f"{merchant.url}/_sandbox/clock/advance", data=body, headers=merchant.auth
    ) as answer:
        assert answer.status == 400


async def test_reset_forgets_everything_of_the_key(merchant: Merchant, receiver: Receiver) -> None:
    other = Merchant(merchant.url, merchant.http)
    kept = await other.order()
    await merchant.listen(receiver.url)
    session = await merchant.order()
    await merchant.post("/v1/checkout/sessions", form(), Idempotency_Key="k1")
    await merchant.fault("/v1/events", "drop")
    await merchant.advance(100)
    async with merchant.http.post(f"{merchant.url}/_sandbox/reset", headers=merchant.auth) as got:
        assert got.status == 200
    assert await merchant.log() == []
    assert await merchant.events() == []
    assert (await merchant.sessions.list_async()).data == []
    assert (await merchant.stripe.v1.webhook_endpoints.list_async()).data == []
    assert (await Page(merchant.http, session.url).open()).status == 404
    _, _, headers = await merchant.post("/v1/checkout/sessions", form("50"), Idempotency_Key="k1")
    assert "Idempotent-Replayed" not in headers
    assert (await merchant.advance(0))["offset_s"] == 0
    assert (await other.sessions.retrieve_async(kept.id)).id == kept.id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_sandbox/log"),
        ("GET", "/_sandbox/clock"),
        ("POST", "/_sandbox/clock/advance"),
        ("POST", "/_sandbox/faults"),
        ("DELETE", "/_sandbox/faults"),
        ("POST", "/_sandbox/keys"),
        ("DELETE", "/_sandbox/keys"),
        ("POST", "/_sandbox/reset"),
    ],
)
async def test_nothing_is_steered_without_a_key(merchant: Merchant, method: str, path: str) -> None:
    async with merchant.http.request(method, merchant.url + path) as answer:
        assert answer.status == 401
