"""Payouts that the bank sends back: as its account does, or on command, also after it took them."""

from typing import Any

import pytest

from tests.sandbox.merchant import DAY, Json, Merchant
from tests.sandbox.payouts import available, choose, items, make, now, paid, payouts, told

pytestmark = pytest.mark.usefixtures("new_day")
USUAL, NO_ACCOUNT, CLOSED = "000123456789", "000111111116", "000111111113"


async def send_back(merchant: Merchant, payout: Any, **order: Any) -> tuple[int, Json]:
    url = f"{merchant.url}/_sandbox/payouts/{payout.id}/fail"
    async with merchant.http.post(url, json=order, headers=merchant.auth) as answer:
        return answer.status, await answer.json()


async def test_a_bank_may_send_a_payout_back(merchant: Merchant) -> None:
    await choose(merchant, account=CLOSED)
    await paid(merchant)
    await merchant.to_midnight()
    (payout,) = await payouts(merchant)
    await merchant.advance(2 * DAY)
    failed = await now(merchant, payout, expand=["failure_balance_transaction"])
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert failed.failure_message
    assert failed.trace_id.status == "unsupported"
    back = failed.failure_balance_transaction
    assert (back.type, back.amount, back.source) == ("payout_failure", 4825, payout.id)
    assert back.reporting_category == "payout_reversal"
    assert await available(merchant) == 4825
    assert await told(merchant) == ["created", "updated", "failed", "reconciliation_completed"]


async def test_nothing_more_goes_by_itself_to_an_account_that_sent_a_payout_back(
    merchant: Merchant,
) -> None:
    await choose(merchant, account=CLOSED)
    await paid(merchant)
    await merchant.to_midnight(days=2)
    (payout,) = await payouts(merchant)

    async def status() -> str:
        found = await now(merchant, payout, expand=["destination"])
        return str(found.destination.status)

    assert await status() == "errored"
    await paid(merchant, 3000)
    await paid(merchant, 2000, "eur")
    await merchant.to_midnight()
    assert [(p.currency, p.amount) for p in await payouts(merchant)] == [
        ("eur", 1910), ("usd", 4825),
    ]  # fmt: skip
    await choose(merchant, account=USUAL)
    assert await status() == "errored"
    await choose(merchant, account=CLOSED)  # its details are as they should be, it says
    assert await status() == "new"
    await merchant.to_midnight()
    assert (await payouts(merchant))[0].amount == 4825 + 2883


async def test_a_payout_may_come_back_days_after_it_was_paid(merchant: Merchant) -> None:
    charge = await paid(merchant)
    await merchant.to_midnight(days=5)
    (payout,) = await payouts(merchant)
    assert (payout.status, payout.trace_id.status) == ("paid", "supported")
    status, shown = await send_back(merchant, payout, failure_code="account_frozen")
    assert (status, shown["status"]) == (200, "failed")
    failed = await now(merchant, payout, expand=["failure_balance_transaction"])
    assert failed.to_dict() == {
        **payout.to_dict(),
        "failure_balance_transaction": failed.failure_balance_transaction.to_dict(),
        "failure_code": "account_frozen",
        "failure_message": "The bank account has been frozen.",
        "status": "failed",
    }
    back = failed.failure_balance_transaction
    assert (back.type, back.amount, back.source) == ("payout_failure", 4825, payout.id)
    assert await available(merchant) == 4825
    assert await told(merchant) == [
        "created", "updated", "paid", "reconciliation_completed", "failed",
    ]  # fmt: skip
    await merchant.to_midnight(days=3)
    assert len(await payouts(merchant)) == 1
    await choose(merchant, account=USUAL)
    await merchant.to_midnight(days=2)
    again, _ = await payouts(merchant)
    assert (again.amount, again.status) == (4825, "paid")
    assert [t.id for t in await items(merchant, again)] == [again.balance_transaction, back.id]
    assert [t.source for t in await items(merchant, payout)] == [payout.id, charge]


async def test_one_that_comes_back_on_its_way_does_not_arrive(merchant: Merchant) -> None:
    await paid(merchant)
    await merchant.to_midnight()
    await merchant.advance(3600)
    (payout,) = await payouts(merchant)
    assert (await send_back(merchant, payout))[1]["failure_code"] == "could_not_process"
    await merchant.to_midnight(days=3)
    failed = await now(merchant, payout)
    assert (failed.status, failed.trace_id.status) == ("failed", "unsupported")
    assert await available(merchant) == 4825
    assert await told(merchant) == ["created", "updated", "failed", "reconciliation_completed"]


async def test_one_by_hand_may_come_back_too(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    payout = await make(merchant, 4000)
    await merchant.to_midnight(days=4)
    assert (await send_back(merchant, payout))[0] == 200
    assert await available(merchant) == 4825
    assert await told(merchant) == ["created", "updated", "paid", "failed"]


async def test_only_what_is_with_the_bank_comes_back_and_only_once(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    payout = await make(merchant, 100)
    for order, says in (
        ({}, "is pending"),
        ({"failure_code": "colour"}, "one of account_closed"),
        ({"failure_code": ["declined"]}, "one of account_closed"),
        ({"code": "declined"}, "such as"),
    ):
        status, refused = await send_back(merchant, payout, **order)
        assert (status, says in refused["error"]["message"]) == (400, True), order
    other = Merchant(merchant.url, merchant.http)
    assert (await send_back(other, payout))[0] == 404
    await merchant.advance(3600)
    assert [(await send_back(merchant, payout))[0] for _ in range(2)] == [200, 400]
    assert await available(merchant) == 4825


async def test_one_by_hand_may_fail(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    await choose(merchant, account=NO_ACCOUNT)
    payout = await make(merchant, 4825)
    await merchant.advance(2 * DAY)
    failed = await now(merchant, payout)
    assert (failed.status, failed.failure_code) == ("failed", "no_account")
    assert await available(merchant) == 4825
