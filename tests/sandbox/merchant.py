"""A merchant who uses the sandbox with the official SDK, and a shopper who pays by form."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

import aiohttp
import stripe

from payloom.sandbox.stripe.methods.debits import DEBITS, parts

Json = dict[str, Any]

DAY = 86_400
VISA = "4242424242424242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
SECURE = "4000000000003220"
SECURE_THEN_DECLINED = "4000008400001629"
SHOPPER = {"email": "jo@example.com", "billingName": "Jo Weaver", "billingCountry": "IE"}
SUCCESS_URL = "http://127.0.0.1:9/paid?session={CHECKOUT_SESSION_ID}"
CANCEL_URL = "http://127.0.0.1:9/cart"


class Merchant:
    def __init__(self, url: str, http: aiohttp.ClientSession, key: str | None = None) -> None:
        self.url = url
        self.http = http
        self.key = key or f"sk_test_{secrets.token_hex(12)}"
        client = stripe.AIOHTTPClient(timeout=15, session=http)
        self.stripe = stripe.StripeClient(
            self.key, http_client=client, base_addresses={"api": url}, max_network_retries=0
        )
        self.sessions = self.stripe.v1.checkout.sessions

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def order(self, amount: int = 1999, currency: str = "eur", **more: Any) -> Any:
        """A checkout session as the SDK's object."""
        params: Any = {**order(amount, currency), **more}
        return await self.sessions.create_async(params)

    async def post(
        self, path: str, form: Mapping[str, str] | None = None, **headers: str
    ) -> tuple[int, Json, Mapping[str, str]]:
        """A call without the SDK: status, body, headers."""
        wire = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(
            self.url + path, data=form, headers={**self.auth, **wire}
        ) as answer:
            return answer.status, await answer.json(), answer.headers

    async def get(self, path: str, **headers: str) -> tuple[int, Json]:
        wire = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.get(self.url + path, headers={**self.auth, **wire}) as answer:
            return answer.status, await answer.json()

    async def fault(self, path: str, effect: str, **more: Any) -> None:
        order = {"path": path, "effect": effect, **more}
        async with self.http.post(
            f"{self.url}/_sandbox/faults", json=order, headers=self.auth
        ) as answer:
            assert answer.status == 201, await answer.text()

    async def log(self) -> list[Json]:
        async with self.http.get(f"{self.url}/_sandbox/log", headers=self.auth) as answer:
            entries: list[Json] = await answer.json()
            return entries

    async def deliveries(self, wait_s: int = 0) -> list[Json]:
        """Each try to deliver a webhook, oldest first; once none is under way any more."""
        url = f"{self.url}/_sandbox/deliveries?wait_s={wait_s}"
        async with self.http.get(url, headers=self.auth) as answer:
            tries: list[Json] = await answer.json()
            return tries

    async def advance(self, seconds: float) -> Json:
        async with self.http.post(
            f"{self.url}/_sandbox/clock/advance", json={"seconds": seconds}, headers=self.auth
        ) as answer:
            assert answer.status == 200, await answer.text()
            clock: Json = await answer.json()
            return clock

    async def to_midnight(self, days: int = 0) -> None:
        """To a moment after the next midnight UTC, or one of those after it."""
        now = (await self.advance(0))["now"]
        await self.advance(DAY - now % DAY + 1 + days * DAY)

    async def keep_balance(self) -> None:
        """Nothing is paid out by itself from now on."""
        order = {"automatic": False}
        async with self.http.post(
            f"{self.url}/_sandbox/payouts", json=order, headers=self.auth
        ) as answer:
            assert answer.status == 200, await answer.text()

    async def state(self, session: Any) -> tuple[Any, Any, Any]:
        """The session, its payment intent, and the newest charge, as they are now."""
        paths = ["payment_intent.latest_charge"]
        found: Any = await self.sessions.retrieve_async(session.id, {"expand": paths})
        return found, found.payment_intent, found.payment_intent.latest_charge

    async def listen(self, url: str, events: list[str] | None = None, **more: Any) -> Any:
        """A webhook endpoint, for all events unless some are named."""
        params: Any = {"url": url, "enabled_events": events or ["*"], **more}
        return await self.stripe.v1.webhook_endpoints.create_async(params)

    async def events(self) -> list[str]:
        """Types of all events so far, oldest first."""
        found = await self.stripe.v1.events.list_async({"limit": 100})
        return [event.type for event in reversed(found.data)]

    async def confirm(self, session_id: str, payment_method: str, **more: str) -> Json:
        """Pay without the page; the answer's body, whatever its status."""
        form = {"payment_method": payment_method, **more}
        _, body, _ = await self.post(f"/v1/payment_pages/{session_id}/confirm", form)
        return body


