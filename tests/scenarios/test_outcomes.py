"""What an outcome does to an order: money that does not fit, money that is late, declines, the end
of a page, and currencies with other decimals."""

from functools import partial
from typing import Any

import pytest

from tests.scenarios.moves import (
    SESSIONS,
    advance,
    event,
    events,
    job_runs_now,
    made,
    notices,
    postings,
    return_url,
    session_of,
    shown,
    tell,
    token_of,
    until_notices,
)
from tests.scenarios.stage import Stage
from tests.scenarios.telling import COMPLETED, DECLINED, lose_notices, said, until

LIFE_S = 85_800  # of a page


async def told_paid(stage: Stage, order: dict[str, Any], **changes: Any) -> None:
    """The PSP says that the order's page was paid, in words we forged."""
    stage.is_psp_forged = True
    told = event(COMPLETED, session_of(order, **changes))
    assert (await tell(stage, told)).status == 200
    await until_notices(stage, "applied", psp_event=told["id"])


# --- money that does not fit (F22) -----------------------------------------------------------

MISFITS: list[tuple[str, dict[str, Any], int, str]] = [
    ("amount_mismatch", {"amount_total": 4_998}, 4_998, "EUR"),
    ("amount_mismatch", {"amount_total": 499_900}, 499_900, "EUR"),
    ("currency_mismatch", {"currency": "usd"}, 4_999, "USD"),
    ("currency_mismatch", {"currency": "jpy"}, 4_999, "JPY"),
    ("reference_mismatch", {"client_reference_id": "po_01h45ytscbebyvny4gc8cr8ma2"}, 4_999, "EUR"),
    ("reference_mismatch", {"client_reference_id": None}, 4_999, "EUR"),
]


async def test_money_that_does_not_fit_is_held_for_a_person(stage: Stage) -> None:
    for attention, changes, minor, currency in MISFITS:
        order = await made(stage)
        await told_paid(stage, order, **changes)
        held = await shown(stage, order["id"])
        assert (held["payment_order_status"], held["attention"]) == ("PROCESSING", attention)
        assert held["attempts"][0]["state"] == "SUCCEEDED"  # the PSP's fact
        assert held["amount_captured"] == 0
        assert await postings(stage, order["id"]) == [("suspense", minor)]
        booked = (await stage.get(f"/v1/ledger/postings?payment_order={order['id']}")).json["data"]
        assert {leg["currency"] for leg in booked[0]["entries"]} == {currency}
        assert await events(stage, order["id"]) == ["registered", "attention"]


async def test_the_event_of_held_money_shows_the_order_as_it_is(stage: Stage) -> None:
    order = await made(stage)
    await told_paid(stage, order, amount_total=1)
    newest = (await stage.get(f"/v1/events?payment_order={order['id']}&limit=1")).json["data"][0]
    assert newest["type"] == "payment_order.attention"
    assert newest["data"] == await shown(stage, order["id"])


async def test_money_that_does_not_fit_is_held_once(stage: Stage) -> None:
    order = await made(stage)
    for amount in (1, 1, 4_999):
        await told_paid(stage, order, amount_total=amount)
    assert await postings(stage, order["id"]) == [("suspense", 1)]
    assert await events(stage, order["id"]) == ["registered", "attention"]


ODD: list[dict[str, Any]] = [
    *[{"amount_total": amount} for amount in (None, "4999", 49.99, 0, -4_999, True, 10**30)],
    {"currency": "xxx"},
    {"currency": None},
    {"payment_intent": None},
    {"payment_status": "no_payment_required"},
    {"status": "new"},
]


async def test_what_makes_no_sense_moves_nothing_and_the_psp_is_asked(stage: Stage) -> None:
    for changes in ODD:
        order = await made(stage)
        await told_paid(stage, order, **changes)
        await job_runs_now(stage)
        await until(partial(stage.sandbox_log, f"{SESSIONS}/{token_of(order)}", "GET"))
        assert await shown(stage, order["id"]) == order, changes


# --- money that is late ----------------------------------------------------------------------


async def test_a_page_that_ends_unpaid_makes_the_order_expired(stage: Stage) -> None:
    order = await made(stage)
    await advance(stage, LIFE_S + 1)
    ended = await stage.until(order["id"], "EXPIRED")
    assert ended["attempts"][0]["state"] == "EXPIRED"
    assert await events(stage, order["id"]) == ["registered", "expired"]
    assert await postings(stage, order["id"]) == []


async def test_with_no_notice_of_its_end_the_page_is_looked_up(stage: Stage) -> None:
    await lose_notices(stage)
    order = await made(stage, expires_in=2_100)
    await advance(stage, 2_100 - 30)
    assert (await shown(stage, order["id"]))["payment_order_status"] == "PENDING"
    await advance(stage, 30 + 61)
    await stage.until(order["id"], "EXPIRED")
    assert await events(stage, order["id"]) == ["registered", "expired"]
    assert await notices(stage) == []


