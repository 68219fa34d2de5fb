"""A real browser on the hosted page: with and without JavaScript, by keyboard, on a phone."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.sandbox.merchant import NO_FUNDS, SECURE, VISA, Merchant

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


async def opened(merchant: Merchant, chromium: Browser, **context: Any) -> tuple[Any, Page]:
    """A session whose success and cancel links lead to pages that exist."""
    session = await merchant.order(
        success_url=f"{merchant.url}/healthz?paid={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{merchant.url}/healthz?canceled",
    )
    page = await (await chromium.new_context(**context)).new_page()
    page.set_default_timeout(10_000)
    await page.goto(session.url)
    return session, page


async def fill(page: Page, number: str) -> None:
    await page.get_by_label("Email").fill("jo@example.com")
    await page.get_by_label("Card number").fill(number)
    await page.get_by_label("Expiration date").fill("12 / 34")
    await page.get_by_label("Security code (CVC)").fill("123")
    await page.get_by_label("Name on card").fill("Jo Weaver")
    await page.get_by_label("Country or region").select_option("IE")


@pytest.mark.parametrize("with_script", [True, False])
async def test_decline_then_challenge_then_paid(
    merchant: Merchant, chromium: Browser, with_script: bool
) -> None:
    session, page = await opened(merchant, chromium, java_script_enabled=with_script)
    await fill(page, NO_FUNDS)
    await page.get_by_role("button", name="Pay €19.99").click()
    await expect(page.get_by_role("alert")).to_have_text("Your card has insufficient funds.")
    await expect(page.get_by_role("alert")).to_be_focused()
    await fill(page, SECURE)
    await page.get_by_role("button", name="Pay €19.99").click()
    await page.get_by_role("button", name="Fail authentication").click()
    await expect(page.get_by_role("alert")).to_contain_text("unable to authenticate")
    await fill(page, SECURE)
    await page.get_by_role("button", name="Pay €19.99").click()
    await page.get_by_role("button", name="Complete authentication").click()
    await page.wait_for_url(f"**/healthz?paid={session.id}")
    await page.goto(session.url)
    await expect(page.get_by_role("heading", name="Already paid")).to_be_visible()
    await page.get_by_role("link", name="Continue to the shop").click()
    await page.wait_for_url(f"**/healthz?paid={session.id}")


@pytest.mark.parametrize("with_script", [True, False])
async def test_another_method_is_chosen_put_right_and_paid_with(
    merchant: Merchant, chromium: Browser, with_script: bool
) -> None:
    session, page = await opened(merchant, chromium, java_script_enabled=with_script)
    await expect(page.get_by_label("Card number")).to_be_visible()
    await expect(page.get_by_label("IBAN", exact=True)).to_be_hidden()
    await page.get_by_role("radio", name="SEPA Direct Debit").check()
    await expect(page.get_by_label("Card number")).to_be_hidden()
    await page.get_by_label("Email").fill("jo@example.com")
    await page.get_by_label("IBAN", exact=True).fill("AT61 1904 3002 3457 3202")
    await page.get_by_label("Account holder").fill("Jo Weaver")
    await page.get_by_role("button", name="Pay €19.99").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_role("radio", name="SEPA Direct Debit")).to_be_checked()
    await expect(page.get_by_label("IBAN", exact=True)).to_have_accessible_description(
        "This IBAN is not valid. Check it for typing mistakes."
    )
    await expect(page.get_by_label("Account holder")).to_have_value("Jo Weaver")
    await page.get_by_label("IBAN", exact=True).fill("AT61 1904 3002 3457 3201")
    await page.get_by_role("button", name="Pay €19.99").click()
    await page.wait_for_url(f"**/healthz?paid={session.id}")
    await page.goto(session.url)
    await expect(page.get_by_role("heading", name="Your payment is on its way")).to_be_visible()


async def test_a_method_is_chosen_and_typed_by_keyboard_alone(
    merchant: Merchant, chromium: Browser
) -> None:
    session, page = await opened(merchant, chromium)
    await page.get_by_label("Email").focus()
    await page.keyboard.type("jo@example.com")
    await page.keyboard.press("Tab")
    for _ in ("iDEAL", "Bancontact", "SEPA"):
        await page.keyboard.press("ArrowDown")
    for typed in ("at611904300234573201", "Jo Weaver"):
        await page.keyboard.press("Tab")
        await page.keyboard.type(typed)
    await expect(page.get_by_label("IBAN", exact=True)).to_have_value("AT61 1904 3002 3457 3201")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/healthz?paid={session.id}")


async def test_a_voucher_shows_its_number(merchant: Merchant, chromium: Browser) -> None:
    session, page = await opened(merchant, chromium)
    await page.get_by_role("radio", name="Multibanco").check()
    await page.get_by_label("Email").fill("jo@example.com")
    await page.get_by_label("Full name").fill("Jo Weaver")
    await page.get_by_role("button", name="Pay €19.99").click()
    await page.wait_for_url(f"**/healthz?paid={session.id}")
    await page.goto(session.url)
    await page.get_by_role("link", name="Show the number").click()
    await expect(page.get_by_text("Reference")).to_be_visible()
    await page.get_by_role("link", name="Continue to the shop").click()
    await page.wait_for_url(f"**/healthz?paid={session.id}")


async def test_the_back_button_and_a_second_tab_charge_nothing(
    merchant: Merchant, chromium: Browser
) -> None:
    session, page = await opened(merchant, chromium)
    other = await page.context.new_page()
    await other.goto(session.url)
    await fill(other, VISA)
    await fill(page, VISA)
    await page.click("#pay")
    await page.wait_for_url("**/healthz?paid=*")
    await page.go_back()
    await expect(page.get_by_role("heading", name="Already paid")).to_be_visible()
    await other.click("#pay")
    await expect(other.get_by_role("heading", name="Already paid")).to_be_visible()
    assert (await merchant.events()).count("charge.succeeded") == 1


async def test_the_cancel_link_leads_back_and_changes_nothing(
    merchant: Merchant, chromium: Browser
) -> None:
    session, page = await opened(merchant, chromium)
    await page.get_by_role("link", name="Cancel and return").click()
    await page.wait_for_url("**/healthz?canceled")
    assert (await merchant.sessions.retrieve_async(session.id)).status == "open"


async def test_the_page_is_paid_by_keyboard_alone(merchant: Merchant, chromium: Browser) -> None:
    session, page = await opened(merchant, chromium)
    await page.get_by_label("Email").focus()
    await page.keyboard.type("jo@example.com")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("radio", name="Card")).to_be_focused()
    for typed in (VISA, "1234", "123", "Jo Weaver", "Ire"):
        await page.keyboard.press("Tab")
        await page.keyboard.type(typed)
    await page.keyboard.press("Tab")
    await expect(page.locator("#pay")).to_be_focused()
    await expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    await expect(page.get_by_label("Expiration date")).to_have_value("12 / 34")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/healthz?paid={session.id}")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
async def test_no_method_is_wider_than_the_screen(
    merchant: Merchant, chromium: Browser, viewport: dict[str, int]
) -> None:
    _, page = await opened(merchant, chromium, viewport=viewport)
    for currency in ("eur", "usd", "nzd", "brl"):
        await page.goto((await merchant.order(currency=currency)).url)
        for choice in await page.get_by_role("radio").all():
            await choice.check()
            assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
async def test_nothing_is_blocked_or_wider_than_the_screen(
    merchant: Merchant, chromium: Browser, viewport: dict[str, int]
) -> None:
    complaints: list[str] = []
    session, page = await opened(merchant, chromium, viewport=viewport)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(session.url)
    await fill(page, SECURE)
    for button in ("Pay €19.99", "Complete authentication"):
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"]
        await page.get_by_role("button", name=button).click()
    await page.wait_for_url("**/healthz?paid=*")
    assert complaints == []
