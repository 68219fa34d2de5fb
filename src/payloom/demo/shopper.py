"""A shopper without a browser: the shop's own pages, the hosted page's own form, every redirect.

As patient as a person: a page that does not come is asked for again, and a form that got no answer
is sent again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp

from payloom.demo import DemoError
from payloom.demo.pages import Form, Page

CARD = {
    "email": "sam@example.com",
    "cardNumber": "4242 4242 4242 4242",
    "cardExpiry": "12 / 34",
    "cardCvc": "123",
    "billingName": "Sam Shopper",
    "billingCountry": "DE",
}
TIMEOUT = aiohttp.ClientTimeout(total=20)
PATIENCE_S = 60.0
PAUSE_S = 0.3
REDIRECTS_MAX = 20

SeesPaymentPage = Callable[[str], Awaitable[None]]


def new_session() -> aiohttp.ClientSession:
    """A browser's memory: cookies, also for hosts that are numbers."""
    return aiohttp.ClientSession(
        timeout=TIMEOUT, cookie_jar=aiohttp.CookieJar(unsafe=True), trust_env=False
    )


@dataclass(slots=True)
class Shopper:
    """One person with one cart."""

    http: aiohttp.ClientSession
    shop_url: str
    patience_s: float = PATIENCE_S

    async def buy(self, sees_payment_page: SeesPaymentPage) -> str:
        """From the home page to the order page; its URL. Raises DemoError when stuck."""
        shelf = await self._open(self.shop_url + "/")
        cart = await self._submit(shelf, _form(shelf, "/cart/items"))
        page = await self._submit(cart, _form(cart, "/checkout"), email=CARD["email"])
        page = await self._until(self._is_payment_page, page)
        await sees_payment_page(page.url)
        return (await self._until(self._is_order_page, page)).url

    async def order(self, number: str) -> dict[str, Any]:
        """The order as the shop tells it to scripts; empty while it does not answer."""
        try:
            async with self.http.get(f"{self.shop_url}/orders/{number}.json") as response:
                return dict(await response.json()) if response.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError, OSError):
            return {}

    async def _until(self, arrived: Callable[[Page], bool], page: Page) -> Page:
        """Go on from page to page as each suggests."""
        deadline = time.monotonic() + self.patience_s
        while not arrived(page):
            if time.monotonic() > deadline:
                raise DemoError(f"The shopper is stuck at {page.url}")
            page = await self._go_on(page)
        return page

    async def _go_on(self, page: Page) -> Page:
        if form := page.form(lambda form: "cardNumber" in form.values):
            return await self._submit(page, form, **CARD)
        if onwards := next((link for link in page.links if "/return/" in link), None):
            return await self._open(urljoin(page.url, onwards))
        await asyncio.sleep(PAUSE_S)
        if urlsplit(page.url).path == "/checkout":  # the till did not answer
            cart = await self._open(self.shop_url + "/cart")
            return await self._submit(cart, _form(cart, "/checkout"))
        return await self._open(page.url)

    def _is_payment_page(self, page: Page) -> bool:
        return not page.url.startswith(self.shop_url)

    def _is_order_page(self, page: Page) -> bool:
        path = urlsplit(page.url).path
        is_order = path.startswith("/orders/") and path.count("/") == 2
        return is_order and page.url.startswith(self.shop_url)

    async def _open(self, url: str) -> Page:
        return await self._fetch("GET", url, None)

    async def _submit(self, page: Page, form: Form, **typed: str) -> Page:
        url = urljoin(page.url, form.action or page.url)
        return await self._fetch(form.method.upper(), url, {**form.values, **typed})

    async def _fetch(self, method: str, url: str, data: dict[str, str] | None) -> Page:
        """A page, redirects followed one by one: each may meet a process that just restarts."""
        deadline, hops, trouble = time.monotonic() + self.patience_s, 0, "redirects without end"
        while hops < REDIRECTS_MAX and time.monotonic() < deadline:
            try:
                async with self.http.request(
                    method, url, data=data, allow_redirects=False
                ) as response:
                    if response.status in (302, 303, 307):
                        method, data, hops = "GET", None, hops + 1
                        url = urljoin(url, response.headers["Location"])
                        continue
                    if response.status < 500 or method != "GET":
                        return Page(url, await response.text())
                    trouble = f"answers {response.status}"
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                trouble = f"does not answer: {error!r}"
            await asyncio.sleep(PAUSE_S)
        raise DemoError(f"{url} {trouble}")


def _form(page: Page, action: str) -> Form:
    form = page.form(lambda form: form.action == action)
    if form is None:
        raise DemoError(f"{page.url} has no form for {action}")
    return form
