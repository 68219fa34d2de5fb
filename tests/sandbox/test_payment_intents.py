"""Payment intents without a page: confirmed, captured, canceled and refused by the SDK."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import Merchant, Page

DAY = 86_400


async def made(merchant: Merchant, token: str = "", **more: Any) -> Any:
    """An intent over 20 dollars; confirmed at once where a test method is named."""
    params = {"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"], **more}
    if token:
        params |= {"payment_method": f"pm_card_{token}", "confirm": True}
    create: Any = merchant.stripe.v1.payment_intents.create_async
    return await create(params, {"stripe_version": "2026-10-28.endive"})


async def charge_of(merchant: Merchant, intent: Any) -> Any:
    return await merchant.stripe.v1.charges.retrieve_async(intent.latest_charge)


async def test_a_good_card_is_charged_at_once(merchant: Merchant) -> None:
    shipping = {"name": "Jo", "address": {"line1": "1 Quay"}}
    intent = await made(merchant, "visa", metadata={"order": "7"}, shipping=shipping)
    assert (intent.status, intent.amount_received, intent.next_action) == ("succeeded", 2000, None)
    assert intent.shipping.name == "Jo"
    charge = await charge_of(merchant, intent)
    assert (charge.status, charge.captured, charge.payment_intent) == ("succeeded", True, intent.id)
    assert charge.metadata.to_dict() == {"order": "7"}
    assert await merchant.events() == [
        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded",
    ]  # fmt: skip


async def test_it_waits_for_a_method_then_for_its_confirmation(merchant: Merchant) -> None:
    intents = merchant.stripe.v1.payment_intents
    intent = await made(merchant)
    assert intent.status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await intents.confirm_async(intent.id)
    assert missing.value.code == "payment_intent_unexpected_state"
    changed = await intents.update_async(intent.id, {"payment_method": "pm_card_visa"})
    assert changed.status == "requires_confirmation"
    paid = await intents.confirm_async(intent.id)
    assert paid.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as twice:
        await intents.confirm_async(intent.id)
    assert twice.value.code == "payment_intent_unexpected_state"
    assert "already succeeded" in str(twice.value.user_message)


async def test_a_declined_card_is_an_error_that_keeps_what_it_did(merchant: Merchant) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await made(merchant, "visa_chargeDeclinedInsufficientFunds")
    error: Any = declined.value.error
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert (error.decline_code, error.payment_intent.status) == (
        "insufficient_funds", "requires_payment_method",
    )  # fmt: skip
    kept = await merchant.stripe.v1.payment_intents.retrieve_async(error.payment_intent.id)
    last: Any = kept.last_payment_error
    assert (last.charge, last.decline_code) == (error.charge, "insufficient_funds")
    assert await merchant.events() == [
        "payment_intent.created", "charge.failed", "payment_intent.payment_failed",
    ]  # fmt: skip
    again = await merchant.stripe.v1.payment_intents.confirm_async(
        kept.id, {"payment_method": "pm_card_visa"}
    )
    assert (again.status, again.last_payment_error) == ("succeeded", None)


async def test_manual_capture_holds_the_money_and_takes_a_part(merchant: Merchant) -> None:
    intent = await made(merchant, "visa", capture_method="manual")
    assert (intent.status, intent.amount_capturable, intent.amount_received) == (
        "requires_capture", 2000, 0,
    )  # fmt: skip
    held = await charge_of(merchant, intent)
    assert (held.status, held.paid, held.captured, held.amount_captured) == (
        "succeeded", True, False, 0,
    )  # fmt: skip
    assert held.payment_method_details.card.capture_before == held.created + 7 * DAY
    await merchant.advance(10)
    assert (await charge_of(merchant, intent)).balance_transaction is None
    intents = merchant.stripe.v1.payment_intents
    with pytest.raises(stripe.InvalidRequestError) as too_much:
        await intents.capture_async(intent.id, {"amount_to_capture": 2001})
    assert (too_much.value.code, too_much.value.param) == ("amount_too_large", "amount_to_capture")
    taken = await intents.capture_async(intent.id, {"amount_to_capture": 1500})
    assert (taken.status, taken.amount_capturable, taken.amount_received, taken.amount) == (
        "succeeded", 0, 1500, 2000,
    )  # fmt: skip
    await merchant.advance(3)
    charge = await charge_of(merchant, intent)
    assert (charge.captured, charge.amount_captured, charge.amount_refunded) == (True, 1500, 0)
    transaction = await merchant.stripe.v1.balance_transactions.retrieve_async(
        charge.balance_transaction
    )
    assert transaction.amount == 1500
    assert await merchant.events() == [
        "payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated",
        "charge.captured", "payment_intent.succeeded", "charge.updated",
    ]  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError) as twice:
        await intents.capture_async(intent.id)
    assert twice.value.code == "payment_intent_unexpected_state"


async def test_what_is_held_is_let_go_by_a_cancellation(merchant: Merchant) -> None:
    intent = await made(merchant, "visa", capture_method="manual")
    intents = merchant.stripe.v1.payment_intents
    reason: Any = {"cancellation_reason": "abandoned"}
    gone = await intents.cancel_async(intent.id, reason)
    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == (
        "canceled", "abandoned", 0,
    )  # fmt: skip
    assert gone.canceled_at is not None
    await merchant.advance(8 * DAY)
    assert (await merchant.events())[-1] == "payment_intent.canceled"
    for late in (intents.cancel_async, intents.confirm_async, intents.capture_async):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await late(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"


async def test_what_is_held_expires_after_seven_days(merchant: Merchant) -> None:
    intent = await made(merchant, "visa", capture_method="manual")
    await merchant.advance(7 * DAY - 60)
    intents = merchant.stripe.v1.payment_intents
    assert (await intents.retrieve_async(intent.id)).status == "requires_capture"
    await merchant.advance(120)
    gone = await intents.retrieve_async(intent.id)
    assert (gone.status, gone.cancellation_reason) == ("canceled", "expired")
    assert (await merchant.events())[-2:] == ["charge.expired", "payment_intent.canceled"]


async def test_nothing_is_booked_for_what_was_captured_in_time(merchant: Merchant) -> None:
    intent = await made(merchant, "visa", capture_method="manual")
    await merchant.stripe.v1.payment_intents.capture_async(intent.id)
    await merchant.advance(8 * DAY)
    assert (await merchant.stripe.v1.payment_intents.retrieve_async(intent.id)).status == (
        "succeeded"
    )


async def test_a_session_with_manual_capture_is_paid_when_captured(merchant: Merchant) -> None:
    session = await merchant.order(payment_intent_data={"capture_method": "manual"})
    await merchant.confirm(session.id, "pm_card_visa")
    held, intent, _ = await merchant.state(session)
    assert (held.status, held.payment_status, intent.status) == (
        "complete", "unpaid", "requires_capture",
    )  # fmt: skip
    await merchant.stripe.v1.payment_intents.capture_async(intent.id)
    paid, intent, charge = await merchant.state(session)
    assert (paid.payment_status, intent.status, charge.captured) == ("paid", "succeeded", True)


async def test_as_long_as_its_page_is_open_only_that_pays(merchant: Merchant) -> None:
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa_chargeDeclined")
    _, intent, _ = await merchant.state(session)
    intents = merchant.stripe.v1.payment_intents
    for call in (intents.cancel_async, intents.confirm_async):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await call(intent.id)
        assert "Checkout Session" in str(refused.value.user_message)


async def test_who_is_not_there_cannot_authenticate(merchant: Merchant) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await made(merchant, "authenticationRequired", off_session=True)
    assert refused.value.code == "authentication_required"
    assert (await merchant.events())[-1] == "payment_intent.payment_failed"


async def test_an_action_can_be_made_an_error(merchant: Merchant) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await made(merchant, "authenticationRequired", error_on_requires_action=True)
    assert refused.value.code == "authentication_required"


@pytest.mark.parametrize(
    ("token", "off_session", "status"),
    [
        ("authenticationRequiredSetupForOffSession", True, "succeeded"),
        ("authenticationRequiredSetupForOffSession", False, "requires_action"),
        ("authenticationRequiredOnSetup", False, "requires_action"),
        ("authenticationRequired", False, "requires_action"),
        ("threeDSecureOptional", False, "succeeded"),
    ],
)
async def test_cards_ask_when_the_documentation_says_so(
    merchant: Merchant, token: str, off_session: bool, status: str
) -> None:
    intent = await made(merchant, token, off_session=off_session)
    assert intent.status == status


async def test_an_action_names_the_way_back_or_leaves_it_to_the_client(merchant: Merchant) -> None:
    back = "https://shop.example/back"
    led = await made(merchant, "authenticationRequired", return_url=back)
    assert led.next_action.type == "redirect_to_url"
    assert led.next_action.redirect_to_url.return_url == back
    left = await made(merchant, "authenticationRequired")
    assert left.next_action.type == "use_stripe_sdk"
    assert (await merchant.events())[-1] == "payment_intent.requires_action"


async def test_a_debit_without_a_page_is_decided_within_seconds(merchant: Merchant) -> None:
    """As in Stripe's own sandbox, where nobody moves a clock."""
    method = await merchant.stripe.v1.payment_methods.create_async(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": "AT611904300234573201"},
            "billing_details": {"name": "Jo", "email": "jo@example.com"},
        }
    )
    more: Any = {"currency": "eur", "allowed_payment_method_types": ["sepa_debit"]}
    intent = await made(merchant, **more, payment_method=method.id, confirm=True)
    assert intent.status == "processing"
    await merchant.advance(5)
    intents = merchant.stripe.v1.payment_intents
    assert (await intents.retrieve_async(intent.id)).status == "succeeded"


