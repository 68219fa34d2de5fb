"""Methods that lead the shopper elsewhere: approved, failed, left, and run out of time."""

from typing import Any

import pytest

from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from tests.sandbox.merchant import DECLINED, VISA, Merchant, Page

PAID = "http://127.0.0.1:9/paid"


async def opened(merchant: Merchant, *types: str, **more: Any) -> tuple[Any, Page]:
    only: Any = {"allowed_payment_method_types": list(types)} if types else {}
    session = await merchant.order(**only, **more)
    return session, await Page(merchant.http, session.url).open()


async def led(merchant: Merchant, type_: str, **more: Any) -> tuple[Any, Page]:
    """A shopper who stands before the page of the method."""
    currency = next(iter(sorted(REDIRECTS[type_].currencies)), "eur")
    session, page = await opened(merchant, type_, "card", currency=currency, **more)
    assert await page.pay_elsewhere(type_) == f"/c/pay/{session.id}/authenticate"
    await page.open(f"{page.url}/authenticate")
    return session, page


@pytest.mark.parametrize("type_", ["link", "cashapp", "ideal", "p24", "klarna", "zip"])
async def test_an_approved_payment_is_paid_at_once(merchant: Merchant, type_: str) -> None:
    session, page = await led(merchant, type_)
    assert REDIRECTS[type_].title in page.html
    assert await merchant.events() == ["payment_intent.created", "payment_intent.requires_action"]
    assert (await page.authenticate("complete")).startswith(PAID)
    found, intent, charge = await merchant.state(session)
    assert (found.status, found.payment_status) == ("complete", "paid")
    assert (intent.status, intent.next_action) == ("succeeded", None)
    assert (charge.payment_method_details.type, charge.id[:3]) == (type_, "py_")
    assert (await merchant.events())[2:] == [
        "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed",
    ]  # fmt: skip


async def test_a_payment_that_fails_there_leaves_the_session_open(merchant: Merchant) -> None:
    session, page = await led(merchant, "ideal")
    back = await page.authenticate("fail")
    assert back == f"/c/pay/{session.id}?declined=1"
    found, intent, charge = await merchant.state(session)
    assert (found.status, intent.status, charge) == ("open", "requires_payment_method", None)
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert intent.last_payment_error.payment_method.type == "ideal"
    assert (await merchant.events())[2:] == ["payment_intent.payment_failed"]
    await page.open(merchant.url + back)
    assert "unable to authenticate" in page.html
    assert (await page.pay(VISA, method="card")).startswith(PAID)


async def test_who_leaves_that_page_may_pay_otherwise(merchant: Merchant) -> None:
    session, page = await led(merchant, "upi")
    assert f'href="/c/pay/{session.id}"' in page.html
    assert (await page.open()).status == 200
    found, intent, _ = await merchant.state(session)
    assert (found.status, intent.status) == ("open", "requires_action")
    assert (await page.pay(VISA, method="card")).startswith(PAID)
    await merchant.advance(301)
    assert "payment_intent.payment_failed" not in await merchant.events()


async def test_a_decision_counts_once(merchant: Merchant) -> None:
    session, page = await led(merchant, "ideal")
    await page.authenticate("fail")
    assert await page.authenticate("complete") == f"/c/pay/{session.id}?declined=1"
    await page.pay_elsewhere("ideal")
    await page.open(f"{page.url}/authenticate")
    token = page.token()
    assert (await page.authenticate("complete")).startswith(PAID)
    again = {"action": "complete", "token": token}
    assert await page.submit(f"{page.url}/authenticate", again) == ""
    assert "Already paid" in page.html
    assert (await merchant.events()).count("charge.succeeded") == 1


async def test_a_forged_decision_pays_nothing(merchant: Merchant) -> None:
    session, page = await led(merchant, "klarna")
    forged = {"action": "complete", "token": "x"}
    for form in (forged, {"action": "steal"}):
        to = await page.submit(f"{page.url}/authenticate", form)
        assert to == f"/c/pay/{session.id}/authenticate"
    assert (await merchant.state(session))[1].status == "requires_action"


async def test_a_lender_holds_the_money_until_it_is_captured(merchant: Merchant) -> None:
    data = {"capture_method": "manual"}
    session, page = await led(merchant, "klarna", payment_intent_data=data)
    await page.authenticate("complete")
    _, intent, charge = await merchant.state(session)
    assert (intent.status, charge.captured) == ("requires_capture", False)
    taken = await merchant.stripe.v1.payment_intents.capture_async(intent.id)
    assert (taken.status, taken.amount_received) == ("succeeded", 1999)


async def test_what_was_paid_there_is_refunded_at_once(merchant: Merchant) -> None:
    session, page = await led(merchant, "ideal")
    await page.authenticate("complete")
    intent = (await merchant.state(session))[1].id
    refund = await merchant.stripe.v1.refunds.create_async({"payment_intent": intent})
    assert refund.status == "succeeded"


