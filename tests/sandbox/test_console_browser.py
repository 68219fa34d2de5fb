"""A real browser at `/_sandbox`: without JavaScript, by keyboard, on a phone."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.sandbox.merchant import Merchant
from tests.sandbox.receiver import Receiver
from tests.sandbox.test_browser import DESKTOP, PHONE

pytestmark = pytest.mark.browser
PAGES = (
    "",
    "/list/checkout.session",
    "/list/refund",
    "/events",
    "/webhooks",
    "/requests",
    "/ask-reset",
)


async def entered(merchant: Merchant, chromium: Browser, screen: dict[str, int]) -> Page:
    """The account's page, entered by the key alone, in a browser without JavaScript."""
    viewport: Any = screen
    context = await chromium.new_context(viewport=viewport, java_script_enabled=False)
    page = await context.new_page()
    page.set_default_timeout(10_000)
    await page.goto(f"{merchant.url}/_sandbox")
    await expect(page.get_by_label("Secret API key")).to_be_focused()
    await page.keyboard.type(merchant.key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Clock")).to_be_visible()
    assert merchant.key not in page.url
    return page


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
async def test_nothing_is_blocked_or_wider_than_the_screen(
    merchant: Merchant, receiver: Receiver, chromium: Browser, viewport: dict[str, int]
) -> None:
    await merchant.listen(f"{receiver.url}/{'long' * 40}", ["*"])
    receiver.status = 500
    session = await merchant.order(client_reference_id="reference" * 20)
    await merchant.confirm(session.id, "pm_card_visa")
    _, intent, _ = await merchant.state(session)
    await merchant.stripe.v1.refunds.create_async({"payment_intent": intent.id})
    await merchant.fault(f"/v1/{'path' * 50}", "drop")
    await merchant.deliveries(wait_s=10)
    page = await entered(merchant, chromium, viewport)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    for path in (*PAGES, f"/objects/{session.id}", f"/objects/{intent.id}"):
        await page.goto(f"{merchant.url}/_sandbox{path}")
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"], path
    assert complaints == []


async def test_a_fault_is_ordered_by_keyboard_alone(merchant: Merchant, chromium: Browser) -> None:
    page = await entered(merchant, chromium, DESKTOP)
    await page.get_by_label("What goes wrong").focus()
    await page.keyboard.type("send a webhook twice")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("/hook")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("The fault is ordered.")
    async with merchant.http.get(f"{merchant.url}/_sandbox/faults", headers=merchant.auth) as got:
        (fault,) = await got.json()
    assert (fault["effect"], fault["path"]) == ("hook_duplicate", "/hook")
    await page.get_by_role("button", name="Clear all faults").click()
    await expect(page.get_by_text("Nothing is ordered to go wrong.")).to_be_visible()


async def test_a_mistake_is_focused_and_told(merchant: Merchant, chromium: Browser) -> None:
    page = await entered(merchant, chromium, PHONE)
    await page.get_by_label("Move on by").fill("soon")
    await page.get_by_role("button", name="Move the clock").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_role("alert")).to_contain_text("by must be a number")
    await page.get_by_role("button", name="1 day on").click()
    await expect(page.get_by_role("status")).to_contain_text("The clock is moved")


async def test_a_session_is_opened_paid_and_found_again(
    merchant: Merchant, chromium: Browser
) -> None:
    session = await merchant.order()
    page = await entered(merchant, chromium, PHONE)
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name=f"Open the page of {session.id}").click()
    shopper = await opened.value
    await expect(shopper.get_by_label("Card number")).to_be_visible()
    await merchant.confirm(session.id, "pm_card_visa")
    await page.get_by_role("link", name="Refresh").click()
    await page.get_by_role("link", name=session.id, exact=True).click()
    await expect(page.get_by_text("complete · paid")).to_be_visible()
    _, intent, _ = await merchant.state(session)
    await page.get_by_role("link", name=intent.id).first.click()
    await expect(page.get_by_role("heading", name=intent.id)).to_be_visible()


async def test_a_reset_is_asked_for_and_can_be_left(merchant: Merchant, chromium: Browser) -> None:
    await merchant.order()
    page = await entered(merchant, chromium, DESKTOP)
    await page.get_by_role("link", name="Reset this account").click()
    await page.get_by_role("link", name="Keep it").click()
    assert len((await merchant.sessions.list_async()).data) == 1
    await page.get_by_role("link", name="Reset this account").click()
    await page.get_by_role("button", name="Forget everything").click()
    await expect(page.get_by_role("status")).to_contain_text("forgotten")
    assert (await merchant.sessions.list_async()).data == []