async def test_a_canceled_debit_is_never_decided(merchant: Merchant) -> None:
    more: Any = {"currency": "eur", "allowed_payment_method_types": ["sepa_debit"]}
    intents = merchant.stripe.v1.payment_intents
    method = "pm_sepaDebit_success_at"
    intent = await made(merchant, **more, payment_method=method, confirm=True)
    await intents.cancel_async(intent.id)
    await merchant.advance(30 * DAY)
    assert (await intents.retrieve_async(intent.id)).status == "canceled"


async def test_version_decides_how_methods_are_named(merchant: Merchant) -> None:
    old = {"amount": "2000", "currency": "usd", "payment_method_types[]": "card"}
    status, body, _ = await merchant.post("/v1/payment_intents", old)
    assert (status, body["payment_method_types"]) == (200, ["card"])
    assert body["automatic_payment_methods"] is None
    endive = {"Stripe-Version": "2026-10-28.endive"}
    status, body, _ = await merchant.post("/v1/payment_intents", old, **endive)
    assert (status, body["error"]["code"]) == (400, "payment_method_types_no_longer_supported")


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"amount": 20}, "amount", "amount_too_small"),
        ({"amount": 100_000_000}, "amount", "amount_too_large"),
        ({"amount": 0}, "amount", "parameter_invalid_integer"),
        ({"currency": "xxx"}, "currency", None),
        ({"customer": "cus_none"}, "customer", "resource_missing"),
        ({"capture_method": "later"}, "capture_method", None),
        ({"shipping": {"name": "Jo"}}, "shipping[address]", "parameter_missing"),
        ({"payment_method": "pm_none", "confirm": True}, "payment_method", "resource_missing"),
        ({"return_url": "https://a.example"}, "return_url", None),
        ({"surprise": "1"}, "surprise", "parameter_unknown"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    merchant: Merchant, change: dict[str, Any], param: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await made(merchant, **change)
    assert (refused.value.param, refused.value.code) == (param, code)
    assert await merchant.events() == []


async def test_a_method_of_another_type_is_refused(merchant: Merchant) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await made(merchant, payment_method="pm_sepaDebit_success_at", confirm=True)
    assert refused.value.code == "payment_intent_incompatible_payment_method"


async def test_a_paid_intent_keeps_all_but_its_words(merchant: Merchant) -> None:
    intent = await made(merchant, "visa", metadata={"a": "1", "b": "2"})
    intents = merchant.stripe.v1.payment_intents
    words: Any = {"description": "Mugs", "metadata": {"a": "", "c": "3"}}
    changed = await intents.update_async(intent.id, words)
    assert changed.description == "Mugs"
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await intents.update_async(intent.id, {"amount": 900})
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_an_open_one_can_change_its_amount(merchant: Merchant) -> None:
    intent = await made(merchant)
    intents = merchant.stripe.v1.payment_intents
    assert (await intents.update_async(intent.id, {"amount": 900})).amount == 900
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await intents.update_async(intent.id, {"amount": 9})
    assert refused.value.code == "amount_too_small"


async def test_a_repetition_of_a_declined_try_is_answered_alike(merchant: Merchant) -> None:
    """Stripe keeps the answer of whatever began to execute, a decline as well."""
    form = {
        "amount": "2000",
        "currency": "usd",
        "payment_method_types[]": "card",
        "payment_method": "pm_card_visa_chargeDeclined",
        "confirm": "true",
    }
    key = {"Idempotency-Key": "order-7"}
    first = await merchant.post("/v1/payment_intents", form, **key)
    second = await merchant.post("/v1/payment_intents", form, **key)
    assert first[0] == second[0] == 402
    assert first[1] == second[1]
    assert second[2]["Idempotent-Replayed"] == "true"
    assert (await merchant.events()).count("payment_intent.created") == 1


async def test_a_voucher_gives_way_to_another_method(merchant: Merchant) -> None:
    """What it waited for is void: that nobody pays it has no effect any more."""
    types: Any = {"allowed_payment_method_types": ["card", "multibanco"], "currency": "eur"}
    billing = {"email": "fill_never@example.com"}
    voucher: Any = {"type": "multibanco", "billing_details": billing}
    intents = merchant.stripe.v1.payment_intents
    intent = await made(merchant, **types, payment_method_data=voucher, confirm=True)
    assert intent.status == "requires_action"
    assert intent.next_action.type == "multibanco_display_details"
    paid = await intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.next_action) == ("succeeded", None)
    await merchant.advance(30 * DAY)
    assert (await intents.retrieve_async(intent.id)).status == "succeeded"


