"""Money that nobody wants any more goes back by itself, once, whatever is lost on the way (F06,
F15, F64)."""

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
    session_of,
    shown,
    tell,
    token_of,
)
from tests.scenarios.stage import Stage
from tests.scenarios.telling import until

REFUNDS = "/v1/refunds"
PENDING_CARD, FAILING_CARD = "4000000000007726", "4000000000005126"


async def say_expired(stage: Stage, order: dict[str, Any]) -> None:
    """The PSP says that the page has ended, and lets the shopper pay on it all the same."""
    ended = session_of(order, status="expired", payment_status="unpaid", payment_intent=None)
    assert (await tell(stage, event("checkout.session.expired", ended))).status == 200


async def paid_twice(stage: Stage, card: str = "4242424242424242") -> dict[str, Any]:
    """An order paid on its second page, and then on its first."""
    first = await made(stage)
    await stage.fault(f"{SESSIONS}/{token_of(first)}*", "drop", count=2)
    assert (await stage.post(f"{ORDERS}/{first['id']}/attempts", {})).status == 202
    await say_expired(stage, first)
    await until_state(stage, first, 0, "CANCELED")
    await advance(stage, 31)
    order = await stage.until(first["id"], "PENDING")
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    await stage.pay(token_of(first), card)
    await until_state(stage, first, 0, "SUCCEEDED")
    return order


async def paid_after_cancel(stage: Stage, card: str = "4242424242424242") -> dict[str, Any]:
    order = await made(stage)
    await stage.fault(f"{SESSIONS}/{token_of(order)}*", "drop", count=2)
    assert (await stage.post(f"{ORDERS}/{order['id']}/cancel", {})).status == 202
    await say_expired(stage, order)
    await stage.until(order["id"], "CANCELED")
    await stage.pay(token_of(order), card)
    await until_state(stage, order, 0, "SUCCEEDED")
    return order


async def until_state(stage: Stage, order: dict[str, Any], index: int, state: str) -> None:
    async def is_there() -> bool:
        return bool((await shown(stage, order["id"]))["attempts"][index]["state"] == state)

    await until(is_there)


async def until_returned(stage: Stage, order: dict[str, Any]) -> None:
    async def is_told() -> bool:
        return "duplicate_payment_returned" in await events(stage, order["id"])

    await until(is_told)


async def made_refunds(stage: Stage) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await stage.sandbox("GET", f"{REFUNDS}?limit=100"))["data"]
    return listed


async def test_the_money_of_a_second_page_goes_back_and_the_shop_is_told(stage: Stage) -> None:
    order = await paid_twice(stage)
    await until_returned(stage, order)
    now = await shown(stage, order["id"])
    assert now["payment_order_status"] == "SUCCEEDED"
    assert (now["amount_captured"], now["amount_refunded"], now["attention"]) == (4999, 0, None)
    assert await postings(stage, order["id"]) == [
        ("money_returned", 4999), ("suspense", 4999), ("captured", 4999),
    ]  # fmt: skip
    assert (await events(stage, order["id"]))[-2:] == ["succeeded", "duplicate_payment_returned"]
    (refund,) = await made_refunds(stage)
    assert (refund["amount"], refund["reason"], refund["status"]) == (
        4999,
        "duplicate",
        "succeeded",
    )
    assert refund["metadata"]["payloom_payment_order"] == order["id"]


async def test_money_for_a_canceled_order_goes_back_and_it_stays_canceled(stage: Stage) -> None:
    order = await paid_after_cancel(stage)
    await until_returned(stage, order)
    now = await shown(stage, order["id"])
    assert (now["payment_order_status"], now["amount_captured"]) == ("CANCELED", 0)
    assert await postings(stage, order["id"]) == [("money_returned", 4999), ("suspense", 4999)]
    (refund,) = await made_refunds(stage)
    assert refund["reason"] == "requested_by_customer"
    assert ("SurplusReturned", "psp_answer") in await causes(stage, order["id"])


@pytest.mark.parametrize("effect", ["drop", "apply_then_drop", "truncate"])
async def test_a_refund_without_an_answer_is_asked_for_again_under_its_key(
    stage: Stage, effect: str
) -> None:
    await stage.fault("/psp/*", "hook_lose", count=-1, event_type="refund.created")
    await stage.fault("/psp/*", "hook_lose", count=-1, event_type="refund.updated")
    await stage.fault(REFUNDS, effect, method="POST", count=2)
    order = await paid_after_cancel(stage)
    for tries in (1, 2, 3):
        await until_asked(stage, tries)
        await advance(stage, 31)
    await until_returned(stage, order)
    assert len(await made_refunds(stage)) == 1
    assert len({each["idempotency_key"] for each in await stage.sandbox_log(REFUNDS)}) == 1


async def until_asked(stage: Stage, times: int) -> None:
    async def asked() -> bool:
        """And the answer, or its lack, is on record: only then does it help that time passes."""
        async with stage.rt.db.statement() as tx:
            running = await tx.fetchval("SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL")
        return len(await stage.sandbox_log(REFUNDS)) >= times and running == 0

    await until(asked)


async def test_an_error_kept_under_the_key_ends_in_a_new_refund_under_a_new_key(
    stage: Stage,
) -> None:
    """Stripe answers 500 again and again then; its list says that there is no such refund."""
    await stage.fault(REFUNDS, "status", status=500, method="POST")
    order = await paid_after_cancel(stage)
    await until_asked(stage, 1)
    await advance(stage, 31)
    await until_returned(stage, order)
    assert len(await made_refunds(stage)) == 1
    assert len({each["idempotency_key"] for each in await stage.sandbox_log(REFUNDS)}) == 2


