"""Shops and shoppers who never stop: orders, payments, returns and notices, all of them judged."""

import asyncio
import itertools
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from payloom.core import ids
from payloom.core.master_keys import MasterKeys, parse
from payloom.core.secret import Secret
from payloom.merchants.connections import add_connection, add_secret
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime, running
from payloom.settings import Settings

PAUSE_S = 0.1
VERSION = "2026-10-28.endive"
CARD = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": "12",
        "card[exp_year]": "2034", "card[cvc]": "123"}  # fmt: skip


@dataclass(slots=True)
class Shop:
    """A merchant, its account at the sandbox, and how the PSP signs what it tells us."""

    merchant: str
    api_key: str
    connection: str
    psp_key: str
    psp_endpoint: str
    psp_secret: str


@dataclass(slots=True)
class Load:
    """Counts what went well by its kind, and keeps what did not."""

    api: str
    sandbox: str
    shops: Sequence[Shop]
    http: aiohttp.ClientSession
    good: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    paid: list[tuple[Shop, str]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def buy(self) -> None:
        """One order from its registration to the shopper's return."""
        number = next(self._numbers)
        shop = self.shops[number * 7 % len(self.shops)]  # so that caches help little
        order = await self._order(shop, f"L-{number}")
        if order is None:
            return
        token = order["attempts"][-1]["token"]
        await pay(self.http, self.sandbox, shop.psp_key, token)
        session = await psp(self.http, self.sandbox, shop.psp_key, f"/v1/checkout/sessions/{token}")
        back = urlsplit(session["success_url"])
        status, body = await self._call("GET", f"{back.path}?{back.query}")
        self._judge("return", status == 303, f"{status} {body}")
        self.paid.append((shop, order["id"]))

    async def until_all_are_paid(self) -> None:
        """Whatever was paid at the PSP is known here within a minute."""
        for shop, order_id in self.paid:
            for _ in range(300):
                if await self._is_paid(shop, order_id):
                    break
                await asyncio.sleep(0.2)
            else:
                self.bad.append(f"{order_id} was paid a minute ago and is not known as paid")

    async def _order(self, shop: Shop, reference: str) -> dict[str, Any] | None:
        wanted = {"reference": reference, "amount": 4999, "currency": "EUR",
                  "return_url": "http://127.0.0.1/shop/return"}  # fmt: skip
        status, order = await self._call("POST", "/v1/payment-orders", shop, json=wanted)
        self._judge("order", status == 201, f"{status} {order}")
        return dict(order) if status == 201 else None

    async def _is_paid(self, shop: Shop, order_id: str) -> bool:
        status, order = await self._call("GET", f"/v1/payment-orders/{order_id}", shop)
        self._judge("read", status == 200, f"{status} {order}")
        return bool(order["payment_order_status"] == "SUCCEEDED")

    def _judge(self, kind: str, is_good: bool, what: str) -> None:
        self.good[kind] += is_good
        if not is_good:
            self.bad.append(f"{kind}: {what}")

    async def _call(
        self, method: str, path: str, shop: Shop | None = None, **options: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {shop.api_key}"} if shop else {}
        async with self.http.request(
            method, self.api + path, headers=headers, allow_redirects=False, **options
        ) as response:
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, await (response.json() if is_json else response.text())


@asynccontextmanager
async def loading(api: str, sandbox: str, shops: Sequence[Shop]) -> AsyncIterator[Load]:
    """Two customers at once who come again and again until the block ends; then everything that
    they paid must be known, and nothing may have gone wrong."""
    # A connection of its own for each request: the front door chooses anew.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        load, is_over = Load(api, sandbox, shops, http), asyncio.Event()

        async def customer() -> None:
            while not is_over.is_set():
                try:
                    await load.buy()
                except Exception as broken:  # told at the end, with the rest
                    load.bad.append(repr(broken))
                await asyncio.sleep(PAUSE_S)

        customers = [asyncio.create_task(customer()) for _ in range(2)]
        try:
            yield load
        finally:
            is_over.set()
            await asyncio.gather(*customers)
        await load.until_all_are_paid()
        assert not load.bad, "\n".join(load.bad[:20])


async def more_than(load: Load, kind: str, count: int) -> None:
    """Let the load go on until so many more have gone well."""
    wanted = load.good[kind] + count
    async with asyncio.timeout(60):
        while load.good[kind] < wanted:
            assert not load.bad, load.bad
            await asyncio.sleep(0.02)


async def pay(http: aiohttp.ClientSession, sandbox: str, psp_key: str, token: str) -> None:
    """As the shopper does on the hosted page."""
    method = await psp(http, sandbox, psp_key, "/v1/payment_methods", data=CARD)
    path = f"/v1/payment_pages/{token}/confirm"
    await psp(http, sandbox, psp_key, path, data={"payment_method": method["id"]})


async def psp(
    http: aiohttp.ClientSession, sandbox: str, psp_key: str, path: str, **options: Any
) -> Any:
    """A call to the sandbox as its tenant; a POST when there is data."""
    headers = {"Authorization": f"Bearer {psp_key}"}
    method = "POST" if options else "GET"
    async with http.request(method, sandbox + path, headers=headers, **options) as response:
        answer = await response.json()
    assert response.status < 300, answer
    return answer


async def endpoint(
    http: aiohttp.ClientSession, sandbox: str, psp_key: str, url: str
) -> tuple[str, str]:
    """A webhook endpoint at the sandbox: its id and secret."""
    wanted = {"url": url, "enabled_events[0]": "*", "api_version": VERSION}
    made = await psp(http, sandbox, psp_key, "/v1/webhook_endpoints", data=wanted)
    return made["id"], made["secret"]


async def set_up(
    dsn: str, master_key: str, *, count: int, api: str, sandbox: str, others: int = 0
) -> list[Shop]:
    """So many merchants that are connected to the sandbox, and others that are not."""
    settings = Settings.from_env({"HOME": "."})
    keys = MasterKeys(parse(master_key))
    async with running(settings, dsn, keys) as rt, aiohttp.ClientSession() as http:
        shops = [await _shop(rt, http, number, api, sandbox) for number in range(count)]
        for number in range(others):
            await create_merchant(rt, f"Other {number}", "test")
    return shops


async def _shop(
    rt: Runtime, http: aiohttp.ClientSession, number: int, api: str, sandbox: str
) -> Shop:
    merchant = await create_merchant(rt, f"Shop {number}", "test")
    psp_key = "sk_test_" + secrets.token_hex(12)
    connection_id = await add_connection(
        rt, merchant.merchant_id, "stripe", {"api_key": Secret(psp_key)}, api_base=sandbox
    )
    connection = ids.text("con", connection_id)
    endpoint_id, secret = await endpoint(
        http, sandbox, psp_key, f"{api}/psp/stripe/{connection}/notices"
    )
    await add_secret(rt, merchant.merchant_id, connection_id, Secret(secret))
    return Shop(ids.text("mer", merchant.merchant_id), merchant.api_key.reveal(), connection,
                psp_key, endpoint_id, secret)  # fmt: skip
