"""A merchant's shop that loses no answer: it asks again until it has one, and remembers it."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web
from standardwebhooks import Webhook

from tests.scenarios.stage import Reply, Stage
from tests.webhooks.receiver import Receiver

ORDERS = "/v1/payment-orders"
PAUSE_S = 0.05
TICKS_PATIENCE = 80  # of chain.TICK_S and more: longer than any job or retry takes
PASSING = "/passing"  # where endpoints that come and go listen


@dataclass
class Shop:
    """`answers` holds every final answer by its idempotency key, `odd` what no crash explains."""

    stage: Stage
    receiver: Receiver
    webhook_secret: str
    is_swept: bool = False  # somebody reads the PSP's event list, so webhooks may be lost
    mute: "Shop | None" = None  # one whose PSP never hears anything
    shunned: "Shop | None" = None  # one whose PSP refuses everything
    answers: dict[str, set[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(set))
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    ticks: int = 0  # counted by whoever lets time pass
    is_closing: bool = False  # nobody waits for anything any more
    happened: Callable[[], bool] = bool  # is told of each delivery before it is answered

    @property
    def all(self) -> list["Shop"]:
        return [each for each in (self, self.mute, self.shunned) if each is not None]

    async def insist(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        """Ask until there is an answer."""
        while True:
            try:
                reply = await send()
            except (aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(PAUSE_S)
                continue
            if not _is_undone(reply):
                break
            await asyncio.sleep(PAUSE_S)
        if reply.status >= 500:
            self.odd.append(f"answered {reply.status}: {reply.body[:200]!r}")
        return reply

    async def ask_for(self, **changes: Any) -> dict[str, Any] | None:
        """The order once its page is open; None if the PSP refused to make one."""
        wanted = self.stage.wanted(**changes)
        self.requests[wanted["reference"]] = wanted
        reply = await self.ask_once(wanted["reference"])
        async for _ in self._patiently():
            if reply.status >= 400 or reply.json["payment_order_status"] != "CREATED":
                break
            reply = await self.insist(partial(self.stage.get, f"{ORDERS}/{reply.json['id']}"))
        if reply.status >= 400 or not reply.json["redirect_url"]:
            return None
        return dict(reply.json)

    async def post(self, path: str, body: dict[str, Any]) -> Reply:
        """Under a key of its own, as often as needed."""
        key = {"Idempotency-Key": secrets.token_hex(8)}
        return await self.insist(lambda: self.stage.post(path, body, **key))

    async def ask_once(self, key: str) -> Reply:
        """The request of this name, under it as its key, as often as needed."""
        request = self.requests[key]
        headers = {"Idempotency-Key": key}
        reply = await self.insist(lambda: self.stage.post(ORDERS, request, **headers))
        if reply.status != 202:
            self.answers[key].add((reply.status, reply.body))
        return reply

    async def visit(self, url: str) -> None:
        """As the shopper's browser comes back from the PSP."""
        path = url.removeprefix(self.stage.api_url)
        reply = await self.insist(lambda: self.stage.send("GET", path, key=None))
        if reply.status != 303:
            self.odd.append(f"the return answered {reply.status}: {reply.body[:200]!r}")

    async def take(self, request: web.Request) -> web.StreamResponse:
        """A delivery: genuine, or odd."""
        body = await request.read()
        self.happened()
        if request.path.endswith(PASSING):
            return web.Response()
        try:
            Webhook(self.webhook_secret).verify(body, dict(request.headers))
        except Exception as forged:
            self.odd.append(f"a delivery does not verify: {forged!r}")
        return web.Response()

    async def until_told(self, order_id: str) -> None:
        """Wait until an event tells that the order has come to its end, or so long as a person
        would: what was never told is for the judge."""
        async for _ in self._patiently():
            if any(_tells_end(got.body, order_id) for got in self.receiver.got):
                break

    async def _patiently(self) -> AsyncIterator[None]:
        until = self.ticks + TICKS_PATIENCE
        while self.ticks < until and not self.is_closing:
            yield
            await asyncio.sleep(PAUSE_S)


def _is_undone(reply: Reply) -> bool:
    """Nobody could do it, or somebody is still at it: ask again."""
    is_running = reply.status == 409 and reply.json["code"] == "idempotency_key_in_use"
    return is_running or reply.status in (429, 503)


def _tells_end(body: bytes, order_id: str) -> bool:
    return order_id.encode() in body and b'"type":"payment_order.registered"' not in body
