"""A play with the official SDK, synchronous and asynchronous: what a shop does in its life."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from tests.sandbox import sdk as kinds
from tests.sandbox.merchant import Merchant, order
from tests.sandbox.sdk import Sdk

CREATE = "checkout.sessions.create"


@pytest.fixture(params=kinds.KINDS)
async def sdk(merchant: Merchant, request: pytest.FixtureRequest) -> AsyncIterator[Sdk]:
    async with kinds.opened(merchant, request.param) as sdk:
        yield sdk


async def authorized(sdk: Sdk, **more: Any) -> Any:
    """A payment whose money is held."""
    params = {
        "amount": 1999,
        "currency": "eur",
        "capture_method": "manual",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "return_url": "http://127.0.0.1:9/",
    }
    return await sdk("payment_intents.create", {**params, **more})


async def test_a_session_is_made_and_read_with_all_that_belongs_to_it(
    merchant: Merchant, sdk: Sdk
) -> None:
    made = await sdk(CREATE, {**order(), "metadata": {"order": "7"}})
    assert (made.object, made.status, made.last_response.headers["request-id"][:4]) == (
        "checkout.session",
        "open",
        "req_",
    )
    await merchant.confirm(made.id, "pm_card_visa")
    await merchant.advance(3)
    paths = ["line_items.data.price.product", "payment_intent.latest_charge.balance_transaction"]
    found = await sdk("checkout.sessions.retrieve", made.id, {"expand": paths})
    assert (found.payment_status, found.metadata.to_dict()) == ("paid", {"order": "7"})
    assert found.line_items.data[0].price.product.name == "Blue mug"
    booked = found.payment_intent.latest_charge.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert booked.net == 1999 - booked.fee


async def test_lists_are_paged_to_their_end_both_ways(sdk: Sdk) -> None:
    ids = [(await sdk(CREATE, order(1000 + n))).id for n in range(7)]
    newest_first = ids[::-1]
    listed = await sdk("checkout.sessions.list", {"limit": 3})
    assert listed.has_more is True
    assert [each.id for each in await sdk.all(listed)] == newest_first
    # towards the newest: pages come from the cursor on, and the SDK turns each of them round
    back = await sdk("checkout.sessions.list", {"limit": 3, "ending_before": ids[0]})
    assert [each.id for each in await sdk.all(back)] == ids[1:]
    rest = await sdk("checkout.sessions.list", {"limit": 3, "starting_after": ids[4]})
    assert [each.id for each in await sdk.all(rest)] == newest_first[3:]


async def test_a_session_is_expired_once(sdk: Sdk) -> None:
    made = await sdk(CREATE, order())
    assert (await sdk("checkout.sessions.expire", made.id)).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        await sdk("checkout.sessions.expire", made.id)


async def test_held_money_is_captured_in_part_and_refunded(sdk: Sdk) -> None:
    intent = await authorized(sdk)
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 1999)
    captured = await sdk("payment_intents.capture", intent.id, {"amount_to_capture": 1500})
    assert (captured.status, captured.amount_received) == ("succeeded", 1500)
    refund = await sdk("refunds.create", {"payment_intent": intent.id, "amount": 500})
    assert (refund.status, refund.amount) == ("succeeded", 500)
    rest = await sdk("refunds.create", {"payment_intent": intent.id})
    assert rest.amount == 1000
    charge = await sdk("charges.retrieve", captured.latest_charge, {"expand": ["refunds"]})
    assert (charge.refunded, charge.amount_refunded) == (True, 1500)
    assert {each.id for each in charge.refunds.data} == {refund.id, rest.id}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sdk("refunds.create", {"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"


async def test_a_dispute_is_answered_and_won(merchant: Merchant, sdk: Sdk) -> None:
    intent = await authorized(
        sdk, payment_method="pm_card_createDispute", capture_method="automatic"
    )
    (dispute,) = (await sdk("disputes.list", {"payment_intent": intent.id})).data
    assert (dispute.status, dispute.amount, dispute.reason) == (
        "needs_response", 1999, "fraudulent",
    )  # fmt: skip
    evidence = {"evidence": {"uncategorized_text": "winning_evidence"}}
    assert (await sdk("disputes.update", dispute.id, evidence)).status == "under_review"
    await merchant.advance(60)
    won = await sdk("disputes.retrieve", dispute.id)
    taken, given_back = sorted(each.amount for each in won.balance_transactions)
    assert (won.status, taken, given_back) == ("won", -1999, 1999)


async def test_daily_payouts_are_listed_with_what_they_pay_out(
    merchant: Merchant, sdk: Sdk
) -> None:
    await authorized(sdk, capture_method="automatic")
    await merchant.advance(5 * 86_400)
    (payout,) = (await sdk("payouts.list", {"limit": 3})).data
    assert (payout.automatic, payout.currency) == (True, "eur")
    listed = await sdk("balance_transactions.list", {"payout": payout.id})
    rows = {each.type: each for each in await sdk.all(listed)}
    assert set(rows) == {"charge", "payout"}
    assert payout.amount == rows["charge"].net == -rows["payout"].amount


async def test_held_money_is_released(sdk: Sdk) -> None:
    intent = await authorized(sdk)
    canceled = await sdk("payment_intents.cancel", intent.id)
    assert (canceled.status, canceled.amount_received) == ("canceled", 0)


async def test_a_request_under_its_key_is_answered_once_and_again(sdk: Sdk) -> None:
    options = {"idempotency_key": "k1"}
    made = await sdk(CREATE, order(), options)
    again = await sdk(CREATE, order(), options)
    assert again.id == made.id
    headers = {name.lower(): value for name, value in again.last_response.headers.items()}
    assert headers["idempotent-replayed"] == "true"
    first = {name.lower(): value for name, value in made.last_response.headers.items()}
    assert headers["original-request"] == first["request-id"]
    assert "idempotent-replayed" not in first
    assert len((await sdk("checkout.sessions.list")).data) == 1


async def test_metadata_is_merged_and_unset(sdk: Sdk) -> None:
    intent = await authorized(sdk, metadata={"a": "1", "b": "2"})
    changed = await sdk("payment_intents.update", intent.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    cleared = await sdk("payment_intents.update", intent.id, {"metadata": ""})
    assert cleared.metadata.to_dict() == {}


async def test_events_tell_which_request_caused_them(sdk: Sdk) -> None:
    made = await sdk(CREATE, order())
    await sdk("checkout.sessions.expire", made.id, None, {"idempotency_key": "k9"})
    (event,) = (await sdk("events.list", {"type": "checkout.session.expired"})).data
    assert event.request.idempotency_key == "k9"
    assert event.request.id.startswith("req_")
    assert (await sdk("events.retrieve", event.id)).data.object.id == made.id
