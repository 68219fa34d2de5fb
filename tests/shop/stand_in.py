"""The payment API as the shop sees it, in one process: design rules, none of the machinery."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from standardwebhooks import Webhook

from payloom.shop.returns import sign

API_KEY = "sk_test_0123456789abcdef0123456789abcdef"
RETURN_SECRET = "rs_a_secret_with_ümlaut"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAY_PAGE = "<!doctype html><link rel=icon href=data:,><h1>The payment page</h1>"


@dataclass
class StandIn:
    """Answers as the API does; tests set what should go differently."""

    url: str = ""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    timelines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # (key, body)
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)  # by key
    taken: set[str] = field(default_factory=set)
    unregistered: int = 0  # how many GETs still show no URL
    answer: tuple[int, dict[str, Any]] | None = None  # what POST says instead
    before_answering: Callable[[dict[str, Any]], Awaitable[object]] | None = None
    has_timeline: bool = True
    cancel_status: int = 200  # 202: the PSP has not said that the page is dead; 503: we are away

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/payment-orders", self._register)
        app.router.add_get("/v1/payment-orders/{id}", self._show)
        app.router.add_post("/v1/payment-orders/{id}/cancel", self._cancel)
        app.router.add_get("/v1/payment-orders/{id}/timeline", self._timeline)
        app.router.add_get("/pay/{id}", self._pay)
        return app

    def note(self, order_id: str, kind: str, summary: str, **data: Any) -> None:
        at = datetime.now(UTC).isoformat()
        entry = {"at": at, "kind": kind, "summary": summary, "cause": "", "data": data}
        self.timelines.setdefault(order_id, []).append(entry)

    def settle(self, order_id: str, status: str) -> dict[str, Any]:
        """The PSP's notice is in: the order moves, and nobody is told yet."""
        self.note(order_id, "notice.received", "checkout.session.completed arrived, verified.")
        self.orders[order_id]["payment_order_status"] = status
        self.note(order_id, "state.changed", f"The order is {status}", to=status)
        if status == "SUCCEEDED":
            self.note(order_id, "posting.written", "captured: 14.50 EUR, balanced.")
        return self.orders[order_id]

    def return_url(self, order_id: str, status: str, *, cancelled: bool = False) -> str:
        """Where the API sends the shopper, signed."""
        order, now = self.orders[order_id], str(int(time.time()))
        query = {
            "payment_order_id": order_id,
            "reference": order["reference"],
            "payment_order_status": status,
            "timestamp": now,
            "signature": sign(f"{order_id}.{order['reference']}.{status}.{now}", RETURN_SECRET),
        }
        return f"{order['cancel_url' if cancelled else 'return_url']}&{urlencode(query)}"

    async def _register(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {API_KEY}":
            return _problem(401, "unauthorized")
        body = await request.json()
        key = request.headers["Idempotency-Key"]
        self.requests.append((key, body))
        if self.answer:
            return web.json_response(self.answer[1], status=self.answer[0])
        if body["reference"] in self.taken:
            return _problem(409, "reference_conflict")
        if key in self.answers:  # the first answer once more, however old
            status, first = self.answers[key]
            return web.json_response(first, status=status)
        known = next((o for o in self.orders.values() if o["reference"] == body["reference"]), None)
        order = known or self._new_order(body)
        if self.before_answering:
            await self.before_answering(order)
        if not order["redirect_url"]:
            return web.json_response(order, status=202)
        self.answers[key] = (201, dict(order))
        return web.json_response(order, status=201)

    def _new_order(self, body: dict[str, Any]) -> dict[str, Any]:
        items = body["line_items"]
        assert body["amount"] == sum(item["quantity"] * item["unit_amount"] for item in items)
        id_ = f"po_{len(self.orders) + 1:026d}"
        waits = self.unregistered > 0
        self.orders[id_] = body | {
            "id": id_,
            "payment_order_status": "CREATED" if waits else "PENDING",
            "redirect_url": None if waits else f"{self.url}/pay/{id_}",
        }
        self.note(id_, "request.received", "POST /v1/payment-orders")
        self.note(id_, "psp.called", "POST /v1/checkout/sessions")
        self.note(id_, "psp.answered", "200 after 41 ms: cs_test_a1")
        self.note(id_, "attempt.opened", "The token is stored, the attempt is OPEN.")
        return self.orders[id_]

    async def _show(self, request: web.Request) -> web.Response:
        order = self.orders.get(request.match_info["id"])
        if order is None:
            return _problem(404, "not_found")
        if self.unregistered > 0:
            self.unregistered -= 1
        elif order["payment_order_status"] == "CREATED":
            url = f"{self.url}/pay/{order['id']}"
            order |= {"payment_order_status": "PENDING", "redirect_url": url}
        return web.json_response(order)

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self.orders[request.match_info["id"]]
        if self.cancel_status == 503:
            return _problem(503, "unavailable")
        if order["payment_order_status"] not in ("CREATED", "PENDING", "CANCELED"):
            return _problem(409, "not_cancelable")
        order["redirect_url"] = None
        if self.cancel_status == 200:
            order["payment_order_status"] = "CANCELED"
            self.note(order["id"], "state.changed", "The page was ended", to="CANCELED")
        return web.json_response(order, status=self.cancel_status)

    async def _timeline(self, request: web.Request) -> web.Response:
        if not self.has_timeline:
            return _problem(404, "not_found")
        return web.json_response({"data": self.timelines[request.match_info["id"]], "next": []})

    async def _pay(self, request: web.Request) -> web.Response:
        return web.Response(text=PAY_PAGE, content_type="text/html")


def event(order: dict[str, Any], type_: str, sequence: int, id_: str = "") -> dict[str, Any]:
    return {
        "id": id_ or f"evt_{order['id']}_{sequence}",
        "type": type_,
        "timestamp": datetime.now(UTC).isoformat(),
        "sequence": sequence,
        "data": dict(order),
    }


def signed(
    body: dict[str, Any], secret: str = WEBHOOK_SECRET, at: datetime | None = None
) -> tuple[bytes, dict[str, str]]:
    """The bytes and headers of a delivery."""
    at = at or datetime.now(UTC)
    text = json.dumps(body)
    signature = Webhook(secret).sign(msg_id=body["id"], timestamp=at, data=text)
    return text.encode(), {
        "content-type": "application/json",
        "webhook-id": body["id"],
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


async def deliver(shop_url: str, body: dict[str, Any]) -> int:
    """Send an event as the API would; answers the status."""
    data, headers = signed(body)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{shop_url}/webhooks", data=data, headers=headers) as answer,
    ):
        return answer.status


def _problem(status: int, code: str) -> web.Response:
    problem = {"type": "about:blank", "title": code, "status": status, "code": code, "errors": []}
    return web.json_response(problem, status=status, content_type="application/problem+json")


@asynccontextmanager
async def running() -> AsyncIterator[StandIn]:
    """A stand-in on a free port."""
    stand_in = StandIn()
    runner = web.AppRunner(stand_in.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stand_in
    finally:
        await runner.cleanup()
