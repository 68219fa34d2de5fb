"""Chromium shops, pays and comes back: one table of stories, each with its expected end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests import browser
from tests.scenarios.shop import Shop, causes_of, fill_card, open_browser, open_shop
from tests.scenarios.stage import Stage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not browser.executable(), reason="no browser can be had here"),
]

VISA, DECLINED, CHALLENGED = "4242424242424242", "4000000000000002", "4000002760003184"
PAID = ["payment_order.registered", "payment_order.succeeded"]
CANCELED = ["payment_order.registered", "payment_order.canceled"]


@pytest.fixture
async def shop(stage: Stage, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(stage, tmp_path) as shop:
        yield shop


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with open_browser() as chromium:
        yield chromium


async def pays(page: Page) -> None:
    await fill_card(page, VISA)


async def is_declined_and_takes_another_card(page: Page) -> None:
    await fill_card(page, DECLINED)
    await expect(page.get_by_role("alert")).to_contain_text("declined")
    await fill_card(page, VISA)


async def authenticates(page: Page) -> None:
    await fill_card(page, CHALLENGED)
    await page.get_by_role("button", name="Complete authentication").click()


async def fails_to_authenticate_and_takes_another_card(page: Page) -> None:
    await fill_card(page, CHALLENGED)
    await page.get_by_role("button", name="Fail authentication").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await fill_card(page, VISA)


async def cancels(page: Page) -> None:
    await page.click("#cancel")


async def goes_back_after_success(page: Page) -> None:
    hosted = page.url
    await fill_card(page, VISA)
    await page.wait_for_selector("#status")
    await page.go_back()
    if page.url == hosted:  # the page as it was, or as it is: neither takes money twice
        if await page.locator("#pay").count():
            await fill_card(page, VISA)
        await expect(page.locator("h1")).to_contain_text("paid")
        await page.locator("a.button").click()


async def pays_in_two_tabs(page: Page) -> None:
    second = await page.context.new_page()
    await second.goto(page.url)
    await fill_card(page, VISA)
    await page.wait_for_selector("#status")
    await fill_card(second, VISA)
    await expect(second.locator("h1")).to_contain_text("paid")
    await second.close()


@dataclass(frozen=True, slots=True)
class Story:
    """What the shopper does on the hosted page, and how it ends."""

    plays: Callable[[Page], Awaitable[None]]
    status: str = "SUCCEEDED"
    text: str = "Thank you. It’s paid."
    events: tuple[str, ...] = tuple(PAID)
    postings: tuple[str, ...] = ("captured",)
    charges: int = 1
    causes: frozenset[str] = frozenset({"notice", "return"})  # of what came after the page
    has_decline: bool = False


STORIES = [
    Story(pays),
    Story(is_declined_and_takes_another_card, has_decline=True),
    Story(authenticates),
    Story(fails_to_authenticate_and_takes_another_card, has_decline=True),
    Story(
        *(cancels, "CANCELED", "You cancelled. No harm done.", tuple(CANCELED), (), 0),
        causes=frozenset({"request", "psp_answer"}),
    ),
    Story(goes_back_after_success),
    Story(pays_in_two_tabs),
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.plays.__name__)
async def test_the_shopper(story: Story, stage: Stage, shop: Shop, chromium: Browser) -> None:
    page = await (await chromium.new_context()).new_page()
    order = await shop.check_out(page)
    await story.plays(page)

    await page.wait_for_selector("#status")
    await expect(page.locator("#status")).to_have_attribute("data-status", story.status)
    await expect(page.locator("h1")).to_have_text(story.text)

    now = await stage.until(order["id"], story.status)
    assert now["amount_captured"] == (now["amount"] if story.charges else 0)
    events = (await stage.get(f"/v1/events?payment_order={order['id']}")).json["data"]
    assert [event["type"] for event in reversed(events)] == list(story.events)
    books = (await stage.get(f"/v1/ledger/postings?payment_order={order['id']}")).json["data"]
    assert [posting["kind"] for posting in books] == list(story.postings)
    charges: dict[str, Any] = await stage.sandbox("GET", "/v1/charges?limit=100")
    assert sum(charge["paid"] for charge in charges["data"]) == story.charges
    told_of = page.get_by_text("A try was declined, and the page stayed payable.")
    await expect(told_of).to_have_count(int(story.has_decline))
    causes = await causes_of(stage, order)
    assert causes
    assert causes <= story.causes


async def test_the_order_page_shows_nine_steps_on_a_phone(
    stage: Stage, shop: Shop, chromium: Browser
) -> None:
    page = await chromium.new_page(viewport={"width": 390, "height": 844})
    order = await shop.check_out(page)
    await fill_card(page, VISA)
    await stage.until(order["id"], "SUCCEEDED")
    await expect(page.locator(".steps .done")).to_have_count(9)
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