async def test_the_shopper_s_page_is_another_matter(merchant: Merchant) -> None:
    """By the hosted page the same account takes its days."""
    session = await merchant.order()
    page = await Page(merchant.http, session.url).open()
    await page.pay_by_account("sepa_debit", "AT611904300234573201")
    await merchant.advance(300)
    _, intent, _ = await merchant.state(session)
    assert intent.status == "processing"


ANY = {"payment_method_options": {"card": {"request_three_d_secure": "any"}}}
CHALLENGE = {"payment_method_options": {"card": {"request_three_d_secure": "challenge"}}}
AUTHENTICATED = ("challenge", "authenticated", "05")
SILENT = ("frictionless", "authenticated", "05")
ATTEMPTED = (None, "attempt_acknowledged", "06")


@pytest.mark.parametrize(
    ("token", "wish", "status", "told"),
    [
        ("visa", {}, "succeeded", None),
        ("visa", ANY, "succeeded", ATTEMPTED),
        ("mastercard", ANY, "succeeded", (None, "attempt_acknowledged", "01")),
        ("amex", CHALLENGE, "succeeded", None),
        ("threeDSecureOptional", {}, "succeeded", None),
        ("threeDSecureOptional", ANY, "succeeded", SILENT),
        ("threeDSecureOptional", CHALLENGE, "requires_action", AUTHENTICATED),
        ("threeDSecure2Required", {}, "requires_action", AUTHENTICATED),
    ],
)
async def test_three_d_secure_is_told_of_the_charge(
    merchant: Merchant, token: str, wish: Any, status: str, told: Any
) -> None:
    intent = await made(merchant, token, **wish, return_url="https://shop.example/")
    assert intent.status == status
    if status == "requires_action":
        page = await Page(merchant.http, intent.next_action.redirect_to_url.url).open()
        await page.submit(page.url, {"action": "complete"})
        intent = await merchant.stripe.v1.payment_intents.retrieve_async(intent.id)
    charge: Any = await charge_of(merchant, intent)
    said = charge.payment_method_details.card.three_d_secure
    assert (
        said and (said.authentication_flow, said.result, said.electronic_commerce_indicator)
    ) == told


