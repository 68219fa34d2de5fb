"""A shop cancels: the page ends at the PSP first, and a shopper who was faster has paid (F24)."""

import asyncio
from typing import Any

import pytest

from tests.scenarios.moves import (
    ORDERS,
    SESSIONS,
    advance,
    causes,
    events,
    made,
    postings,
    rest,
    shown,
    token_of,
)
from tests.scenarios.stage import Reply, Stage
from tests.scenarios.telling import check_paid_once, lose_notices
from tests.scenarios.test_refusals import check_problem

EXPIRE = f"{SESSIONS}/*"


async def cancel(stage: Stage, order: dict[str, Any], **headers: str) -> Reply:
    return await stage.send("POST", f"{ORDERS}/{order['id']}/cancel", headers=headers)


async def session_status(stage: Stage, order: dict[str, Any]) -> str:
    session = await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}")
    return str(session["status"])


async def test_an_open_page_is_ended_and_the_order_canceled(stage: Stage) -> None:
    order = await made(stage)
    reply = await cancel(stage, order)
    assert (reply.status, reply.json["payment_order_status"]) == (200, "CANCELED")
    assert reply.json["redirect_url"] is None
    assert reply.json["attempts"][0]["state"] == "CANCELED"
    assert "cancel_requested_at" not in reply.json
    assert await session_status(stage, order) == "expired"
    assert await events(stage, order["id"]) == ["registered", "canceled"]
    assert list(await causes(stage, order["id"])) == [
        ("Requested", "request"),
        ("Registered", "psp_answer"),
        ("CancelRequested", "request"),
        ("Canceled", "psp_answer"),
    ]


async def test_canceling_again_is_harmless(stage: Stage) -> None:
    order = await made(stage)
    first, again = await cancel(stage, order), await cancel(stage, order)
    assert (again.status, again.json) == (200, first.json)
    assert await events(stage, order["id"]) == ["registered", "canceled"]


async def test_a_key_keeps_the_answer_to_a_cancel(stage: Stage) -> None:
    order = await made(stage)
    first = await cancel(stage, order, **{"Idempotency-Key": "k"})
    again = await cancel(stage, order, **{"Idempotency-Key": "k"})
    assert (again.status, again.body) == (first.status, first.body)


async def test_many_at_once_end_one_page_once(stage: Stage) -> None:
    order = await made(stage)
    replies = await asyncio.gather(*(cancel(stage, order) for _ in range(20)))
    assert {reply.status for reply in replies} <= {200, 202}
    await stage.until(order["id"], "CANCELED")
    assert await events(stage, order["id"]) == ["registered", "canceled"]


async def test_a_psp_that_is_away_makes_it_wait_and_no_one_is_sent_to_the_page(
    stage: Stage,
) -> None:
    order = await made(stage)
    await stage.fault(EXPIRE, "drop", count=2)  # the expiry and the look after it
    reply = await cancel(stage, order)
    assert reply.status == 202
    assert reply.json["payment_order_status"] == "PENDING"
    assert reply.json["cancel_requested_at"]
    assert reply.json["redirect_url"] is None
    assert reply.headers["retry-after"] == "1"
    await advance(stage, 31)
    order = await stage.until(order["id"], "CANCELED")
    assert "cancel_requested_at" not in order
    assert await events(stage, order["id"]) == ["registered", "canceled"]


async def test_an_end_that_was_not_answered_is_found_out(stage: Stage) -> None:
    """The PSP ended the page, and its answer was lost: the look after it tells."""
    order = await made(stage)
    await lose_notices(stage)
    await stage.fault(f"{SESSIONS}/{token_of(order)}/expire", "apply_then_drop", method="POST")
    reply = await cancel(stage, order)
    assert (reply.status, reply.json["payment_order_status"]) == (200, "CANCELED")
    assert await session_status(stage, order) == "expired"


async def test_a_shopper_who_was_faster_has_paid(stage: Stage) -> None:
    """We have not heard of it: the worker rests, and the cancel finds out."""
    order = await made(stage)
    await rest(stage)
    await stage.pay(token_of(order))
    problem = check_problem(await cancel(stage, order), 409, "not_cancelable")
    assert problem["payment_order"] == order["id"]
    paid = await shown(stage, order["id"])
    assert paid["payment_order_status"] == "SUCCEEDED"
    assert "cancel_requested_at" not in paid
    assert await events(stage, order["id"]) == ["registered", "succeeded"]
    assert await postings(stage, order["id"]) == [("captured", 4999)]


async def test_a_paid_order_is_not_canceled(stage: Stage) -> None:
    order = await made(stage)
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    check_problem(await cancel(stage, order), 409, "not_cancelable")
    await check_paid_once(stage, order)


async def test_an_order_that_expired_is_not_canceled(stage: Stage) -> None:
    order = await made(stage)
    await advance(stage, 86_000)
    await stage.until(order["id"], "EXPIRED")
    check_problem(await cancel(stage, order), 409, "not_cancelable")


@pytest.mark.parametrize("effect", ["drop", "apply_then_drop"])
async def test_a_page_that_is_just_being_made_is_ended_once_it_is_known(
    stage: Stage, effect: str
) -> None:
    await stage.fault(SESSIONS, effect, method="POST")
    order = (await stage.post(ORDERS, stage.wanted())).json
    reply = await cancel(stage, order)
    assert (reply.status, reply.json["payment_order_status"]) == (202, "CREATED")
    await advance(stage, 31)
    order = await stage.until(order["id"], "CANCELED")
    assert order["redirect_url"] is None
    assert await session_status(stage, order) == "expired"


async def test_a_page_that_the_psp_refuses_to_make_ends_canceled_if_that_was_asked(
    stage: Stage,
) -> None:
    await stage.fault(SESSIONS, "drop", method="POST")
    await stage.fault(SESSIONS, "status", method="POST", status=400)
    order = (await stage.post(ORDERS, stage.wanted())).json
    assert (await cancel(stage, order)).status == 202
    await advance(stage, 31)
    order = await stage.until(order["id"], "CANCELED")
    assert order["attempts"][0]["state"] == "REFUSED"
    assert await events(stage, order["id"]) == ["canceled"]


async def test_an_unknown_order_is_not_there(stage: Stage) -> None:
    for order_id in ("po_00000000000000000000000000", "po_nonsense", "att_0"):
        check_problem(await cancel(stage, {"id": order_id}), 404, "not_found")
