"""Setup intents: a method made ready for later, and payments that make one ready too."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import Merchant

BACK = "https://shop.example/back"


async def customer(merchant: Merchant) -> Any:
    return await merchant.stripe.v1.customers.create_async({"name": "Jo"})


async def setup(merchant: Merchant, token: str = "", **more: Any) -> Any:
    params: Any = {"allowed_payment_method_types": ["card", "sepa_debit"], **more}
    if token:
        params |= {"payment_method": token, "confirm": True}
    version: Any = {"stripe_version": "2026-10-28.endive"}
    return await merchant.stripe.v1.setup_intents.create_async(params, version)


async def pay(merchant: Merchant, **more: Any) -> Any:
    params: Any = {
        "amount": 900, "currency": "usd", "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}, **more,
    }  # fmt: skip
    return await merchant.stripe.v1.payment_intents.create_async(params)


async def test_a_method_is_set_up_for_a_customer(merchant: Merchant) -> None:
    made = await customer(merchant)
    done = await setup(
        merchant, "pm_card_visa", customer=made.id, metadata={"a": "1"}, expand=["payment_method"]
    )
    assert (done.status, done.usage, done.mandate) == ("succeeded", "off_session", None)
    assert done.client_secret.startswith(f"{done.id}_secret_")
    assert (done.payment_method.customer, done.metadata.to_dict()) == (made.id, {"a": "1"})
    assert await merchant.events() == [
        "customer.created", "setup_intent.created", "payment_method.attached",
        "setup_intent.succeeded",
    ]  # fmt: skip
    listed = await merchant.stripe.v1.setup_intents.list_async({"customer": made.id})
    assert [one.id for one in listed.data] == [done.id]
    listed = await merchant.stripe.v1.setup_intents.list_async({"payment_method": "pm_other"})
    assert listed.data == []


async def test_it_waits_for_a_method_then_for_its_confirmation(merchant: Merchant) -> None:
    setups = merchant.stripe.v1.setup_intents
    waiting = await setup(merchant, usage="on_session")
    assert (waiting.status, waiting.usage) == ("requires_payment_method", "on_session")
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await setups.confirm_async(waiting.id)
    assert missing.value.code == "setup_intent_unexpected_state"
    named = await setups.update_async(
        waiting.id, {"payment_method": "pm_card_visa", "description": "later"}
    )
    assert (named.status, named.description) == ("requires_confirmation", "later")
    done: Any = await setups.confirm_async(waiting.id, {"expand": ["payment_method"]})
    assert (done.status, done.payment_method.customer) == ("succeeded", None)
    for call in (setups.confirm_async, setups.cancel_async):
        with pytest.raises(stripe.InvalidRequestError) as late:
            await call(waiting.id)
        assert late.value.code == "setup_intent_unexpected_state"
        assert late.value.json_body["error"]["setup_intent"]["id"] == waiting.id  # type: ignore[index]


async def test_a_card_that_declines_is_not_set_up(merchant: Merchant) -> None:
    made = await customer(merchant)
    with pytest.raises(stripe.CardError) as declined:
        await setup(merchant, "pm_card_visa_chargeDeclined", customer=made.id)
    error: Any = declined.value.error
    assert (declined.value.http_status, error.code, error.decline_code) == (
        402, "card_declined", "generic_decline",
    )  # fmt: skip
    assert error.setup_intent.status == "requires_payment_method"
    assert error.setup_intent.last_setup_error.type == "card_error"
    assert await merchant.events() == [
        "customer.created", "setup_intent.created", "setup_intent.setup_failed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ("authenticationRequired", "requires_action"),
        ("authenticationRequiredOnSetup", "requires_action"),
        ("threeDSecureOptional", "succeeded"),
        ("chargeCustomerFail", "succeeded"),
    ],
)
async def test_cards_ask_or_not_when_they_are_set_up(
    merchant: Merchant, token: str, status: str
) -> None:
    assert (await setup(merchant, f"pm_card_{token}")).status == status


async def test_an_action_leads_the_shopper_away_and_can_be_given_up(merchant: Merchant) -> None:
    asked = await setup(merchant, "pm_card_authenticationRequired", return_url=BACK)
    assert asked.next_action.type == "redirect_to_url"
    assert asked.next_action.redirect_to_url.return_url == BACK
    assert f"/c/authorize/{asked.id}" in asked.next_action.redirect_to_url.url
    gone = await merchant.stripe.v1.setup_intents.cancel_async(
        asked.id, {"cancellation_reason": "abandoned"}
    )
    assert (gone.status, gone.next_action, gone.cancellation_reason) == (
        "canceled", None, "abandoned",
    )  # fmt: skip
    assert (await merchant.events())[-2:] == [
        "setup_intent.requires_action", "setup_intent.canceled",
    ]  # fmt: skip


async def test_each_try_is_an_attempt(merchant: Merchant) -> None:
    asked = await setup(merchant, "pm_card_authenticationRequired", expand=["latest_attempt"])
    assert asked.latest_attempt.status == "requires_action"
    setups = merchant.stripe.v1.setup_intents
    with pytest.raises(stripe.CardError):
        await setups.confirm_async(asked.id, {"payment_method": "pm_card_chargeDeclined"})
    done = await setups.confirm_async(asked.id, {"payment_method": "pm_card_visa"})
    attempts = merchant.stripe.v1.setup_attempts
    listed: Any = await attempts.list_async({"setup_intent": asked.id})
    assert [one.status for one in listed.data] == ["succeeded", "failed", "abandoned"]
    assert listed.data[0].id == done.latest_attempt
    assert listed.data[0].payment_method_details.card.last4 == "4242"
    assert listed.data[1].setup_error.decline_code == "generic_decline"
    status, answer = await merchant.get("/v1/setup_attempts")
    assert (status, answer["error"]["param"]) == (400, "setup_intent")


async def test_what_paid_for_nobody_cannot_pay_again(merchant: Merchant) -> None:
    made = await customer(merchant)
    once = (await pay(merchant, payment_method="pm_card_visa")).payment_method
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await pay(merchant, payment_method=once)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await merchant.stripe.v1.payment_methods.attach_async(once, {"customer": made.id})
    later = await pay(merchant, payment_method="pm_card_visa", setup_future_usage="off_session")
    await merchant.stripe.v1.payment_methods.attach_async(
        later.payment_method, {"customer": made.id}
    )


async def test_a_debit_is_set_up_with_a_mandate(merchant: Merchant) -> None:
    done = await setup(
        merchant,
        "pm_sepaDebit_success_de",
        mandate_data={
            "customer_acceptance": {
                "type": "online",
                "online": {"ip_address": "127.0.0.7", "user_agent": "me"},
            }
        },
        expand=["mandate"],
    )
    assert (done.status, done.mandate.status) == ("succeeded", "active")
    assert done.mandate.customer_acceptance.online.ip_address == "127.0.0.7"
    found = await merchant.stripe.v1.mandates.retrieve_async(done.mandate.id)
    assert (found.payment_method, found.payment_method_details.type) == (
        done.payment_method, "sepa_debit",
    )  # fmt: skip


async def test_a_method_made_on_the_way_is_set_up(merchant: Merchant) -> None:
    data = {"type": "card", "card": {"token": "tok_visa"}}
    made = await customer(merchant)
    done = await setup(merchant, customer=made.id, confirm=True, payment_method_data=data)
    assert done.status == "succeeded"
    listed = await merchant.stripe.v1.customers.payment_methods.list_async(made.id)
    assert [method.id for method in listed.data] == [done.payment_method]


async def test_what_a_payment_sets_up_pays_later_without_the_shopper(merchant: Merchant) -> None:
    """The card that asks unless it was set up (docs.stripe.com/testing)."""
    made = await customer(merchant)
    first = await pay(
        merchant, payment_method="pm_card_visa", customer=made.id, setup_future_usage="off_session"
    )
    kept = await merchant.stripe.v1.payment_methods.retrieve_async(first.payment_method)
    assert kept.customer == made.id
    assert "payment_method.attached" in await merchant.events()
    again = await pay(
        merchant, payment_method=kept.id, customer=made.id, off_session=True, expand=["customer"]
    )
    assert (again.status, again.customer.name) == ("succeeded", "Jo")
    loose = await pay(merchant, payment_method="pm_card_visa", customer=made.id)
    kept = await merchant.stripe.v1.payment_methods.retrieve_async(loose.payment_method)
    assert kept.customer is None


async def test_a_foreign_method_is_refused(merchant: Merchant) -> None:
    made, other = await customer(merchant), await customer(merchant)
    method = (await setup(merchant, "pm_card_visa", customer=made.id)).payment_method
    for params in ({"customer": other.id}, {}):
        with pytest.raises(stripe.InvalidRequestError, match="another Customer"):
            await setup(merchant, method, **params)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"confirm": "true"}, "setup_intent_unexpected_state", None),
        ({"return_url": BACK}, None, "return_url"),
        ({"usage": "never"}, None, "usage"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"allowed_payment_method_types[0]": "gold"}, None, "allowed_payment_method_types[0]"),
        ({"payment_method_types[0]": "card"}, "payment_method_types_no_longer_supported",
         "payment_method_types"),
        ({"single_use[amount]": "5"}, None, "single_use"),
        ({"amount": "5"}, "parameter_unknown", "amount"),
    ],
)  # fmt: skip
async def test_a_bad_setup_is_refused(
    merchant: Merchant, change: dict[str, str], code: str | None, param: str | None
) -> None:
    endive = {"Stripe-Version": "2026-10-28.endive"}
    status, answer, _ = await merchant.post("/v1/setup_intents", change, **endive)
    assert status in (400, 404)
    assert (answer["error"].get("code"), answer["error"].get("param")) == (code, param)


async def test_what_cannot_be_saved_is_not_set_up(merchant: Merchant) -> None:
    some = await setup(merchant, allowed_payment_method_types=["oxxo", "sepa_debit"])
    assert some.payment_method_types == ["sepa_debit"]
    with pytest.raises(stripe.InvalidRequestError, match="is not allowed for this SetupIntent"):
        await merchant.stripe.v1.setup_intents.confirm_async(
            some.id, {"payment_method": "pm_card_visa"}
        )
    for type_, status in (("card", 200), ("oxxo", 400)):
        form = {"payment_method_types[0]": type_}
        assert (await merchant.post("/v1/setup_intents", form))[0] == status