class Page:
    """One tab of a shopper's browser without JavaScript."""

    def __init__(self, http: aiohttp.ClientSession, url: str, reads: str = "") -> None:
        self._http = http
        self._reads = {"Accept-Language": reads} if reads else {}
        self.url = url
        self.status = 0
        self.html = ""
        self.headers: Mapping[str, str] = {}
        self._token = ""

    async def open(self, url: str | None = None) -> "Page":
        async with self._http.get(
            url or self.url, headers=self._reads, allow_redirects=False
        ) as answer:
            self.status, self.html, self.headers = (
                answer.status,
                await answer.text(),
                answer.headers,
            )
        self.token()
        return self

    async def pay(self, number: str, **fields: str) -> str:
        """Send the card form; where it leads, "" for a page shown at once."""
        card = {"cardNumber": number, "cardExpiry": "12 / 34", "cardCvc": "123"}
        return await self.submit(self.url, {**SHOPPER, **card, **fields})

    async def pay_by_account(self, type_: str, number: str, **fields: str) -> str:
        """Send a bank account, written as the sandbox's table writes it."""
        account = {f"{type_}_{k}": v for k, v in parts(DEBITS[type_], number).items()}
        return await self._delayed(type_, {**account, **fields})

    async def pay_by_voucher(self, type_: str, email: str, **fields: str) -> str:
        return await self._delayed(type_, {"email": email, **fields})

    async def _delayed(self, type_: str, fields: Mapping[str, str]) -> str:
        named = {"email": SHOPPER["email"], f"{type_}_name": "Jo Weaver", "method": type_}
        return await self.submit(self.url, {**named, **fields})

    async def pay_elsewhere(self, type_: str, **fields: str) -> str:
        """Choose a method that leads away; `decide` is what the shopper does there."""
        return await self.submit(self.url, {"method": type_, "email": SHOPPER["email"], **fields})

    async def authenticate(self, action: str) -> str:
        return await self.submit(f"{self.url}/authenticate", {"action": action})

    async def submit(self, url: str, fields: Mapping[str, str], **headers: str) -> str:
        form = {"token": self.token(), **fields}
        async with self._http.post(
            url, data=form, headers={**self._reads, **headers}, allow_redirects=False
        ) as answer:
            self.status, self.html, self.headers = (
                answer.status,
                await answer.text(),
                answer.headers,
            )
        return self.headers.get("Location", "")

    def token(self) -> str:
        """The token of the last page that had a form."""
        if match := re.search(r'name="token" value="([^"]+)"', self.html):
            self._token = match[1]
        return self._token


def order(amount: int = 1999, currency: str = "eur") -> Json:
    item = {
        "price_data": {
            "currency": currency,
            "unit_amount": amount,
            "product_data": {"name": "Blue mug", "description": "Stoneware"},
        },
        "quantity": 1,
    }
    return {
        "mode": "payment",
        "line_items": [item],
        "success_url": SUCCESS_URL,
        "cancel_url": CANCEL_URL,
    }


def form(amount: str = "1999", currency: str = "eur", **more: str) -> dict[str, str]:
    """The same order as a form body, for calls without the SDK."""
    item = "line_items[0]"
    return {
        "mode": "payment",
        f"{item}[price_data][currency]": currency,
        f"{item}[price_data][unit_amount]": amount,
        f"{item}[price_data][product_data][name]": "Blue mug",
        f"{item}[quantity]": "1",
        "success_url": SUCCESS_URL,
        **more,
    }
