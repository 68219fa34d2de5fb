"""Payouts: by hand and by themselves, with the transactions that they consist of."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import DAY, Json, Merchant
from tests.sandbox.payouts import available, choose, items, make, now, paid, payouts, told

pytestmark = pytest.mark.usefixtures("new_day")


async def test_nothing_is_paid_out_where_somebody_said_so(merchant: Merchant) -> None:
    assert await choose(merchant, automatic=False) == (
        200, {"automatic": False, "account": "000123456789"},
    )  # fmt: skip
    await paid(merchant)
    await merchant.advance(30 * DAY)
    assert await payouts(merchant) == []
    assert await available(merchant) == 4825


async def test_what_is_available_is_paid_out_at_midnight(merchant: Merchant) -> None:
    first, second = await paid(merchant), await paid(merchant, 3000)
    refund = await merchant.stripe.v1.refunds.create_async({"charge": second, "amount": 1000})
    await paid(merchant, method="pm_card_visa")
    await merchant.to_midnight()
    (payout,) = await payouts(merchant)
    assert (payout.amount, payout.currency) == (4825 + 2883 - 1000, "usd")
    assert (payout.automatic, payout.status) == (True, "pending")
    assert payout.description == "STRIPE PAYOUT"
    assert payout.reconciliation_status == "in_progress"
    assert payout.created % DAY == 0
    assert payout.arrival_date == payout.created + 2 * DAY
    assert await available(merchant) == 0
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await items(merchant, payout)
    assert refused.value.code == "payout_reconciliation_not_ready"
    await merchant.advance(3600)
    assert (await now(merchant, payout)).status == "in_transit"
    await choose(merchant, automatic=False)
    await merchant.advance(2 * DAY)
    arrived = await now(merchant, payout, expand=["destination", "balance_transaction"])
    assert (arrived.status, arrived.reconciliation_status) == ("paid", "completed")
    assert arrived.trace_id.status == "supported"
    assert (arrived.destination.last4, arrived.destination.currency) == ("6789", "usd")
    own = arrived.balance_transaction
    assert (own.type, own.reporting_category, own.net) == ("payout", "payout", -6708)
    assert await told(merchant) == ["created", "updated", "paid", "reconciliation_completed"]
    found = await items(merchant, payout)
    assert [t.source for t in found] == [payout.id, refund.id, second, first]
    assert sum(t.net for t in found) == 0


async def test_a_payment_is_paid_out_on_the_day_its_money_is_there(merchant: Merchant) -> None:
    charge = await paid(merchant, method="pm_card_visa")
    await merchant.to_midnight()
    assert await payouts(merchant) == []
    await merchant.to_midnight()
    (payout,) = await payouts(merchant)
    assert (payout.amount, payout.created % DAY) == (4825, 0)
    assert (await merchant.events())[-2:] == ["balance.available", "payout.created"]
    assert await available(merchant) == 0
    await merchant.to_midnight(days=2)
    assert [t.source for t in await items(merchant, payout)] == [payout.id, charge]
    assert await told(merchant) == ["created", "updated", "paid", "reconciliation_completed"]


async def test_each_payout_takes_what_came_since_the_last(merchant: Merchant) -> None:
    charges = []
    for amount in (1000, 2000, 3000):
        charges.append(await paid(merchant, amount))
        await paid(merchant, amount, method="pm_card_visa")
        await merchant.to_midnight()
    await merchant.to_midnight(days=4)
    found = list(reversed(await payouts(merchant)))
    assert len(found) == 4
    seen: list[str] = []
    for payout in found:
        parts = await items(merchant, payout)
        assert sum(t.net for t in parts if t.source != payout.id) == payout.amount
        assert [t.source for t in parts].count(payout.id) == 1
        seen += [t.id for t in parts]
    every: Any = await merchant.stripe.v1.balance_transactions.list_async({"limit": 100})
    assert sorted(seen) == sorted(t.id for t in every.data)
    assert [charges[0] in [t.source for t in await items(merchant, p)] for p in found] == [
        True, False, False, False,
    ]  # fmt: skip


async def test_each_currency_is_paid_out_by_itself(merchant: Merchant) -> None:
    await paid(merchant)
    await paid(merchant, 2000, "eur")
    await paid(merchant, 700, "gbp", "pm_card_createDispute")
    await merchant.to_midnight()
    found = await payouts(merchant)
    assert sorted((p.currency, p.amount) for p in found) == [("eur", 1910), ("usd", 4825)]
    assert await available(merchant, "gbp") == -2200
    assert found[0].destination != found[1].destination
    await merchant.to_midnight(days=3)
    for payout in found:
        assert {t.currency for t in await items(merchant, payout)} == {payout.currency}


async def test_one_by_hand_arrives_too(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    payout = await make(
        merchant, 4000, description="Rent", metadata={"a": "1"}, statement_descriptor="RENT"
    )
    assert (payout.status, payout.automatic, payout.method) == ("pending", False, "standard")
    assert (payout.description, payout.statement_descriptor) == ("Rent", "RENT")
    assert payout.reconciliation_status == "not_applicable"
    assert await available(merchant) == 825
    assert payout.arrival_date == payout.created - payout.created % DAY + 2 * DAY
    for until, status in (
        (payout.created + 3570, "pending"),
        (payout.created + 3601, "in_transit"),
        (payout.arrival_date - 30, "in_transit"),
        (payout.arrival_date, "paid"),
    ):
        await merchant.advance(until - (await merchant.advance(0))["now"])
        assert (await now(merchant, payout)).status == status
    assert await told(merchant) == ["created", "updated", "paid"]
    with pytest.raises(stripe.InvalidRequestError, match="automatic transfers, not manual"):
        await items(merchant, payout)
    own: Any = await merchant.stripe.v1.balance_transactions.list_async({"source": payout.id})
    assert [(t.type, t.net, t.description) for t in own.data] == [("payout", -4000, "Rent")]
    found: Any = await merchant.stripe.v1.events.list_async({"type": "payout.updated"})
    assert found.data[0].data.previous_attributes.to_dict() == {"status": "pending"}


async def test_one_by_hand_goes_to_the_account_that_is_named(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    await paid(merchant, currency="eur")
    usual = await make(merchant, 100, expand=["destination"])
    await choose(merchant, account="000111111116")
    other = await make(merchant, 100, expand=["destination"])
    named = await make(merchant, 100, destination=usual.destination.id)
    assert (usual.destination.last4, other.destination.last4) == ("6789", "1116")
    assert named.destination == usual.destination.id
    with pytest.raises(stripe.InvalidRequestError, match="does not take eur") as refused:
        await make(merchant, 100, currency="eur", destination=usual.destination.id)
    assert refused.value.param == "destination"


async def test_what_a_payout_names_is_shown_whole_on_demand(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    calls = merchant.stripe.v1.payouts
    whole: Any = {"expand": ["balance_transaction"]}
    made = await make(merchant, 100, **whole)
    shown: list[Any] = [
        made,
        await calls.update_async(made.id, whole),
        await calls.cancel_async(made.id, whole),
        await now(merchant, made, **whole),
        *await payouts(merchant, expand=["data.balance_transaction"]),
    ]
    assert [each.balance_transaction.net for each in shown] == [-100] * 5


async def test_a_payout_of_a_live_key_is_live(merchant: Merchant) -> None:
    live = Merchant(merchant.url, merchant.http, merchant.key.replace("_test_", "_live_"))
    await paid(live)
    assert ((await make(merchant=live, amount=100)).livemode, live.key[:8]) == (True, "sk_live_")


async def test_it_may_be_canceled_while_it_is_here(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    payout = await make(merchant, 4000, description="Rent")
    canceled = await merchant.stripe.v1.payouts.cancel_async(payout.id)
    assert canceled.status == "canceled"
    assert canceled.trace_id is not None
    assert canceled.trace_id.status == "unsupported"
    back: Any = await merchant.stripe.v1.balance_transactions.retrieve_async(
        str(canceled.failure_balance_transaction)
    )
    assert (back.type, back.amount, back.description) == ("payout_cancel", 4000, "Rent")
    assert back.reporting_category == "payout_reversal"
    assert await available(merchant) == 4825
    await merchant.advance(3 * DAY)
    assert await told(merchant) == ["created", "canceled"]
    gone = await make(merchant, 4000)
    await merchant.advance(3601)
    for payout in (canceled, gone):
        with pytest.raises(stripe.InvalidRequestError, match="only while they are pending"):
            await merchant.stripe.v1.payouts.cancel_async(payout.id)


async def test_an_automatic_payout_cannot_be_canceled(merchant: Merchant) -> None:
    await paid(merchant)
    await merchant.to_midnight()
    (payout,) = await payouts(merchant)
    with pytest.raises(stripe.InvalidRequestError, match="automatic"):
        await merchant.stripe.v1.payouts.cancel_async(payout.id)
    assert (await now(merchant, payout)).status == "pending"


async def test_metadata_may_be_changed(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    payout = await make(merchant, 100, metadata={"a": "1"})
    changed = await merchant.stripe.v1.payouts.update_async(payout.id, {"metadata": {"b": "2"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    event: Any = (await merchant.stripe.v1.events.list_async({"limit": 1})).data[0]
    assert (event.type, event.data.previous_attributes.to_dict()) == (
        "payout.updated", {"metadata": {"a": "1"}},
    )  # fmt: skip
    await merchant.stripe.v1.payouts.update_async(payout.id, {"metadata": {"b": "2"}})
    assert (await now(merchant, payout)).metadata.to_dict() == {"a": "1", "b": "2"}
    assert await told(merchant) == ["created", "updated"]


async def test_payouts_are_found_by_what_they_are(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    old = await make(merchant, 100)
    await merchant.advance(3 * DAY)
    new = await make(merchant, 200)

    async def ids(**filters: Any) -> list[str]:
        return [p.id for p in await payouts(merchant, **filters)]

    assert await ids() == [new.id, old.id]
    assert await ids(status="paid") == [old.id]
    assert await ids(destination=old.destination) == [new.id, old.id]
    assert await ids(destination="ba_none") == []
    assert await ids(arrival_date=old.arrival_date) == [old.id]
    assert await ids(arrival_date={"gt": old.arrival_date}) == [new.id]
    assert await ids(created={"lte": old.created}) == [old.id]
    assert await ids(limit=1, starting_after=new.id) == [old.id]


@pytest.mark.parametrize(
    ("wanted", "code", "param"),
    [
        ({"amount": "4826"}, "balance_insufficient", None),
        ({"currency": "eur"}, "balance_insufficient", None),
        ({"source_type": "fpx"}, "balance_insufficient", None),
        ({"amount": "0"}, "parameter_invalid_integer", "amount"),
        ({"currency": "xxx"}, None, "currency"),
        ({"method": "instant"}, "instant_payouts_unsupported", "method"),
        ({"destination": "ba_none"}, "resource_missing", "destination"),
        ({"statement_descriptor": "x" * 23}, None, "statement_descriptor"),
        ({"payout_method": "fa_1"}, None, "payout_method"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
    ],
)
async def test_what_cannot_be_is_refused_and_moves_nothing(
    merchant: Merchant, wanted: Json, code: str | None, param: str | None
) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    form = {"amount": "100", "currency": "usd", **wanted}
    status, body, _ = await merchant.post("/v1/payouts", form)
    error = body["error"]
    assert (status, error.get("code"), error.get("param")) == (400, code, param)
    assert await available(merchant) == 4825
    assert await payouts(merchant) == []


async def test_the_payout_of_another_key_is_out_of_reach(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    payout = await make(merchant, 100)
    other = Merchant(merchant.url, merchant.http)
    for query, expected in (
        (f"/v1/payouts/{payout.id}", 404),
        (f"/v1/balance_transactions?payout={payout.id}", 400),
    ):
        status, body = await other.get(query)
        assert (status, body["error"]["code"]) == (expected, "resource_missing")
    for path in (f"/v1/payouts/{payout.id}", f"/v1/payouts/{payout.id}/cancel"):
        status, body, _ = await other.post(path)
        assert (status, body["error"]["code"], body["error"]["param"]) == (
            404, "resource_missing", "payout",
        )  # fmt: skip


@pytest.mark.parametrize(
    "change", [{}, {"automatic": "yes"}, {"account": "1"}, {"colour": "red"}, {"automatic": 1}]
)
async def test_the_choice_is_checked(merchant: Merchant, change: Json) -> None:
    status, body = await choose(merchant, **change)
    assert (status, bool(body["error"]["message"])) == (400, True)
    async with merchant.http.get(
        f"{merchant.url}/_sandbox/payouts", headers=merchant.auth
    ) as answer:
        assert await answer.json() == {"automatic": True, "account": "000123456789"}
