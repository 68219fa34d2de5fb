"""A shop on a free port, a stand-in for the API, and a browser that is only an HTTP client."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn

from payloom.shop.app import create_app
from payloom.shop.settings import Settings
from tests.shop import stand_in
from tests.shop.stand_in import StandIn


@dataclass
class HeldClock:
    """Real time plus what a test adds."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Browser:
    """One shopper: a cookie jar and the few things they do."""

    session: aiohttp.ClientSession
    shop_url: str
    status: int = 0
    location: str = ""

    async def get(self, url: str) -> str:
        return await self._ask("GET", url)

    async def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> str:
        return await self._ask("POST", path, data=form, headers=headers)

    async def buy(self, *skus: str) -> None:
        for sku in skus or ("beans",):
            await self.post("/cart/items", sku=sku)
        await self.post("/checkout")

    async def story(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order as its JSON tells it."""
        url = order["return_url"].replace("/return?", ".json?")
        async with self.session.get(url) as answer:
            assert answer.status == 200
            body: dict[str, Any] = await answer.json()
            return body

    async def cart_count(self) -> int:
        found = re.search(r'id="cart-count">(\d+)<', await self.get("/"))
        assert found
        return int(found[1])

    async def _ask(self, method: str, url: str, **request: Any) -> str:
        url = url if url.startswith("http") else self.shop_url + url
        async with self.session.request(method, url, allow_redirects=False, **request) as answer:
            self.status, self.location = answer.status, answer.headers.get("location", "")
            return await answer.text()


@dataclass
class RunningShop:
    url: str
    clock: HeldClock


def order_page(order: dict[str, Any]) -> str:
    """The URL of an order's page, which the API knows by its return URL."""
    return str(order["return_url"]).replace("/return?", "?")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[RunningShop]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        clock = HeldClock()
        app = create_app(replace(settings, public_url=url), clock)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            assert not task.done(), task.exception()
            await asyncio.sleep(0.005)
        try:
            yield RunningShop(url, clock)
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def api() -> AsyncIterator[StandIn]:
    async with stand_in.running() as running:
        yield running


@pytest.fixture
def settings(api: StandIn, tmp_path: Path) -> Settings:
    return Settings(
        api_url=api.url,
        api_key=stand_in.API_KEY,
        return_secret=stand_in.RETURN_SECRET,
        webhook_secret=stand_in.WEBHOOK_SECRET,
        store=tmp_path / "shop.sqlite",
    )


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[RunningShop]:
    async with serving(settings) as running:
        yield running


@pytest.fixture
async def new_browser() -> AsyncIterator[Callable[[str], Awaitable[Browser]]]:
    async with AsyncExitStack() as stack:

        async def make(url: str) -> Browser:
            jar = aiohttp.CookieJar(unsafe=True)  # cookies of an IP address count
            session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
            return Browser(session, url)

        yield make


@pytest.fixture
async def browser(shop: RunningShop, new_browser: Callable[[str], Awaitable[Browser]]) -> Browser:
    return await new_browser(shop.url)


@pytest.fixture
async def stranger(shop: RunningShop, new_browser: Callable[[str], Awaitable[Browser]]) -> Browser:
    """Somebody else."""
    return await new_browser(shop.url)
