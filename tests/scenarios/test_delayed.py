"""Bank debits that settle or fail days later, and one that fails and pays after all."""

from typing import Any

import pytest

from tests.sandbox.merchant import Page
from tests.scenarios.moves import (
    ORDERS,
    SESSIONS,
    advance,
    causes,
    events,
    made,
    postings,
    shown,
    token_of,
)
from tests.scenarios.stage import Stage
from tests.scenarios.telling import lose_notices, until
from tests.scenarios.test_refusals import check_problem

DAY_S = 86_400
SETTLES, FAILS = "AT611904300234573201", "AT861904300235473202"
FAILS_THEN_PAYS = "AT751904300235473206"


async def debited(stage: Stage, account: str) -> dict[str, Any]:
    """An order whose shopper gave a bank account; the bank takes days."""
    order = await made(stage, method_types=["bank_debit"])
    await give_account(stage, order, account)
    return order


async def give_account(stage: Stage, order: dict[str, Any], account: str) -> None:
    page = await Page(stage.http, f"{stage.sandbox_url}/c/pay/{token_of(order)}").open()
    assert await page.pay_by_account("sepa_debit", account)


async def test_a_debit_that_settles_is_paid_days_later(stage: Stage) -> None:
    order = await debited(stage, SETTLES)
    now = await stage.until(order["id"], "PROCESSING")
    assert (now["redirect_url"], now["amount_captured"]) == (None, 0)
    await advance(stage, 4 * DAY_S)
    assert (await shown(stage, order["id"]))["payment_order_status"] == "PROCESSING"
    await advance(stage, DAY_S + 1)
    now = await stage.until(order["id"], "SUCCEEDED")
    assert now["amount_captured"] == 4999
    assert await events(stage, order["id"]) == ["registered", "processing", "succeeded"]
    assert await postings(stage, order["id"]) == [("captured", 4999)]


async def test_a_debit_that_bounces_fails_days_later(stage: Stage) -> None:
    order = await debited(stage, FAILS)
    await stage.until(order["id"], "PROCESSING")
    await advance(stage, 5 * DAY_S + 1)
    now = await stage.until(order["id"], "FAILED")
    assert now["attempts"][0]["state"] == "FAILED"
    assert now["last_error"]["code"]
    assert await events(stage, order["id"]) == ["registered", "processing", "failed"]
    assert await postings(stage, order["id"]) == []


async def test_a_debit_that_bounces_is_known_although_its_beginning_was_never_told(
    stage: Stage,
) -> None:
    """Two steps at once: the notice that the shopper was done is lost."""
    await stage.fault("/psp/*", "hook_lose", count=-1, event_type="checkout.session.completed")
    order = await debited(stage, FAILS)
    await advance(stage, 5 * DAY_S + 1)
    now = await stage.until(order["id"], "FAILED")
    assert now["attempts"][0]["state"] == "FAILED"
    assert await events(stage, order["id"]) == ["registered", "failed"]


async def test_a_debit_that_failed_and_is_paid_after_all_is_late_money(stage: Stage) -> None:
    order = await debited(stage, FAILS_THEN_PAYS)
    await stage.until(order["id"], "PROCESSING")
    await advance(stage, 5 * DAY_S + 1)
    await stage.until(order["id"], "FAILED")
    await advance(stage, DAY_S + 1)
    await stage.until(order["id"], "SUCCEEDED")
    assert await events(stage, order["id"]) == [
        "registered", "processing", "failed", "succeeded", "late_success",
    ]  # fmt: skip
    assert await postings(stage, order["id"]) == [("captured", 4999)]


