"""Chromium pays where nobody wants it any more: what the shopper sees, and where the money goes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests import browser
from tests.scenarios.moves import ORDERS, advance, events, postings
from tests.scenarios.shop import Shop, fill_card, open_browser, open_shop
from tests.scenarios.stage import Stage
from tests.scenarios.telling import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not browser.executable(), reason="no browser can be had here"),
]

VISA = "4242424242424242"
LATE = "4000000000009912"  # pays also when its page has ended, as a PSP's race may have it

Order = dict[str, Any]


@pytest.fixture
async def shop(stage: Stage, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(stage, tmp_path) as shop:
        yield shop


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with open_browser() as chromium:
        yield chromium


async def pays_on_two_pages(page: Page, stage: Stage, order: Order) -> None:
    """The shop opened a second page; the shopper, who has both, pays the new one, then the old."""
    again = (await stage.post(f"{ORDERS}/{order['id']}/attempts", {})).json
    second = await page.context.new_page()
    await second.goto(again["redirect_url"])
    await fill_card(second, VISA)
    await second.wait_for_selector("#status")
    await stage.until(order["id"], "SUCCEEDED")
    await fill_card(page, LATE)


async def pays_after_the_shop_canceled(page: Page, stage: Stage, order: Order) -> None:
    assert (await stage.post(f"{ORDERS}/{order['id']}/cancel", {})).status == 200
    await fill_card(page, LATE)


async def pays_after_the_page_expired(page: Page, stage: Stage, order: Order) -> None:
    await advance(stage, 86_000)
    await stage.until(order["id"], "EXPIRED")
    await fill_card(page, LATE)


@dataclass(frozen=True, slots=True)
class Story:
    """What happens around the hosted page, and how it ends."""

    plays: Callable[[Page, Stage, Order], Awaitable[None]]
    status: str
    events: tuple[str, ...]
    postings: tuple[str, ...]  # newest first
    kept: int  # charges that are not returned


STORIES = [
    Story(
        pays_on_two_pages,
        "SUCCEEDED",
        ("registered", "registered", "succeeded", "duplicate_payment_returned"),
        ("money_returned", "suspense", "captured"),
        1,
    ),
    Story(
        pays_after_the_shop_canceled,
        "CANCELED",
        ("registered", "canceled", "duplicate_payment_returned"),
        ("money_returned", "suspense"),
        0,
    ),
    Story(
        pays_after_the_page_expired,
        "SUCCEEDED",
        ("registered", "expired", "succeeded", "late_success"),
        ("captured",),
        1,
    ),
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.plays.__name__)
async def test_the_shopper(story: Story, stage: Stage, shop: Shop, chromium: Browser) -> None:
    page = await (await chromium.new_context()).new_page()
    order = await shop.check_out(page)
    await story.plays(page, stage, order)

    await page.wait_for_selector("#status")
    await expect(page.locator("#status")).to_have_attribute("data-status", story.status)

    async def all_told() -> bool:
        return tuple(await events(stage, order["id"])) == story.events

    await until(all_told)
    now = await stage.until(order["id"], story.status)
    assert now["amount_captured"] == (now["amount"] if story.status == "SUCCEEDED" else 0)
    assert tuple(kind for kind, _ in await postings(stage, order["id"])) == story.postings
    charges: dict[str, Any] = await stage.sandbox("GET", "/v1/charges?limit=100")
    assert (
        sum(charge["paid"] and not charge["refunded"] for charge in charges["data"]) == story.kept
    )
