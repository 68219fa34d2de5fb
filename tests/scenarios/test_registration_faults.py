"""The PSP does not answer a registration, or answers nonsense: nothing is concluded, and in the
end there is one page (F12 to F18). Or it refuses."""

from typing import Any

import pytest

from tests.scenarios.moves import (
    ORDERS,
    SESSIONS,
    advance,
    causes,
    events,
    shown,
    token_of,
)
from tests.scenarios.stage import Stage
from tests.scenarios.telling import check_paid_once, until
from tests.scenarios.test_refusals import check_problem

HALF_A_DAY_S = 12 * 3_600


async def unanswered(stage: Stage, **changes: Any) -> dict[str, Any]:
    """An order whose registration the PSP did not answer, as the shop is told of it."""
    reply = await stage.post(ORDERS, stage.wanted(**changes))
    assert reply.status == 202, reply.body
    order: dict[str, Any] = reply.json
    assert order["payment_order_status"] == "CREATED"
    assert order["redirect_url"] is None
    assert order["attempts"][0]["token"] is None
    assert reply.headers["location"] == f"{ORDERS}/{order['id']}"
    assert reply.headers["retry-after"] == "1"
    return order


async def sessions(stage: Stage) -> list[dict[str, Any]]:
    """All pages there are at the PSP."""
    listed: list[dict[str, Any]] = (await stage.sandbox("GET", f"{SESSIONS}?limit=100"))["data"]
    return listed


async def check_one_page(stage: Stage, order: dict[str, Any]) -> None:
    """The order's own, asked for under one key, and it can be paid."""
    (session,) = await sessions(stage)
    assert token_of(order) == session["id"]
    assert order["redirect_url"] == session["url"]
    asked = await stage.sandbox_log(SESSIONS)
    assert {each["idempotency_key"] for each in asked} == {order["attempts"][0]["id"]}
    assert await events(stage, order["id"]) == ["registered"]
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    await check_paid_once(stage, order)


FAULTS: list[dict[str, Any]] = [
    {"effect": "drop"},
    {"effect": "apply_then_drop"},
    {"effect": "truncate"},
    *[{"effect": "status", "status": status} for status in (401, 403, 409, 429, 503)],
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_an_unanswered_registration_is_resolved_by_the_job(
    stage: Stage, fault: dict[str, Any]
) -> None:
    await stage.fault(SESSIONS, method="POST", **fault)
    order = await unanswered(stage)
    await advance(stage, 2)
    order = await stage.until(order["id"], "PENDING")
    assert len(await stage.sandbox_log(SESSIONS)) == 2
    await check_one_page(stage, order)


@pytest.mark.parametrize("effect", ["drop", "apply_then_drop"])
async def test_a_psp_that_is_away_for_long_is_asked_with_growing_pauses(
    stage: Stage, effect: str
) -> None:
    await stage.fault(SESSIONS, effect, method="POST", count=6)
    order = await unanswered(stage)
    for tries in range(2, 7):
        await advance(stage, 31)
        await until_asked(stage, tries)
        assert (await shown(stage, order["id"]))["payment_order_status"] == "CREATED"
    await advance(stage, 31)
    await check_one_page(stage, await stage.until(order["id"], "PENDING"))


async def until_asked(stage: Stage, times: int) -> None:
    async def asked() -> bool:
        return len(await stage.sandbox_log(SESSIONS)) >= times

    await until(asked)


async def test_the_same_body_again_shows_the_page_once_it_is_there(stage: Stage) -> None:
    await stage.fault(SESSIONS, "apply_then_drop", method="POST")
    wanted = stage.wanted()
    first = await stage.post(ORDERS, wanted)
    assert first.status == 202
    again = await stage.post(ORDERS, wanted)
    assert (again.status, again.json["id"]) in {(202, first.json["id"]), (200, first.json["id"])}
    await advance(stage, 2)
    await stage.until(first.json["id"], "PENDING")
    again = await stage.post(ORDERS, wanted)
    assert (again.status, again.json["id"]) == (200, first.json["id"])
    await check_one_page(stage, again.json)


# --- when the key must not be used any more --------------------------------------------------


async def test_after_half_a_day_the_page_is_searched_for_and_found(stage: Stage) -> None:
    await stage.fault(SESSIONS, "apply_then_drop", method="POST", count=-1)
    order = await unanswered(stage)
    sent = len(await stage.sandbox_log(SESSIONS))
    await advance(stage, HALF_A_DAY_S)
    order = await stage.until(order["id"], "PENDING")
    assert len(await stage.sandbox_log(SESSIONS)) == sent  # looked for, not sent again
    await check_one_page(stage, order)


async def test_after_half_a_day_a_page_that_never_was_is_given_up(stage: Stage) -> None:
    await stage.fault(SESSIONS, "drop", method="POST", count=-1)
    order = await unanswered(stage)
    sent = len(await stage.sandbox_log(SESSIONS))
    await advance(stage, HALF_A_DAY_S)
    order = await stage.until(order["id"], "FAILED")
    assert order["attempts"][0]["state"] == "REFUSED"
    assert order["last_error"]["code"] == "never_registered"
    assert await events(stage, order["id"]) == ["failed"]
    assert len(await stage.sandbox_log(SESSIONS)) == sent
    assert await sessions(stage) == []


async def test_an_error_that_the_psp_keeps_under_the_key_ends_in_a_search(stage: Stage) -> None:
    """Stripe answers 500 again and again then: nothing was made, and nothing will be."""
    await stage.fault(SESSIONS, "status", status=500, method="POST")
    order = await unanswered(stage)
    await advance(stage, 2)
    order = await stage.until(order["id"], "FAILED")
    assert [each["replayed"] for each in await stage.sandbox_log(SESSIONS)] == [False, True]
    assert await sessions(stage) == []
    assert (await causes(stage, order["id"]))[-1] == ("Refused", "look_up")


# --- when it refuses -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404])
async def test_a_refusal_fails_the_order_and_names_it(stage: Stage, status: int) -> None:
    await stage.fault(SESSIONS, "status", status=status, method="POST")
    wanted = stage.wanted()
    problem = check_problem(await stage.post(ORDERS, wanted), 422, "registration_refused")
    order = await shown(stage, problem["payment_order"])
    assert (order["reference"], order["payment_order_status"]) == (wanted["reference"], "FAILED")
    assert order["attempts"][0]["state"] == "REFUSED"
    assert order["last_error"]["code"]
    assert order["redirect_url"] is None
    assert await events(stage, order["id"]) == ["failed"]
    again = await stage.post(ORDERS, wanted)
    assert (again.status, again.json) == (200, order)
    await advance(stage, HALF_A_DAY_S)
    assert len(await stage.sandbox_log(SESSIONS)) == 1
    assert await sessions(stage) == []
