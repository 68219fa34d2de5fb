"""The same methods by API: what the intent says to do next, and where its page leads."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from tests.sandbox.merchant import Merchant, Page
from tests.sandbox.test_invoices import customer, drafted

BACK = "https://shop.example/back?order=7"

ACTIONS = {
    "alipay": "alipay_handle_redirect",
    "blik": "blik_authorize",
    "cashapp": "cashapp_handle_redirect_or_display_qr_code",
    "paynow": "paynow_display_qr_code",
    "pix": "pix_display_qr_code",
    "promptpay": "promptpay_display_qr_code",
    "swish": "swish_handle_redirect_or_display_qr_code",
    "upi": "upi_handle_redirect_or_display_qr_code",
    "wechat_pay": "wechat_pay_display_qr_code",
}


async def confirmed(merchant: Merchant, type_: str, **more: Any) -> Any:
    create: Any = merchant.stripe.v1.payment_intents.create_async
    params = {
        "amount": 5000,
        "currency": next(iter(sorted(REDIRECTS[type_].currencies)), "eur"),
        "allowed_payment_method_types": [type_],
        "payment_method_data": {"type": type_},
        "confirm": True,
        "return_url": BACK,
        **more,
    }
    given = {name: value for name, value in params.items() if value is not None}
    return await create(given, {"stripe_version": "2026-10-28.endive"})


@pytest.mark.parametrize("type_", REDIRECTS)
async def test_each_method_says_what_to_do_next(merchant: Merchant, type_: str) -> None:
    intent = await confirmed(merchant, type_)
    name = ACTIONS.get(type_, "redirect_to_url")
    assert (intent.status, intent.next_action.type) == ("requires_action", name)
    action = intent.next_action[name].to_dict()
    classes = stripe.PaymentIntent.NextAction._inner_class_types
    assert set(action) == {n for n in classes[name].__annotations__ if n.islower()}
    url = f"{merchant.url}/c/authorize/{intent.id}"
    assert url in (action.get("url"), action.get("hosted_instructions_url")) or type_ == "blik"


async def test_after_the_decision_the_shopper_is_led_back(merchant: Merchant) -> None:
    for decided, redirect_status, status in (
        ("complete", "succeeded", "succeeded"),
        ("fail", "failed", "requires_payment_method"),
    ):
        intent = await confirmed(merchant, "ideal")
        page = await Page(merchant.http, intent.next_action.redirect_to_url.url).open()
        assert "iDEAL" in page.html
        assert "€50.00" in page.html
        led = urlsplit(await page.submit(page.url, {"action": decided}))
        assert (led.netloc, led.path) == ("shop.example", "/back")
        assert parse_qs(led.query) == {
            "order": ["7"],
            "payment_intent": [intent.id],
            "payment_intent_client_secret": [intent.client_secret],
            "redirect_status": [redirect_status],
        }
        found = await merchant.stripe.v1.payment_intents.retrieve_async(intent.id)
        assert found.status == status


async def test_a_challenge_without_a_session_has_its_page(merchant: Merchant) -> None:
    secure = {"payment_method": "pm_card_authenticationRequired", "payment_method_data": None}
    more: Any = {**secure, "allowed_payment_method_types": ["card"]}
    intent = await confirmed(merchant, "ideal", **more)
    page = await Page(merchant.http, intent.next_action.redirect_to_url.url).open()
    assert "Confirm it is you" in page.html
    assert "redirect_status=succeeded" in await page.submit(page.url, {"action": "complete"})
    intent = await confirmed(merchant, "ideal", **more, return_url=None)
    url = intent.next_action.use_stripe_sdk.stripe_js
    page = await Page(merchant.http, url).open()
    assert await page.submit(url, {"action": "complete"}) == ""
    assert "Payment approved" in page.html
    assert (await merchant.events()).count("payment_intent.succeeded") == 2


async def test_a_page_that_waits_for_nobody_says_so(merchant: Merchant) -> None:
    intent = await confirmed(merchant, "upi", return_url=None)
    url = intent.next_action.upi_handle_redirect_or_display_qr_code.hosted_instructions_url
    page = await Page(merchant.http, url).open()
    assert '<svg viewBox="0 0 ' in page.html
    assert "Authorize" in (await page.open(f"{url}/app")).html
    assert await page.submit(url, {"action": "complete", "token": "x"}) == urlsplit(url).path
    await merchant.advance(301)
    assert "Nothing to approve" in (await page.open(url)).html
    await page.open(f"{url}/app")
    assert page.headers["Location"] == urlsplit(url).path
    assert (await merchant.events())[-1] == "payment_intent.payment_failed"
    assert (await Page(merchant.http, f"{url}x").open()).status == 404


async def test_a_voucher_without_a_session_has_its_page(merchant: Merchant) -> None:
    more: Any = {"allowed_payment_method_types": ["multibanco"]}
    method = {"type": "multibanco", "billing_details": {"email": "jo@example.com"}}
    intent = await confirmed(merchant, "ideal", **more, payment_method_data=method)
    url = intent.next_action.multibanco_display_details.hosted_voucher_url
    assert "Reference" in (await Page(merchant.http, url).open()).html


async def test_a_session_s_intent_is_decided_on_the_session_s_page_only(
    merchant: Merchant,
) -> None:
    session = await merchant.order()
    page = await Page(merchant.http, session.url).open()
    await page.pay_elsewhere("ideal")
    intent = (await merchant.state(session))[1]
    assert (
        await Page(merchant.http, f"{merchant.url}/c/authorize/{intent.id}").open()
    ).status == 404


async def test_an_invoice_hears_what_its_customer_decided(merchant: Merchant) -> None:
    draft = await drafted(merchant, await customer(merchant, "threeDSecure2Required"))
    for action, status, told in (("fail", "open", "payment_failed"), ("complete", "paid", "paid")):
        with pytest.raises(stripe.CardError) as asked:
            await merchant.stripe.v1.invoices.pay_async(draft.id)
        error: Any = asked.value.error
        url = f"{merchant.url}/c/authorize/{error.payment_intent.id}"
        page = await Page(merchant.http, url).open()
        before = len(await merchant.events())
        await page.submit(url, {"action": action})
        found = await merchant.stripe.v1.invoices.retrieve_async(draft.id)
        assert found.status == status
        assert f"invoice.{told}" in (await merchant.events())[before:]


async def test_a_canceled_intent_waits_no_longer(merchant: Merchant) -> None:
    intent = await confirmed(merchant, "upi")
    await merchant.stripe.v1.payment_intents.cancel_async(intent.id)
    await merchant.advance(301)
    assert (await merchant.events())[-1] == "payment_intent.canceled"


async def test_what_leads_away_wants_a_way_back(merchant: Merchant) -> None:
    never = {"allow_redirects": "never", "enabled": True}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await confirmed(merchant, "ideal", return_url=None)
    assert "return_url" in str(refused.value.user_message)
    create: Any = merchant.stripe.v1.payment_intents.create_async
    version = {"stripe_version": "2026-10-28.endive"}
    offered = await create({"amount": 5000, "currency": "eur"}, version)
    assert offered.payment_method_types[:3] == ["card", "ideal", "bancontact"]
    here = await create(
        {"amount": 5000, "currency": "eur", "automatic_payment_methods": never}, version
    )
    assert here.payment_method_types == ["card", "sepa_debit", "multibanco"]
    held = {"amount": 5000, "currency": "usd", "capture_method": "manual"}
    assert (await create(held, version)).payment_method_types == ["card", "cashapp", "klarna"]


@pytest.mark.parametrize("more", [{"off_session": True}, {"error_on_requires_action": True}])
async def test_nobody_approves_for_an_absent_shopper(merchant: Merchant, more: Any) -> None:
    with pytest.raises(stripe.StripeError) as refused:
        await confirmed(merchant, "klarna", **more)
    assert refused.value.code == "authentication_required"
    assert (await merchant.events())[-1] == "payment_intent.payment_failed"


async def test_payment_methods_of_these_types_keep_what_they_are_told(merchant: Merchant) -> None:
    create: Any = merchant.stripe.v1.payment_methods.create_async
    ideal = await create({"type": "ideal", "ideal": {"bank": "ing"}})
    assert ideal.ideal.bank == "ing"
    paypal = await create({"type": "paypal", "billing_details": {"email": "jo@example.com"}})
    assert paypal.paypal.payer_email == "jo@example.com"
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        await create({"type": "klarna", "klarna": {"x": "1"}})
    assert unknown.value.code == "parameter_unknown"
