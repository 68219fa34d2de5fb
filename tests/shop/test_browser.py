"""A real browser in the shop: from the shelf to the payment page, and back to a page that moves."""

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, async_playwright, expect

from tests.shop.conftest import RunningShop, order_page
from tests.shop.stand_in import StandIn, deliver, event

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    async with async_playwright() as playwright:
        path = shutil.which("chromium")  # else Playwright's own
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


expect.set_options(timeout=10_000)


async def fill_cart_and_check_out(page: Page, shop: RunningShop) -> None:
    page.set_default_timeout(10_000)
    await page.goto(shop.url)
    await page.get_by_role("button", name="Add to cart: Slow Morning").click()
    await page.get_by_role("button", name="One more of Slow Morning").click()
    await expect(page.locator("#total")).to_have_text("€29.00")
    await page.click("#checkout")
    await page.wait_for_url("**/pay/**")


def only_order(api: StandIn) -> dict[str, Any]:
    (order,) = api.orders.values()
    return order


async def test_checkout_leads_to_the_payment_page_and_the_order_page_moves(
    chromium: Chromium, shop: RunningShop, api: StandIn
) -> None:
    page = await chromium.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await fill_cart_and_check_out(page, shop)
    await expect(page.locator("h1")).to_have_text("The payment page")
    order = only_order(api)
    await page.goto(api.return_url(order["id"], "PENDING"))
    await expect(page.locator("#status")).to_have_attribute("data-status", "PENDING")
    await page.evaluate("window.sameDocument = true")
    for _ in range(2):  # it asks, and asks again
        await page.wait_for_event("requestfinished", timeout=10_000)
    api.settle(order["id"], "SUCCEEDED")
    await deliver(shop.url, event(order, "payment_order.succeeded", 2))
    await expect(page.locator("#status")).to_have_attribute("data-status", "SUCCEEDED")
    await expect(page.locator(".steps .done")).to_have_count(9)
    await expect(page.locator("#cart-count")).to_have_text("0")
    assert await page.evaluate("window.sameDocument")
    assert complaints == []


async def test_everything_works_without_javascript(
    chromium: Chromium, shop: RunningShop, api: StandIn
) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await fill_cart_and_check_out(page, shop)
    order = only_order(api)
    await page.goto(order_page(order))
    await expect(page.locator("#status")).to_have_attribute("data-status", "PENDING")
    await deliver(
        shop.url,
        event(order | {"payment_order_status": "SUCCEEDED"}, "payment_order.succeeded", 2),
    )
    await expect(page.locator("#status")).to_have_attribute("data-status", "SUCCEEDED")


async def test_the_way_back_over_the_cancel_link_leads_to_a_new_try(
    chromium: Chromium, shop: RunningShop, api: StandIn
) -> None:
    page = await chromium.new_page()
    await fill_cart_and_check_out(page, shop)
    await page.goto(api.return_url(only_order(api)["id"], "PENDING", cancelled=True))
    await expect(page.locator("h1")).to_contain_text("You cancelled")
    await page.click("#retry")
    await page.wait_for_url("**/pay/**")
    assert [one["reference"] for one in api.orders.values()] == ["W-1001", "W-1002"]


@pytest.mark.parametrize("width", [1280, 390])
async def test_no_page_is_wider_than_the_screen(
    chromium: Chromium, shop: RunningShop, api: StandIn, width: int
) -> None:
    page = await chromium.new_page(viewport={"width": width, "height": 844})
    await fill_cart_and_check_out(page, shop)
    for url in (shop.url, f"{shop.url}/cart", order_page(only_order(api)), f"{shop.url}/none"):
        await page.goto(url)
        assert await page.evaluate("document.documentElement.scrollWidth") == width
