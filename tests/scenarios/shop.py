"""The demo shop as a merchant of a stage, and a browser that shops there."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from payloom.core import ids
from tests import browser
from tests.scenarios.stage import Stage

expect.set_options(timeout=15_000)


@dataclass(frozen=True, slots=True)
class Shop:
    url: str
    stage: Stage

    async def check_out(self, page: Page) -> dict[str, Any]:
        """From the shelf to the hosted page; the payment order as the API has it then."""
        await page.goto(self.url)
        await page.get_by_role("button", name="Add to cart: Slow Morning").click()
        await page.click("#checkout")
        await page.wait_for_url(f"{self.stage.sandbox_url}/**")
        listed = (await self.stage.get("/v1/payment-orders?limit=1")).json
        return dict(listed["data"][0])


async def fill_card(page: Page, number: str) -> None:
    """Type a card on the hosted page and press the pay button."""
    await page.fill("#email", "ada@shop.example")
    await page.fill("#cardNumber", number)
    await page.fill("#cardExpiry", "12 / 34")
    await page.fill("#cardCvc", "123")
    await page.fill("#billingName", "Ada Lovelace")
    await page.click("#pay")


@asynccontextmanager
async def open_shop(stage: Stage, store: Path) -> AsyncIterator[Shop]:
    """The shop's process, its webhook endpoint set up as a merchant would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    endpoint = (await stage.post("/v1/webhook-endpoints", {"url": f"{url}/webhooks"})).json
    environ = {
        **os.environ,
        "SHOP_API_URL": stage.api_url,
        "SHOP_API_KEY": stage.merchant.api_key.reveal(),
        "SHOP_RETURN_SECRET": stage.merchant.return_secret.reveal(),
        "SHOP_WEBHOOK_SECRET": endpoint["secret"],
        "SHOP_PUBLIC_URL": url,
        "SHOP_STORE": str(store / "shop.sqlite"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "payloom.shop", "--port", str(port),
        stdout=asyncio.subprocess.PIPE, env=environ,
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield Shop(url, stage)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=browser.executable(), args=browser.ARGUMENTS
        )
        yield chromium
        await chromium.close()


async def causes_of(stage: Stage, order: dict[str, Any]) -> set[str]:
    """What the event log names as the cause of every change after the page was opened."""
    async with stage.rt.db.statement() as tx:
        rows = await tx.fetch(
            "SELECT DISTINCT cause FROM payment_log WHERE payment_order_id = $1 AND version > 2",
            ids.parse("po", order["id"]),
        )
    return {row["cause"] for row in rows}
