"""A whole payloom for a story: API and worker over real HTTP, the sandbox as the PSP.

The API and the worker run in the test's own loop; the sandbox is a process. Nothing is patched.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import aiohttp
import uvicorn
from multidict import CIMultiDict
from yarl import URL

from payloom.app import create_app
from payloom.core import ids
from payloom.core.secret import Secret
from payloom.merchants.connections import add_connection, add_secret
from payloom.merchants.merchants import NewMerchant, create_merchant
from payloom.runtime import Runtime
from payloom.worker import Worker


@dataclass(slots=True)
class Stage:
    """What a story plays on; `post` and `get` speak as the merchant."""

    rt: Runtime
    api_url: str
    sandbox_url: str
    merchant: NewMerchant
    connection_id: UUID
    psp_key: str
    http: aiohttp.ClientSession
    worker: Worker
    references: int = 0
    webhook_url: str = field(default="")
    # For the checks after a story (invariants.py):
    made_by_hand: set[tuple[str, str]] = field(default_factory=set)  # our own calls to the sandbox
    forged: set[str] = field(default_factory=set)  # events that somebody else signed
    is_psp_forged: bool = False  # a story that forges the PSP's words says so here

    async def post(self, path: str, body: object, **headers: str) -> "Reply":
        return await self._call("POST", path, headers, json=body)

    async def get(self, path: str) -> "Reply":
        return await self._call("GET", path, {})

    async def send(
        self, method: str, path: str, *, key: str | None = "", headers: Any = (), **options: Any
    ) -> "Reply":
        """Any request, as it is: `key` "" is the merchant's own, None sends none."""
        sent = CIMultiDict(headers)
        if key is not None and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {key or self.merchant.api_key.reveal()}"
        url = URL(self.api_url + path, encoded=True)
        options.setdefault("allow_redirects", False)
        async with self.http.request(method, url, headers=sent, **options) as response:
            return Reply(response.status, await response.read(), _lower(response.headers))

    async def fault(self, path: str, effect: str, **more: Any) -> None:
        """Order a fault of the sandbox, for one call unless `count` says otherwise."""
        await self.sandbox(
            "POST", "/_sandbox/faults", json={"path": path, "effect": effect, **more}
        )

    async def sandbox_log(self, path: str, method: str = "POST") -> list[dict[str, Any]]:
        """What the sandbox saw of us on this path."""
        entries: list[dict[str, Any]] = await self.sandbox("GET", "/_sandbox/log")
        return [each for each in entries if (each["method"], each["path"]) == (method, path)]

    async def sandbox(self, method: str, path: str, **options: Any) -> Any:
        """A call to the sandbox as its tenant."""
        headers = {"Authorization": f"Bearer {self.psp_key}"}
        async with self.http.request(
            method, self.sandbox_url + path, headers=headers, **options
        ) as response:
            answer = await response.json()
        if method == "POST" and "id" in answer:
            self.made_by_hand.add((path, answer["id"]))
        return answer

    def wanted(self, **changes: Any) -> dict[str, Any]:
        """A body for `POST /v1/payment-orders`, its reference fresh."""
        self.references += 1
        return {
            "reference": f"W-{self.references}",
            "amount": 4999,
            "currency": "EUR",
            "return_url": "http://127.0.0.1/shop/return",
            **changes,
        }

    async def pay(self, token: str, card: str = "4242424242424242") -> dict[str, Any]:
        """Pay the session as the shopper's browser would, without one."""
        method = await self.sandbox(
            "POST", "/v1/payment_methods",
            data={"type": "card", "card[number]": card, "card[exp_month]": "12",
                  "card[exp_year]": "2034", "card[cvc]": "123"},
        )  # fmt: skip
        confirmed: dict[str, Any] = await self.sandbox(
            "POST", f"/v1/payment_pages/{token}/confirm", data={"payment_method": method["id"]}
        )
        return confirmed

    async def until(self, order_id: str, status: str, *, within_s: float = 20) -> dict[str, Any]:
        """The order, once it has this status."""
        async with asyncio.timeout(within_s):
            while True:
                order = (await self.get(f"/v1/payment-orders/{order_id}")).json
                if order["payment_order_status"] == status:
                    return dict(order)
                await asyncio.sleep(0.02)

    async def _call(
        self, method: str, path: str, headers: dict[str, str], **options: Any
    ) -> "Reply":
        key = self.merchant.api_key.reveal()
        sent = {"Authorization": f"Bearer {key}", **headers}
        async with self.http.request(
            method, self.api_url + path, headers=sent, **options
        ) as response:
            return Reply(response.status, await response.read(), _lower(response.headers))


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@asynccontextmanager
async def open_stage(rt: Runtime, sandbox_url: str) -> AsyncIterator[Stage]:
    """API and worker running, a merchant connected to its own tenant of the sandbox."""
    async with aiohttp.ClientSession() as http, serving(rt) as api_url, working(rt) as worker:
        rt.settings = replace(rt.settings, public_url=api_url)
        merchant = await create_merchant(rt, "Corner Shop", "test")
        psp_key = fresh_psp_key()
        connection_id = await connect_psp(
            rt, http, merchant, api_url=api_url, sandbox_url=sandbox_url, psp_key=psp_key
        )
        yield Stage(rt, api_url, sandbox_url, merchant, connection_id, psp_key, http, worker)


@asynccontextmanager
async def serving(rt: Runtime, **options: Any) -> AsyncIterator[str]:
    """The API on a free port of this loop; its URL."""

    @asynccontextmanager
    async def shared() -> AsyncIterator[Runtime]:
        yield rt

    server = uvicorn.Server(
        uvicorn.Config(create_app(shared, **options), port=0, access_log=False, log_level="warning")
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 # uvicorn tells it by a flag only
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def working(rt: Runtime) -> AsyncIterator[Worker]:
    worker = Worker(rt)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await task


def fresh_psp_key() -> str:
    """A tenant of the sandbox that no other test uses."""
    return "sk_test_" + secrets.token_hex(12)


async def connect_psp(
    rt: Runtime, http: aiohttp.ClientSession, merchant: NewMerchant, *, api_url: str,
    sandbox_url: str, psp_key: str,
) -> UUID:  # fmt: skip
    """A connection to the sandbox with its webhook endpoint, as an operator would set it up."""
    connection_id = await add_connection(
        rt, merchant.merchant_id, "stripe",
        {"api_key": Secret(psp_key), "webhook_secret": Secret("whsec_" + "0" * 32)},
        api_base=sandbox_url,
    )  # fmt: skip
    connection = ids.text("con", connection_id)
    url = f"{api_url}/psp/stripe/{connection}/notices"
    async with http.post(
        f"{sandbox_url}/v1/webhook_endpoints",
        headers={"Authorization": f"Bearer {psp_key}"},
        data={"url": url, "enabled_events[0]": "*", "api_version": "2026-10-28.endive"},
    ) as response:
        endpoint = await response.json()
    await add_secret(rt, merchant.merchant_id, connection_id, Secret(endpoint["secret"]))
    return connection_id


__all__ = ["Stage", "connect_psp", "create_merchant", "fresh_psp_key", "re", "serving", "working"]