async def test_a_upi_code_is_scanned_and_approved_in_the_app(merchant: Merchant) -> None:
    session, page = await led(merchant, "upi")
    assert '<svg viewBox="0 0 ' in page.html
    assert "It is valid until" in page.html
    assert 'name="action"' not in page.html
    await page.open(f"{page.url}/authenticate/app")
    assert "Authorize test payment" in page.html
    assert (await page.authenticate("complete")).startswith(PAID)
    _, intent, charge = await merchant.state(session)
    assert (intent.status, charge.payment_method_details.upi.vpa) == ("succeeded", None)
    await merchant.advance(301)
    assert "payment_intent.payment_failed" not in await merchant.events()


async def test_a_upi_code_lives_five_minutes_by_the_sandbox_s_clock(merchant: Merchant) -> None:
    session, page = await led(merchant, "upi")
    await merchant.advance(295)
    assert (await merchant.state(session))[1].status == "requires_action"
    await merchant.advance(10)
    found, intent, _ = await merchant.state(session)
    assert (found.status, intent.status) == ("open", "requires_payment_method")
    assert intent.last_payment_error.code == "payment_intent_payment_attempt_expired"
    assert (await merchant.events())[2:] == ["payment_intent.payment_failed"]
    await page.open(f"{page.url}/authenticate")
    assert page.headers["Location"] == f"/c/pay/{session.id}?declined=1"
    await page.open(f"{page.url}?declined=1")
    assert "The time to pay was over" in page.html
    assert await page.pay_elsewhere("upi") == f"/c/pay/{session.id}/authenticate"
    assert (await page.authenticate("complete")).startswith(PAID)


async def test_a_upi_id_is_asked_by_its_app_without_a_code(merchant: Merchant) -> None:
    session, page = await opened(merchant, "upi", currency="inr")
    assert await page.pay_elsewhere("upi", upi_by="id", upi_vpa="jo") == ""
    assert (page.status, "Enter your UPI ID as name@bank." in page.html) == (422, True)
    await page.pay_elsewhere("upi", upi_by="id", upi_vpa="jo@okbank")
    await page.open(f"{page.url}/authenticate")
    assert ("<svg" in page.html, "Authorize test payment" in page.html) == (False, True)
    await page.authenticate("complete")
    _, intent, charge = await merchant.state(session)
    assert charge.payment_method_details.upi.vpa == "jo@okbank"
    assert intent.payment_method


async def test_the_code_is_there_as_an_image_while_it_is_waited_for(merchant: Merchant) -> None:
    session, page = await led(merchant, "pix")
    code = (await merchant.state(session))[1].next_action.pix_display_qr_code
    assert code.data == f"{merchant.url}/c/pay/{session.id}/authenticate/app"
    for address, kind, begins in (
        (code.image_url_svg, "image/svg+xml", b"<svg"),
        (code.image_url_png, "image/png", b"\x89PNG"),
    ):
        async with merchant.http.get(address) as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert (await answer.read()).startswith(begins)
    await page.authenticate("complete")
    async with merchant.http.get(code.image_url_svg) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("wallet", ["apple_pay", "google_pay"])
async def test_a_wallet_pays_by_a_card_and_says_so(merchant: Merchant, wallet: str) -> None:
    session, page = await opened(merchant)
    sheet = f"{page.url}/wallet/{wallet}"
    assert f'href="/c/pay/{session.id}/wallet/{wallet}"' in page.html
    await page.open(sheet)
    declined = await page.submit(sheet, {"action": "fail"})
    assert declined == f"/c/pay/{session.id}?declined=1"
    assert (await merchant.state(session))[2].outcome.reason == "generic_decline"
    assert (await page.submit(sheet, {"action": "complete"})).startswith(PAID)
    found, _, charge = await merchant.state(session)
    card = charge.payment_method_details.card
    assert (card.wallet.type, card.wallet[wallet].to_dict()) == (wallet, {})
    assert card.wallet.dynamic_last4 == ("4242" if wallet == "apple_pay" else None)
    assert found.customer_details.email == "jenny.rosen@example.com"


async def test_wallets_are_there_only_where_a_card_would_do(merchant: Merchant) -> None:
    session, page = await opened(merchant, "ideal")
    assert "Apple Pay" not in page.html
    sheet = f"{page.url}/wallet/apple_pay"
    await page.open(sheet)
    assert page.headers["Location"] == f"/c/pay/{session.id}"
    form = {"action": "complete"}
    assert await page.submit(sheet, form) == f"/c/pay/{session.id}"
    _, page = await opened(merchant)
    await page.submit(f"{page.url}/wallet/x", form)
    assert await merchant.events() == []


async def test_a_decline_before_does_not_show_in_what_is_paid(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    await page.pay(DECLINED)
    await page.pay_elsewhere("ideal")
    assert (await merchant.state(session))[1].last_payment_error is None
    await page.authenticate("complete")
    assert (await merchant.state(session))[1].status == "succeeded"
