"""Charges: described, captured and found by themselves."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import Json, Merchant

DAY = 86_400


async def paid(merchant: Merchant, method: str = "pm_card_visa", **more: Any) -> Any:
    """The charge of a payment by this card."""
    given: Any = {
        "amount": 5000,
        "currency": "usd",
        "payment_method": method,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        **more,
    }
    intent = await merchant.stripe.v1.payment_intents.create_async(given)
    return await merchant.stripe.v1.charges.retrieve_async(str(intent.latest_charge))


async def held(merchant: Merchant) -> Any:
    return await paid(merchant, capture_method="manual")


async def update(merchant: Merchant, charge: Any, **change: Any) -> Any:
    given: Any = change
    return await merchant.stripe.v1.charges.update_async(charge.id, given)


async def capture(merchant: Merchant, charge: Any, **params: Any) -> Any:
    given: Any = params
    return await merchant.stripe.v1.charges.capture_async(charge.id, given)


async def newest_event(merchant: Merchant) -> Any:
    return (await merchant.stripe.v1.events.list_async({"limit": 1})).data[0]


async def test_a_charge_can_be_described(merchant: Merchant) -> None:
    charge = await paid(merchant, metadata={"a": "1"})
    changed = await update(
        merchant,
        charge,
        description="Mug",
        receipt_email="jo@example.com",
        metadata={"b": "2"},
        shipping={"name": "Jo", "address": {"line1": "1 Mill Lane", "country": "IE"}},
        fraud_details={"user_report": "safe"},
        transfer_group="group",
    )
    assert (changed.description, changed.receipt_email) == ("Mug", "jo@example.com")
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    assert (changed.shipping.name, changed.shipping.address.line1) == ("Jo", "1 Mill Lane")
    assert changed.shipping.carrier is None
    assert changed.fraud_details.user_report == "safe"
    event = await newest_event(merchant)
    assert event.type == "charge.updated"
    assert event.data.object.description == "Mug"
    assert event.data.previous_attributes.to_dict() == {
        "description": None,
        "fraud_details": {"stripe_report": None, "user_report": None},
        "metadata": {"a": "1"},
        "receipt_email": None,
        "shipping": None,
        "transfer_group": None,
    }
    assert (await update(merchant, changed, description="")).description is None


async def test_an_update_that_changes_nothing_is_told_to_nobody(merchant: Merchant) -> None:
    charge = await paid(merchant, metadata={"a": "1"})
    await update(merchant, charge, metadata={"a": "1"})
    assert "charge.updated" not in await merchant.events()


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"amount": "1"}, "amount"),
        ({"fraud_details[user_report]": "odd"}, "fraud_details[user_report]"),
        ({"shipping[name]": "Jo"}, "shipping[address]"),
        ({"customer": "cus_none"}, "customer"),
    ],
)
async def test_an_update_of_anything_else_is_refused(
    merchant: Merchant, form: Json, param: str
) -> None:
    charge = await paid(merchant)
    status, body, _ = await merchant.post(f"/v1/charges/{charge.id}", form)
    assert (status, body["error"]["param"]) == (400, param)


async def test_a_group_is_set_once(merchant: Merchant) -> None:
    charge = await paid(merchant)
    await update(merchant, charge, transfer_group="one")
    with pytest.raises(stripe.InvalidRequestError, match="already has a transfer_group"):
        await update(merchant, charge, transfer_group="other")


async def test_what_is_held_can_be_captured_by_its_charge(merchant: Merchant) -> None:
    charge = await held(merchant)
    taken = await capture(merchant, charge, amount=3000, receipt_email="jo@example.com")
    assert (taken.captured, taken.amount_captured, taken.amount) == (True, 3000, 5000)
    assert taken.receipt_email == "jo@example.com"
    intent = await merchant.stripe.v1.payment_intents.retrieve_async(charge.payment_intent)
    assert (intent.status, intent.amount_received) == ("succeeded", 3000)
    assert {"charge.captured", "payment_intent.succeeded"} <= set(await merchant.events())
    with pytest.raises(stripe.InvalidRequestError, match="already been captured") as refused:
        await capture(merchant, charge)
    assert refused.value.code == "charge_already_captured"
    await merchant.advance(2)
    refund = await merchant.stripe.v1.refunds.create_async({"charge": charge.id})
    assert refund.amount == 3000
    after = await merchant.stripe.v1.charges.retrieve_async(charge.id)
    assert (after.refunded, after.amount_refunded) == (True, 3000)


async def test_no_more_than_was_held_can_be_captured(merchant: Merchant) -> None:
    charge = await held(merchant)
    with pytest.raises(stripe.InvalidRequestError, match=r"\$50.01") as refused:
        await capture(merchant, charge, amount=5001)
    assert (refused.value.code, refused.value.param) == ("amount_too_large", "amount")
    assert (await capture(merchant, charge)).amount_captured == 5000


async def test_what_was_let_go_cannot_be_captured(merchant: Merchant) -> None:
    charge = await held(merchant)
    await merchant.advance(7 * DAY + 1)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await capture(merchant, charge)
    assert refused.value.code == "charge_expired_for_capture"


async def test_what_is_only_held_cannot_be_refunded(merchant: Merchant) -> None:
    charge = await held(merchant)
    for given in ({"charge": charge.id}, {"payment_intent": charge.payment_intent}):
        form: Any = given
        with pytest.raises(stripe.InvalidRequestError, match="must cancel the PaymentIntent"):
            await merchant.stripe.v1.refunds.create_async(form)
    assert (await capture(merchant, charge)).amount_refunded == 0


async def test_charges_are_found_by_what_they_belong_to(merchant: Merchant) -> None:
    first, second = await paid(merchant), await paid(merchant, transfer_group="group")
    api = merchant.stripe.v1.charges

    async def ids(**filters: Any) -> list[str]:
        given: Any = filters
        return [c.id for c in (await api.list_async(given)).data]

    assert await ids() == [second.id, first.id]
    assert await ids(payment_intent=first.payment_intent) == [first.id]
    assert await ids(transfer_group="group") == [second.id]
    assert await ids(customer="cus_none") == []
    assert await ids(created={"gt": second.created + 60}) == []


async def test_a_fraudulent_payment_is_marked_when_it_is_given_back(merchant: Merchant) -> None:
    charge = await paid(merchant)
    await merchant.stripe.v1.refunds.create_async({"charge": charge.id, "reason": "fraudulent"})
    after: Any = await merchant.stripe.v1.charges.retrieve_async(charge.id)
    assert after.fraud_details.user_report == "fraudulent"