@pytest.mark.parametrize(
    ("account", "status"), [(SETTLES, "SUCCEEDED"), (FAILS, "FAILED")], ids=["settles", "bounces"]
)
async def test_with_every_webhook_lost_the_look_ups_find_out(
    stage: Stage, account: str, status: str
) -> None:
    """The sweep is off here, too: what is asked about in days is asked with growing pauses."""
    await lose_notices(stage)
    order = await debited(stage, account)
    await advance(stage, DAY_S + 61)  # the page's end is looked at: it had been left for the bank
    await stage.until(order["id"], "PROCESSING")
    for _ in range(6):
        await advance(stage, DAY_S)
        await look_ups_are_done(stage)
    await stage.until(order["id"], status)
    assert (await causes(stage, order["id"]))[-1][1] == "look_up"


async def look_ups_are_done(stage: Stage) -> None:
    async def is_quiet() -> bool:
        async with stage.rt.db.statement() as tx:
            due = await tx.fetchval(
                "SELECT count(*) FROM jobs WHERE kind = 'look_up' AND run_at <= $1",
                stage.rt.clock(),
            )
        return not due

    await until(is_quiet)


async def test_while_a_bank_decides_nothing_else_can_be_done(stage: Stage) -> None:
    order = await debited(stage, SETTLES)
    await stage.until(order["id"], "PROCESSING")
    path = f"{ORDERS}/{order['id']}"
    check_problem(await stage.post(f"{path}/cancel", {}), 409, "not_cancelable")
    check_problem(await stage.post(f"{path}/attempts", {}), 409, "attempt_not_possible")
    await advance(stage, 5 * DAY_S + 1)
    await stage.until(order["id"], "SUCCEEDED")


async def test_a_wish_for_another_page_comes_too_late_when_the_shopper_has_finished(
    stage: Stage,
) -> None:
    """He gave his bank account while we were asking for the page's end."""
    order = await made(stage, method_types=["bank_debit"])
    await lose_notices(stage)
    await give_account(stage, order, SETTLES)
    problem = await stage.post(f"{ORDERS}/{order['id']}/attempts", {})
    check_problem(problem, 409, "attempt_not_possible")
    now = await shown(stage, order["id"])
    assert now["payment_order_status"] == "PROCESSING"
    await advance(stage, 3)
    await look_ups_are_done(stage)
    now = await shown(stage, order["id"])
    assert [each["state"] for each in now["attempts"]] == ["PROCESSING", "CANCELED"]
    assert await events(stage, order["id"]) == ["registered", "processing"]


async def until_surplus(stage: Stage, order: dict[str, Any]) -> None:
    async def is_asked_for() -> bool:
        async with stage.rt.db.statement() as tx:
            return bool(await tx.fetchval("SELECT count(*) FROM refunds WHERE state = 'PENDING'"))

    await until(is_asked_for)
    assert ("suspense", 4999) in await postings(stage, order["id"])


async def test_late_money_for_an_order_that_was_paid_anew_goes_back(stage: Stage) -> None:
    """The debit bounced, the shop tried again, the card paid; then the bank pays after all."""
    order = await debited(stage, FAILS_THEN_PAYS)
    await advance(stage, 5 * DAY_S + 1)
    await stage.until(order["id"], "FAILED")
    again = (await stage.post(f"{ORDERS}/{order['id']}/attempts", {})).json
    await give_account(stage, again, SETTLES)
    await stage.until(order["id"], "PROCESSING")
    await advance(stage, DAY_S + 1)  # the first debit pays the order
    await stage.until(order["id"], "SUCCEEDED")
    await advance(stage, 5 * DAY_S)  # and the second is surplus
    await until_surplus(stage, order)
    await advance(stage, 5 * DAY_S)  # banks take their time to return it, too

    async def is_returned() -> bool:
        return "duplicate_payment_returned" in await events(stage, order["id"])

    await until(is_returned)
    assert sorted(kind for kind, _ in await postings(stage, order["id"])) == [
        "captured", "money_returned", "suspense",
    ]  # fmt: skip
    session = await stage.sandbox("GET", f"{SESSIONS}/{token_of(again)}")
    assert session["payment_status"] == "paid"