async def test_after_the_key_window_the_refund_is_looked_for_and_not_sent_again(
    stage: Stage,
) -> None:
    await stage.fault("/psp/*", "hook_lose", count=-1)
    await stage.fault(REFUNDS, "apply_then_drop", method="POST", count=-1)
    order = await made(stage)
    await stage.fault(f"{SESSIONS}/{token_of(order)}*", "drop", count=2)
    assert (await stage.post(f"{ORDERS}/{order['id']}/cancel", {})).status == 202
    await say_expired(stage, order)
    await stage.until(order["id"], "CANCELED")
    await stage.pay(token_of(order))
    session = await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}")
    assert (await tell(stage, event("checkout.session.completed", session))).status == 200
    await until_asked(stage, 1)
    sent = len(await stage.sandbox_log(REFUNDS))
    await advance(stage, 13 * 3_600)
    await until_returned(stage, order)
    assert len(await stage.sandbox_log(REFUNDS)) == sent
    assert len(await made_refunds(stage)) == 1
    assert ("SurplusReturned", "look_up") in await causes(stage, order["id"])


async def test_a_refund_that_waits_is_returned_when_the_psp_says_so(stage: Stage) -> None:
    order = await paid_after_cancel(stage, PENDING_CARD)
    await until_refund(stage, "PENDING")
    assert "duplicate_payment_returned" not in await events(stage, order["id"])
    assert await postings(stage, order["id"]) == [("suspense", 4999)]
    await advance(stage, 86_401)
    await until_returned(stage, order)


async def until_refund(stage: Stage, state: str) -> None:
    async def is_there() -> bool:
        async with stage.rt.db.statement() as tx:
            rows = await tx.fetch("SELECT state FROM refunds")
        return [row["state"] for row in rows] == [state]

    await until(is_there)


async def test_money_that_comes_back_waits_for_a_person(stage: Stage) -> None:
    order = await paid_after_cancel(stage, FAILING_CARD)
    await until_returned(stage, order)
    await advance(stage, 3 * 86_400 + 1)
    await until_refund(stage, "FAILED")
    now = await shown(stage, order["id"])
    assert now["attention"] == "surplus_not_returned"
    assert (await events(stage, order["id"]))[-1] == "attention"
    assert [kind for kind, _ in await postings(stage, order["id"])] == [
        "refund_failed", "money_returned", "suspense",
    ]  # fmt: skip


async def test_a_refusal_of_the_psp_waits_for_a_person(stage: Stage) -> None:
    await stage.fault(REFUNDS, "status", status=400, method="POST")
    order = await paid_after_cancel(stage)
    await until_refund(stage, "FAILED")
    assert (await shown(stage, order["id"]))["attention"] == "surplus_not_returned"
    assert await postings(stage, order["id"]) == [("suspense", 4999)]


async def test_a_refund_made_by_hand_meanwhile_is_not_made_twice(stage: Stage) -> None:
    """Somebody gave the money back at the PSP's own desk: the PSP refuses ours, and nobody need
    look, whichever is heard of first."""
    await stage.fault(REFUNDS, "drop", method="POST")
    order = await paid_after_cancel(stage)
    await until_asked(stage, 1)
    intent = (await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}"))["payment_intent"]
    await stage.sandbox("POST", REFUNDS, data={"payment_intent": intent})
    await until_returned(stage, order)
    await advance(stage, 31)
    await until_refunds(stage, {("surplus", "FAILED"), ("psp", "SUCCEEDED")})
    assert len(await made_refunds(stage)) == 1
    assert (await shown(stage, order["id"]))["attention"] is None
    assert await postings(stage, order["id"]) == [("money_returned", 4999), ("suspense", 4999)]


async def test_a_return_by_hand_after_ours_was_refused_is_enough(stage: Stage) -> None:
    await stage.fault(REFUNDS, "status", status=400, method="POST")
    order = await paid_after_cancel(stage)
    await until_refund(stage, "FAILED")
    assert (await shown(stage, order["id"]))["attention"] == "surplus_not_returned"
    intent = (await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}"))["payment_intent"]
    await stage.sandbox("POST", REFUNDS, data={"payment_intent": intent})
    await until_returned(stage, order)
    assert (await shown(stage, order["id"]))["attention"] is None


async def until_refunds(stage: Stage, wanted: set[tuple[str, str]]) -> None:
    async def are_there() -> bool:
        async with stage.rt.db.statement() as tx:
            rows = await tx.fetch("SELECT purpose, state FROM refunds")
        return {(row["purpose"], row["state"]) for row in rows} == wanted

    await until(are_there)


async def test_a_refund_told_of_many_times_in_any_order_counts_once(stage: Stage) -> None:
    order = await paid_after_cancel(stage)
    await until_returned(stage, order)
    (refund,) = await made_refunds(stage)
    before = await events(stage, order["id"])
    for kind in ("refund.updated", "refund.created", "refund.updated"):
        assert (await tell(stage, event(kind, refund))).status == 200
    await advance(stage, 1)
    assert await events(stage, order["id"]) == before
    assert [kind for kind, _ in await postings(stage, order["id"])].count("money_returned") == 1
