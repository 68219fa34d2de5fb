"""Setup intents that wait for their shopper: the page where they decide, and where it leads."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.sandbox.merchant import SECURE, Merchant, Page
from tests.sandbox.test_setup_intents import customer, setup

BACK = "https://shop.example/back?order=7"
ASKS = "pm_card_authenticationRequired"


async def test_after_the_challenge_the_shopper_is_led_back(merchant: Merchant) -> None:
    made = await customer(merchant)
    for decided, redirect_status, status in (
        ("fail", "failed", "requires_payment_method"),
        ("complete", "succeeded", "succeeded"),
    ):
        asked = await setup(merchant, ASKS, customer=made.id, return_url=BACK)
        page = await Page(merchant.http, asked.next_action.redirect_to_url.url).open()
        assert "before your card is saved for later payments" in page.html
        assert "<dt>Amount</dt>" not in page.html
        led = urlsplit(await page.submit(page.url, {"action": decided}))
        assert (led.scheme, led.netloc, led.path) == ("https", "shop.example", "/back")
        assert parse_qs(led.query) == {
            "order": ["7"],
            "setup_intent": [asked.id],
            "setup_intent_client_secret": [asked.client_secret],
            "redirect_status": [redirect_status],
        }
        found = await merchant.stripe.v1.setup_intents.retrieve_async(asked.id)
        assert (found.status, found.next_action) == (status, None)
    kept = await merchant.stripe.v1.customers.payment_methods.list_async(made.id)
    assert [method.id for method in kept.data] == [found.payment_method]
    assert (await merchant.events())[-2:] == ["payment_method.attached", "setup_intent.succeeded"]


async def test_a_failed_challenge_says_why_and_may_be_repeated(merchant: Merchant) -> None:
    asked = await setup(merchant, ASKS, return_url=BACK, expand=["latest_attempt"])
    page = await Page(merchant.http, asked.next_action.redirect_to_url.url).open()
    await page.submit(page.url, {"action": "fail"})
    setups: Any = merchant.stripe.v1.setup_intents
    failed = await setups.retrieve_async(asked.id, {"expand": ["latest_attempt"]})
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    assert failed.latest_attempt.status == "failed"
    assert (await merchant.events())[-1] == "setup_intent.setup_failed"
    assert "Nothing to approve" in (await page.open()).html
    await setups.confirm_async(asked.id, {"payment_method": ASKS, "return_url": BACK})
    assert "redirect_status=succeeded" in await (await page.open()).submit(
        page.url, {"action": "complete"}
    )


async def test_without_a_way_back_the_page_says_that_it_is_over(merchant: Merchant) -> None:
    asked = await setup(merchant, ASKS)
    url = asked.next_action.use_stripe_sdk.stripe_js
    page = await Page(merchant.http, url).open()
    assert await page.submit(url, {"action": "complete"}) == ""
    assert "Your payment method is saved" in page.html
    assert "Already saved" in (await page.open()).html
    assert await page.submit(url, {"action": "fail"}) == urlsplit(url).path
    found = await merchant.stripe.v1.setup_intents.retrieve_async(asked.id)
    assert found.status == "succeeded"


async def test_a_forged_decision_sets_nothing_up(merchant: Merchant) -> None:
    asked = await setup(merchant, ASKS, return_url=BACK)
    page = await Page(merchant.http, asked.next_action.redirect_to_url.url).open()
    for form in ({"action": "complete", "token": "x"}, {"action": "approve"}, {}):
        assert await page.submit(page.url, form) == urlsplit(page.url).path
    other = await Page(merchant.http, page.url.replace(asked.id, f"{asked.id}x")).open()
    assert other.status == 404
    found = await merchant.stripe.v1.setup_intents.retrieve_async(asked.id)
    assert found.status == "requires_action"


async def test_a_canceled_setup_waits_for_nobody(merchant: Merchant) -> None:
    asked = await setup(merchant, ASKS, return_url=BACK)
    page = await Page(merchant.http, asked.next_action.redirect_to_url.url).open()
    await merchant.stripe.v1.setup_intents.cancel_async(asked.id)
    assert await page.submit(page.url, {"action": "complete"}) == urlsplit(page.url).path
    assert "Nothing to approve" in (await page.open()).html


async def test_a_session_s_setup_is_decided_on_the_session_s_page_only(merchant: Merchant) -> None:
    params: Any = {"mode": "setup", "currency": "eur", "success_url": BACK}
    session: Any = await merchant.sessions.create_async(params)
    page = await Page(merchant.http, session.url).open()
    await page.pay(SECURE)
    await page.open(f"{page.url}/authenticate")
    assert "before your card is saved for later payments" in page.html
    elsewhere = f"{merchant.url}/c/authorize/{session.setup_intent}"
    assert (await Page(merchant.http, elsewhere).open()).status == 404
    await page.authenticate("complete")
    found: Any = await merchant.sessions.retrieve_async(session.id, {"expand": ["setup_intent"]})
    assert found.setup_intent.status == "succeeded"


async def test_the_page_reads_the_shopper_s_language(merchant: Merchant) -> None:
    asked = await setup(merchant, ASKS, return_url=BACK)
    page = Page(merchant.http, asked.next_action.redirect_to_url.url, reads="de")
    assert "bevor Ihre Karte für spätere Zahlungen gespeichert wird" in (await page.open()).html