async def test_money_after_the_end_is_money(stage: Stage) -> None:
    order = await made(stage)
    await advance(stage, LIFE_S + 1)
    await stage.until(order["id"], "EXPIRED")
    await told_paid(stage, order)
    late = await shown(stage, order["id"])
    assert (late["payment_order_status"], late["amount_captured"]) == ("SUCCEEDED", 4_999)
    assert late["attention"] is None
    told = ["registered", "expired", "succeeded", "late_success"]
    assert await events(stage, order["id"]) == told
    assert await postings(stage, order["id"]) == [("captured", 4_999)]


async def test_an_end_told_after_the_money_changes_nothing(stage: Stage) -> None:
    order = await made(stage)
    await stage.pay(token_of(order))
    paid = await stage.until(order["id"], "SUCCEEDED")
    ended = event("checkout.session.expired", session_of(order, status="expired"))
    await tell(stage, ended)
    await until_notices(stage, "applied", psp_event=ended["id"])
    assert await shown(stage, order["id"]) == paid


async def test_a_delayed_payment_waits_for_its_bank(stage: Stage) -> None:
    good, bad = await made(stage), await made(stage)
    for order in (good, bad):
        await told_paid(stage, order, payment_status="unpaid")
        assert (await shown(stage, order["id"]))["payment_order_status"] == "PROCESSING"
    await tell(stage, event("checkout.session.async_payment_succeeded", session_of(good)))
    failed = session_of(bad, payment_status="unpaid")
    await tell(stage, event("checkout.session.async_payment_failed", failed))
    await stage.until(good["id"], "SUCCEEDED")
    error = (await stage.until(bad["id"], "FAILED"))["last_error"]
    assert error["code"] == "payment_failed"
    assert await events(stage, good["id"]) == ["registered", "processing", "succeeded"]
    assert await events(stage, bad["id"]) == ["registered", "processing", "failed"]
    await told_paid(stage, bad)
    assert await events(stage, bad["id"]) == [
        *["registered", "processing", "failed"], *["succeeded", "late_success"],
    ]  # fmt: skip


# --- declines --------------------------------------------------------------------------------


async def test_a_decline_is_remembered_until_the_money_comes(stage: Stage) -> None:
    order = await made(stage)
    for card, decline in (("4000000000000002", "generic_decline"),
                          ("4000000000009995", "insufficient_funds")):  # fmt: skip

        async def is_shown(decline: str = decline) -> bool:
            error = (await shown(stage, order["id"]))["last_error"]
            return error is not None and error["decline_code"] == decline

        await stage.pay(token_of(order), card)
        await until(is_shown)
        declined = await shown(stage, order["id"])
        assert declined["payment_order_status"] == "PENDING"
        assert declined["last_error"]["code"] == "card_declined"
        assert declined["redirect_url"] == order["redirect_url"]
    assert await events(stage, order["id"]) == ["registered"]

    await stage.pay(token_of(order))
    paid = await stage.until(order["id"], "SUCCEEDED")
    assert paid["last_error"] is None
    assert await events(stage, order["id"]) == ["registered", "succeeded"]


async def test_the_same_decline_twice_is_one_entry_of_the_log(stage: Stage) -> None:
    await lose_notices(stage)
    order = await made(stage)
    await stage.pay(token_of(order), "4000000000000002")
    declined = await said(stage, DECLINED, order)
    for copy in (declined, {**declined, "id": "evt_again"}):
        await tell(stage, copy)
        await until_notices(stage, "applied", psp_event=copy["id"])
    kept = await notices(stage)
    assert [each["remark"] for each in kept] == [None, "known already"]


# --- currencies ------------------------------------------------------------------------------

CURRENCIES = [("JPY", 500, 500), ("KWD", 1_230, 1_230), ("ISK", 500, 50_000), ("UGX", 900, 90_000),
              ("MGA", 500_000, 5_000), ("EUR", 4_999, 4_999)]  # fmt: skip


@pytest.mark.parametrize("told_by", ["notice", "return"])
async def test_every_currency_ends_paid_in_our_minor_units(stage: Stage, told_by: str) -> None:
    if told_by == "return":
        await lose_notices(stage)
    for currency, amount, at_stripe in CURRENCIES:
        order = await made(stage, currency=currency, amount=amount)
        session = await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}")
        assert session["amount_total"] == at_stripe
        await stage.pay(token_of(order))
        if told_by == "return":
            await stage.send("GET", await return_url(stage, order), key=None)
        paid = await stage.until(order["id"], "SUCCEEDED")
        assert (paid["amount"], paid["amount_captured"]) == (amount, amount), currency
        assert await postings(stage, order["id"]) == [("captured", amount)], currency
