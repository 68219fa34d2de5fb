"""Log, clock and reset: what tests and users steer the sandbox with."""

import json
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


async def refusal(merchant: Merchant, path: str, body: str | bytes) -> str:
    """What is said of a body that cannot be used."""
    async with merchant.http.post(
        f"{merchant.url}/_sandbox/{path}", data=body, headers=merchant.auth
    ) as answer:
        assert answer.status == 400, await answer.text()
        return str((await answer.json())["error"]["message"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{}", "must hold seconds and nothing else"),
        ("[]", "must hold seconds and nothing else"),
        ('{"seconds": 1, "minutes": 1}', "must hold seconds and nothing else"),
        ('{"seconds": -1}', "a clock never goes back"),
        ('{"seconds": 1e12}', "must be from 0 to"),
        ('{"seconds": NaN}', "must be from 0 to"),
        ('{"seconds": "1"}', "must be a number"),
        ('{"seconds": true}', "must be a number"),
        ("seconds=60", 'must be JSON, such as {"seconds": 60}'),
        ("", "must be JSON"),
        (b"\xff", "must be JSON"),
        ("[" * 60_000, "must be JSON"),
        ("1" * 70_000, "the body is too large"),
    ],
)
async def test_a_clock_is_only_moved_forward_by_a_number(
    merchant: Merchant, body: str | bytes, says: str
) -> None:
    assert says in await refusal(merchant, "clock/advance", body)
    assert (await merchant.advance(0))["offset_s"] == 0


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"path": "/v1", "effect": "explode"}, "effect must be one of late, status"),
        ({"path": "/v1"}, "effect must be one of"),
        ({"effect": "drop"}, "path must begin with /"),
        ({"path": 5, "effect": "drop"}, "path must be text"),
        ({"path": "/\ud800", "effect": "drop"}, "path must be text"),
        ({"path": "/" * 501, "effect": "drop"}, "path must be text, of at most 500"),
        ({"path": "/v1", "effect": "drop", "colour": 1}, "unknown fields: colour; there are"),
        ({"path": "/v1", "effect": "drop", "count": 10**30}, "count must be from 1 to"),
        ({"path": "/v1", "effect": "drop", "status": 500}, "status goes with the effects status"),
        ({"path": "/v1", "effect": "drop", "delay_s": 1}, "delay_s goes with the effects late"),
        ({"path": "/", "effect": "drop", "event_type": "a"}, "event_type goes with the effects"),
        ({"path": "/", "effect": "hook_lose", "method": "POST"}, "method goes with the effects"),
        (["/v1", "drop"], "must be a JSON object"),
    ],
)  # fmt: skip
async def test_a_fault_that_cannot_be_is_refused_and_says_why(
    merchant: Merchant, order: object, says: str
) -> None:
    assert says in await refusal(merchant, "faults", json.dumps(order))
    async with merchant.http.get(f"{merchant.url}/_sandbox/faults", headers=merchant.auth) as got:
        assert await got.json() == []


async def test_an_unknown_control_route_names_the_known_ones(merchant: Merchant) -> None:
    for method, path in (("POST", "clock/back"), ("PUT", "faults"), ("POST", "log")):
        async with merchant.http.request(
            method, f"{merchant.url}/_sandbox/{path}", headers=merchant.auth
        ) as answer:
            assert answer.status == 404
            said = (await answer.json())["error"]["message"]
        assert f"{method} /_sandbox/{path}" in said
        assert "POST /_sandbox/clock/advance" in said
        assert "POST /_sandbox/payouts" in said


@pytest.mark.parametrize("wait", ["x", "-1", "nan", "1000"])
async def test_deliveries_are_waited_for_by_a_number_of_seconds(
    merchant: Merchant, wait: str
) -> None:
    status, body = await merchant.get(f"/_sandbox/deliveries?wait_s={wait}")
    assert (status, body["error"]["message"]) == (400, "wait_s must be a number from 0 to 120")


async def test_whoever_waits_for_deliveries_finds_every_answer(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url)
    receiver.delay_s = 0.3
    await merchant.confirm((await merchant.order()).id, "pm_card_visa")
    tries = await merchant.deliveries(wait_s=10)
    assert len(tries) == len(receiver.got)
    assert len(tries) >= 4


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
        ("GET", "/_sandbox/deliveries"),
        ("GET", "/_sandbox/payouts"),
        ("POST", "/_sandbox/clock/advance"),
        ("POST", "/_sandbox/faults"),
        ("POST", "/_sandbox/payouts"),
        ("POST", "/_sandbox/payouts/po_1/fail"),
        ("DELETE", "/_sandbox/faults"),
        ("POST", "/_sandbox/keys"),
        ("DELETE", "/_sandbox/keys"),
        ("POST", "/_sandbox/reset"),
    ],
)
async def test_nothing_is_steered_without_a_key(merchant: Merchant, method: str, path: str) -> None:
    async with merchant.http.request(method, merchant.url + path) as answer:
        assert answer.status == 401