async def test_a_decline_after_authentication_says_that_it_was_authenticated(
    merchant: Merchant,
) -> None:
    back = {"return_url": "https://shop.example/"}
    intent: Any = await made(merchant, "threeDSecureRequiredChargeDeclined", **back)
    page = await Page(merchant.http, intent.next_action.redirect_to_url.url).open()
    assert "redirect_status=failed" in await page.submit(page.url, {"action": "complete"})
    intent = await merchant.stripe.v1.payment_intents.retrieve_async(intent.id)
    assert intent.last_payment_error.decline_code == "generic_decline"
    charge: Any = await charge_of(merchant, intent)
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"


async def test_a_failed_or_abandoned_challenge_charges_nothing(merchant: Merchant) -> None:
    back = {"return_url": "https://shop.example/"}
    failed = await made(merchant, "authenticationRequired", **back)
    page = await Page(merchant.http, failed.next_action.redirect_to_url.url).open()
    assert "redirect_status=failed" in await page.submit(page.url, {"action": "fail"})
    abandoned = await made(merchant, "authenticationRequired", **back)
    assert (await page.open(abandoned.next_action.redirect_to_url.url)).status == 200
    for intent, status in ((failed, "requires_payment_method"), (abandoned, "requires_action")):
        found = await merchant.stripe.v1.payment_intents.retrieve_async(intent.id)
        assert (found.status, found.latest_charge) == (status, None)
