"""One payment as the outside sees it: the shop asks, the shopper pays, the shop is told."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

TOLD_WITHIN_S = 60.0
COUNTED = ("offered", "registered", "completed", "broken")
CARD = {
    "type": "card",
    "card[number]": "4242424242424242",
    "card[exp_month]": "12",
    "card[exp_year]": "2034",
    "card[cvc]": "123",
}


@dataclass(frozen=True, slots=True)
class Where:
    """Who is driven, and with which keys."""

    api_url: str
    api_key: str
    sandbox_url: str
    psp_key: str
    run: str  # makes references of this run unlike any other's
    with_return: bool  # the shopper also comes back through our return route


@dataclass(slots=True)
class Payment:
    """How far one payment got. Times are seconds since it was due to begin."""

    phase: str
    due: float
    order: str | None = None
    registered_s: float | None = None
    confirmed_s: float | None = None
    told_s: float | None = None
    problem: str | None = None


class Broken(Exception):
    """A step was not answered as it should be."""


@dataclass(slots=True)
class Street:
    """Where shoppers walk: connections, and who waits to be told that an order is paid."""

    where: Where
    http: aiohttp.ClientSession
    waiting: dict[str, "asyncio.Future[float]"] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTED, 0)))

    async def pay(self, payment: Payment, number: int) -> None:
        """All steps; what goes wrong is noted in the payment."""
        self.counts["offered"] += 1
        try:
            order = await self._register(payment, number)
            self.counts["registered"] += 1
            told = asyncio.get_running_loop().create_future()
            self.waiting[order["id"]] = told
            await self._confirm(order["attempts"][0]["token"])
            payment.confirmed_s = time.monotonic() - payment.due
            if self.where.with_return:
                await self._come_back(order)
            payment.told_s = await asyncio.wait_for(told, TOLD_WITHIN_S) - payment.due
            self.counts["completed"] += 1
        except (aiohttp.ClientError, TimeoutError, OSError, Broken) as broken:
            self.counts["broken"] += 1
            payment.problem = f"{type(broken).__name__}: {broken}"[:200]
        finally:
            self.waiting.pop(payment.order or "", None)

    def told(self, order: str) -> None:
        """The shop's endpoint heard that this order is paid."""
        waiting = self.waiting.get(order)
        if waiting is not None and not waiting.done():
            waiting.set_result(time.monotonic())

    async def _register(self, payment: Payment, number: int) -> dict[str, Any]:
        reference = f"{self.where.run}-{number}"
        order = await self._call(
            "POST",
            f"{self.where.api_url}/v1/payment-orders",
            {"Authorization": f"Bearer {self.where.api_key}", "Idempotency-Key": reference},
            json=_wanted(reference, number),
        )
        payment.order = order["id"]
        while order["redirect_url"] is None:  # answered 202: the PSP took its time
            await asyncio.sleep(1)
            order = await self._read(order["id"])
        payment.registered_s = time.monotonic() - payment.due
        return order

    async def _read(self, order: str) -> dict[str, Any]:
        key = {"Authorization": f"Bearer {self.where.api_key}"}
        return await self._call("GET", f"{self.where.api_url}/v1/payment-orders/{order}", key)

    async def _confirm(self, token: str) -> None:
        """What the hosted page does when the shopper presses its button."""
        key = {"Authorization": f"Bearer {self.where.psp_key}"}
        methods = f"{self.where.sandbox_url}/v1/payment_methods"
        method = await self._call("POST", methods, key, data=CARD)
        await self._call(
            "POST",
            f"{self.where.sandbox_url}/v1/payment_pages/{token}/confirm",
            key,
            data={"payment_method": method["id"]},
        )

    async def _come_back(self, order: Mapping[str, Any]) -> None:
        """Through the success link that the PSP was given at registration."""
        key = {"Authorization": f"Bearer {self.where.psp_key}"}
        token = order["attempts"][0]["token"]
        session = await self._call(
            "GET", f"{self.where.sandbox_url}/v1/checkout/sessions/{token}", key
        )
        async with self.http.get(session["success_url"], allow_redirects=False) as response:
            await response.read()
            if response.status not in (302, 303):
                raise Broken(f"the return route answered {response.status}")

    async def _call(
        self, method: str, url: str, headers: Mapping[str, str], **options: Any
    ) -> dict[str, Any]:
        async with self.http.request(method, url, headers=headers, **options) as response:
            if response.status not in (200, 201, 202):
                raise Broken(f"{response.status} {(await response.text())[:150]}")
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer


def _wanted(reference: str, number: int) -> dict[str, Any]:
    """The body a small shop sends: two lines, a customer, a note of its own."""
    return {
        "reference": reference,
        "amount": 4999,
        "currency": "EUR",
        "return_url": "http://127.0.0.1/shop/return",
        "cancel_url": "http://127.0.0.1/shop/cart",
        "description": "Beans and a dripper",
        "line_items": [
            {"name": "Morning blend, 1 kg", "quantity": 2, "unit_amount": 1500},
            {"name": "Dripper", "quantity": 1, "unit_amount": 1999},
        ],
        "customer": {"id": f"c-{number % 500}", "email": "ada@example.com"},
        "metadata": {"cart": reference},
    }
