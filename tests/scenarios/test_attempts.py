"""A new attempt for an order: at no moment can two of its pages be paid (F06)."""

import asyncio
from typing import Any

import pytest

from tests.scenarios.moves import (
    ORDERS,
    SESSIONS,
    advance,
    causes,
    event,
    events,
    made,
    postings,
    rest,
    session_of,
    shown,
    tell,
    token_of,
)
from tests.scenarios.stage import Reply, Stage
from tests.scenarios.telling import lose_notices
from tests.scenarios.test_refusals import check_problem


async def again(stage: Stage, order: dict[str, Any], **body: Any) -> Reply:
    return await stage.post(f"{ORDERS}/{order['id']}/attempts", body)


async def expired(stage: Stage) -> dict[str, Any]:
    order = await made(stage)
    await advance(stage, 86_000)
    return await stage.until(order["id"], "EXPIRED")


async def payable(stage: Stage) -> list[str]:
    listed = (await stage.sandbox("GET", f"{SESSIONS}?limit=100"))["data"]
    return [each["id"] for each in listed if each["status"] == "open"]


def states(order: dict[str, Any]) -> list[str]:
    return [each["state"] for each in order["attempts"]]


async def test_a_field_that_a_new_attempt_does_not_know_is_refused_by_name(stage: Stage) -> None:
    """The body may be left out: that must not keep what is wrong with it from being told."""
    order = await expired(stage)
    reply = await again(stage, order, pps="stripe")
    problem = check_problem(reply, 422, "invalid_request")
    assert [error["field"] for error in problem["errors"]] == ["pps"]
    assert "known are psp" in problem["errors"][0]["message"]
    assert states(await shown(stage, order["id"])) == ["EXPIRED"]


async def test_an_expired_order_gets_a_new_page_and_is_paid_on_it(stage: Stage) -> None:
    order = await expired(stage)
    reply = await again(stage, order)
    assert (reply.status, reply.json["payment_order_status"]) == (201, "PENDING")
    assert states(reply.json) == ["EXPIRED", "OPEN"]
    assert reply.json["redirect_url"]
    assert reply.json["expires_at"] > order["expires_at"]
    assert reply.json["attempts"][0]["token"] != token_of(reply.json)
    await stage.pay(token_of(reply.json))
    paid = await stage.until(order["id"], "SUCCEEDED")
    assert states(paid) == ["EXPIRED", "SUCCEEDED"]
    assert await events(stage, order["id"]) == ["registered", "expired", "registered", "succeeded"]
    assert await postings(stage, order["id"]) == [("captured", 4999)]


async def test_an_open_page_is_ended_before_the_new_one_is_made(stage: Stage) -> None:
    order = await made(stage)
    reply = await again(stage, order, expires_in=3_600)
    assert (reply.status, reply.json["payment_order_status"]) == (201, "PENDING")
    assert states(reply.json) == ["CANCELED", "OPEN"]
    assert await payable(stage) == [token_of(reply.json)]
    assert await events(stage, order["id"]) == ["registered", "registered"]
    log = await stage.sandbox("GET", "/_sandbox/log")
    asked = [each["path"] for each in log if each["method"] == "POST" and SESSIONS in each["path"]]
    assert asked == [SESSIONS, f"{SESSIONS}/{token_of(order)}/expire", SESSIONS]


async def test_a_refused_order_may_be_tried_anew(stage: Stage) -> None:
    await stage.fault(SESSIONS, "status", status=400, method="POST")
    refused = check_problem(await stage.post(ORDERS, stage.wanted()), 422, "registration_refused")
    order = await shown(stage, refused["payment_order"])
    reply = await again(stage, order)
    assert (reply.status, states(reply.json)) == (201, ["REFUSED", "OPEN"])


async def test_a_new_attempt_that_is_refused_fails_the_order_again(stage: Stage) -> None:
    order = await expired(stage)
    await stage.fault(SESSIONS, "status", status=400, method="POST")
    problem = check_problem(await again(stage, order), 422, "registration_refused")
    assert problem["payment_order"] == order["id"]
    order = await shown(stage, order["id"])
    assert (order["payment_order_status"], states(order)) == ("FAILED", ["EXPIRED", "REFUSED"])
    assert (await again(stage, order)).status == 201


async def test_while_the_old_page_may_be_paid_the_new_one_waits(stage: Stage) -> None:
    order = await made(stage)
    await lose_notices(stage)
    await stage.fault(f"{SESSIONS}/{token_of(order)}*", "drop", count=2)
    reply = await again(stage, order)
    assert (reply.status, reply.json["payment_order_status"]) == (202, "CREATED")
    assert reply.json["redirect_url"] is None
    assert states(reply.json) == ["OPEN", "REGISTERING"]
    assert await payable(stage) == [token_of(order)]
    await advance(stage, 31)  # the job ends the old page
    await until_states(stage, order, ["CANCELED", "REGISTERING"], ["CANCELED", "OPEN"])
    await advance(stage, 31)  # and the new one has its turn
    now = await stage.until(order["id"], "PENDING")
    assert states(now) == ["CANCELED", "OPEN"]
    assert await payable(stage) == [token_of(now)]


async def until_states(stage: Stage, order: dict[str, Any], *wanted: list[str]) -> None:
    async with asyncio.timeout(20):
        while states(await shown(stage, order["id"])) not in wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_shopper_who_was_faster_on_the_old_page_has_paid(stage: Stage) -> None:
    order = await made(stage)
    await rest(stage)
    await stage.pay(token_of(order))
    check_problem(await again(stage, order), 409, "attempt_not_possible")
    order = await shown(stage, order["id"])
    assert order["payment_order_status"] == "SUCCEEDED"
    assert states(order) == ["SUCCEEDED", "CANCELED"]
    assert await payable(stage) == []
    assert await events(stage, order["id"]) == ["registered", "succeeded"]
    assert ("NeverSent", "look_up") in await causes(stage, order["id"])


async def test_the_new_attempt_answered_late_is_known_in_the_end(stage: Stage) -> None:
    order = await expired(stage)
    await stage.fault(SESSIONS, "apply_then_drop", method="POST")
    reply = await again(stage, order)
    assert (reply.status, reply.json["payment_order_status"]) == (202, "CREATED")
    await advance(stage, 2)
    order = await stage.until(order["id"], "PENDING")
    assert await payable(stage) == [token_of(order)]


async def test_many_at_once_leave_one_page_that_can_be_paid(stage: Stage) -> None:
    order = await made(stage)
    replies = await asyncio.gather(*(again(stage, order) for _ in range(10)))
    assert {reply.status for reply in replies} <= {201, 202, 409}
    assert any(reply.status == 201 for reply in replies)
    order = await stage.until(order["id"], "PENDING")
    assert await payable(stage) == [token_of(order)]
    assert states(order).count("OPEN") == 1


async def test_a_key_makes_one_attempt_of_many_requests(stage: Stage) -> None:
    order = await expired(stage)
    path, key = f"{ORDERS}/{order['id']}/attempts", {"Idempotency-Key": "k"}
    replies = await asyncio.gather(*(stage.post(path, {}, **key) for _ in range(10)))
    assert {(reply.status, reply.body) for reply in replies} == {(201, replies[0].body)}
    assert len((await shown(stage, order["id"]))["attempts"]) == 2


async def test_canceling_while_the_new_attempt_waits_ends_both(stage: Stage) -> None:
    order = await made(stage)
    await lose_notices(stage)
    await stage.fault(f"{SESSIONS}/{token_of(order)}*", "drop", count=4)
    assert (await again(stage, order)).status == 202
    reply = await stage.post(f"{ORDERS}/{order['id']}/cancel", {})
    assert (reply.status, reply.json["payment_order_status"]) == (202, "CREATED")
    await advance(stage, 31)
    await until_states(stage, order, ["CANCELED", "REGISTERING"], ["CANCELED", "CANCELED"])
    await advance(stage, 31)
    order = await stage.until(order["id"], "CANCELED")
    assert states(order) == ["CANCELED", "CANCELED"]
    assert await payable(stage) == []
    assert await events(stage, order["id"]) == ["registered", "canceled"]


async def test_money_on_a_page_that_expired_pays_the_order_and_ends_the_new_page(
    stage: Stage,
) -> None:
    """Stripe does not take money for an expired page; others do, and notices come late."""
    first = await made(stage)
    stage.is_psp_forged = True
    await advance(stage, 86_000)
    await stage.until(first["id"], "EXPIRED")
    second = (await again(stage, first)).json
    paid = session_of(first)
    assert (await tell(stage, event("checkout.session.completed", paid))).status == 200
    await stage.until(first["id"], "SUCCEEDED")
    await advance(stage, 31)
    await until_states(stage, first, ["SUCCEEDED", "EXPIRED"])
    assert await payable(stage) == []
    assert await events(stage, first["id"]) == [
        "registered", "expired", "registered", "succeeded", "late_success",
    ]  # fmt: skip
    assert second["attempts"][1]["state"] == "OPEN"


@pytest.mark.parametrize(
    "body", [{"amount": 1}, {"expires_in": 60}, {"psp": 7}, {"expires_in": 1e3}]
)
async def test_a_wish_with_mistakes_is_refused_and_changes_nothing(
    stage: Stage, body: dict[str, Any]
) -> None:
    order = await made(stage)
    reply = await again(stage, order, **body)
    problem = check_problem(reply, 422, "invalid_request")
    assert problem["errors"][0]["field"] == next(iter(body))
    assert await shown(stage, order["id"]) == order


async def test_a_psp_without_a_connection_is_refused(stage: Stage) -> None:
    order = await made(stage)
    check_problem(await again(stage, order, psp="acme"), 422, "psp_unavailable")
    assert await shown(stage, order["id"]) == order


async def test_paid_and_canceled_orders_take_no_new_attempt(stage: Stage) -> None:
    paid = await made(stage)
    await stage.pay(token_of(paid))
    await stage.until(paid["id"], "SUCCEEDED")
    canceled = await made(stage)
    await stage.post(f"{ORDERS}/{canceled['id']}/cancel", {})
    for order in (paid, canceled):
        check_problem(await again(stage, order), 409, "attempt_not_possible")
    for order_id in ("po_00000000000000000000000000", "nonsense"):
        check_problem(await again(stage, {"id": order_id}), 404, "not_found")
