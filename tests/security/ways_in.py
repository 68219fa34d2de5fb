"""Canaries, and every way in that somebody could send one by: a shop, a shopper, a PSP, a receiver,
an operator."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.connectors.wire import Wire
from tests.scenarios.telling import signed
from tests.security import forms
from tests.security.forms import Canary
from tests.security.house import House
from tests.security.load import CARD, psp

# One card for each way in, so that a hit says which it was; the sandbox takes all of them.
CARDS = {
    "field": "5105105105105100",
    "header": "6011000990139424",
    "notice": "3566002020360505",
    "page": "4242424242424242",
    "declined": "4000000000000002",
    "psp answer": "5200828282828210",
    "command": "371449635398431",
    "receiver": "36227206271667",
}
CVC = "7391"
ORDERS = "/v1/payment-orders"


def written(number: str) -> list[str]:
    """As people write it."""
    fours = [number[at : at + 4] for at in range(0, len(number), 4)]
    return [number, " ".join(fours), "-".join(fours)]


def cards() -> list[Canary]:
    return [*(forms.card(f"card by {way}", number) for way, number in CARDS.items()),
            forms.code("cvc", CVC)]  # fmt: skip


@dataclass(slots=True)
class Outside:
    """Everybody who is not us. All that we answer them is kept."""

    http: aiohttp.ClientSession
    api: str
    sandbox: str
    api_key: str
    psp_key: str
    connection: str
    hook: str
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    numbers: int = 0

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.api_key}", **options.pop("headers", {})}
        async with self.http.request(
            method, self.api + path, headers=headers, allow_redirects=False, **options
        ) as response:
            body = await response.read()
        told = repr(response.headers).encode() + body
        self.answers.append((f"answer to {method} {path[:40]}", told))
        return response.status, body

    def wanted(self, **changes: Any) -> dict[str, Any]:
        self.numbers += 1
        return {"reference": f"S-{self.numbers}", "amount": 4999, "currency": "EUR",
                "return_url": "http://127.0.0.1/shop/return", **changes}  # fmt: skip

    async def order(self, **changes: Any) -> dict[str, Any]:
        status, body = await self.call("POST", ORDERS, json=self.wanted(**changes))
        assert status in (201, 202), body
        made: dict[str, Any] = json.loads(body)
        return made

    async def shown(self, order: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self.call("GET", f"{ORDERS}/{order['id']}"))[1])
        return found

    async def tell(self, body: bytes, *, secret: str = "", **headers: str) -> int:
        """Call the notices route as the PSP, or as somebody who is not."""
        sent = {"Stripe-Signature": signed(body, secret=secret or self.hook), **headers}
        path = f"/psp/stripe/{self.connection}/notices"
        status, _ = await self.call("POST", path, data=body, headers=sent)
        return status


# --- a shop ------------------------------------------------------------------------------------


def fields_of(text: str) -> Iterator[dict[str, Any]]:
    """Every field of an order that takes a text."""
    url = f"https://shop.example/{text}".replace(" ", "%20")
    yield {"reference": text}
    yield {"reference": f"order {text}"}
    yield {"description": f"paid with {text}"}
    yield {"return_url": f"{url}?card={text}".replace(" ", "%20")}
    yield {"cancel_url": url}
    yield {"customer": {"id": text}}
    yield {"customer": {"name": f"Ada {text}"}}
    yield {"customer": {"email": f"{text.replace(' ', '.')}@shop.example"}}
    yield {"metadata": {"note": text}}
    if len(text) <= 40:
        yield {"metadata": {text: "note"}}
    yield {"line_items": [{"name": text, "quantity": 1, "unit_amount": 4999}]}
    yield {"psp": text}
    yield {"locale": text}
    yield {"currency": text}
    yield {text: 1}


async def by_fields(outside: Outside, *more: str) -> None:
    """All of them are refused."""
    for text in (*written(CARDS["field"]), *more):
        for changes in fields_of(text):
            status, body = await outside.call("POST", ORDERS, json=outside.wanted(**changes))
            assert status == 422, (changes, body)
    for name in ("cvc", "CVV", "security_code"):
        wanted = outside.wanted(metadata={name: CVC})
        assert (await outside.call("POST", ORDERS, json=wanted))[0] == 422, name
    card = CARDS["field"]
    for raw in (f'{{"reference": "{card}", "cvc": "{CVC}"', f'{{"a": {card}, "a": {card}}}',
                f'{card}', f'"{card}', "[" * 200 + card):  # fmt: skip
        headers = {"Content-Type": "application/json"}
        status, _ = await outside.call("POST", ORDERS, data=raw, headers=headers)
        assert status in (400, 422), raw
    assert (await outside.call("POST", ORDERS, data={"card[number]": card}))[0] == 415
    assert (await outside.call("POST", ORDERS, data=card.encode() * 9_000))[0] in (413, 415)
    hook = {"url": f"https://shop.example/hooks/{card}"}
    assert (await outside.call("POST", "/v1/webhook-endpoints", json=hook))[0] == 422


async def by_headers(outside: Outside, *more: str) -> None:
    """In the path, the query, and headers that we look at or pass over."""
    for text in (*written(CARDS["header"]), *more):
        plain = text.replace(" ", "-")
        key = {"Idempotency-Key": plain}
        assert (await outside.call("POST", ORDERS, json=outside.wanted(), headers=key))[0] == 422
        named = {"X-Request-Id": plain, "User-Agent": text, "Referer": f"https://a/{plain}",
                 "Cookie": f"card={plain}", "X-Forwarded-For": plain, "X-Card": text}  # fmt: skip
        assert (await outside.call("POST", ORDERS, json=outside.wanted(), headers=named))[0] == 201
        bearer = {"Authorization": f"Bearer {text}"}
        assert (await outside.call("GET", ORDERS, headers=bearer))[0] == 401
        await outside.call("GET", f"{ORDERS}/{plain}")
        await outside.call("GET", f"{ORDERS}?customer={plain}&reference={plain}&limit={plain}")
        await outside.call("GET", f"/{plain}?card={plain}")
        await outside.call("GET", f"/return/{plain}?t={plain}")
        await outside.call("POST", f"/psp/{plain}/{plain}/notices", data=text.encode())
        await outside.call(plain[:4].translate(str.maketrans("0123456789", "ABCDEFGHIJ")), "/")


async def by_return(outside: Outside, order: dict[str, Any], back: str) -> None:
    """The shopper's way back, with more than belongs there."""
    card = CARDS["header"]
    status, _ = await outside.call("POST", f"{back}&card={card}", data={"card": card, "cvc": CVC})
    assert status == 303
    assert order["id"]


# --- a PSP -------------------------------------------------------------------------------------


def echoing(thing: dict[str, Any]) -> bytes:
    """A PSP's event about `thing`, with a card number wherever one could be echoed, and long
    enough to be compressed by whoever compresses."""
    card, spaced, dashed = written(CARDS["notice"])
    more = {
        "customer_details": {"name": f"Ada {card}", "phone": dashed, "email": f"{card}@a.example"},
        "metadata": {**thing.get("metadata", {}), "note": spaced, card: "as a name"},
        "card": {"number": card, "cvc": CVC, "cvv": int(CVC)},
        "as_number": int(card),
        "nested": json.dumps({"number": card, "cvc": CVC}),
        "escaped": "ESCAPED",
        "list": [card, [spaced, {"deep": dashed}]],
        "padding": "all work and no play " * 400,
    }
    event = {"id": f"evt_{secrets.token_hex(12)}", "object": "event", "livemode": False,
             "type": "checkout.session.completed", "created": int(time.time()),
             "data": {"object": {**thing, **more}}}  # fmt: skip
    escaped = "".join(f"\\u{ord(char):04x}" for char in card)
    return json.dumps(event).replace("ESCAPED", escaped).encode()


async def by_notices(outside: Outside, session: dict[str, Any]) -> None:
    """Genuine and forged, readable and not; the first of them is about a page that was paid."""
    card = CARDS["notice"]
    assert await outside.tell(echoing(session)) == 200
    for body in (
        f"card={card}&cvc={CVC}", f'["{card}"', f'{{"id": "{card}", "type": "{card}"}}',
        f'{{"object": "event", "id": "{card}", "type": "a", "livemode": false}}',
        f'{{"object": "event", "id": "evt_1", "type": "{card}", "livemode": false}}',
        f'{{"object": "event", "id": "evt_2", "type": "customer.updated", "x": "{card}"}}',
        f'{{"object": "event", "id": "evt_3", "type": "checkout.session.completed", "x": {card}}}',
    ):  # fmt: skip
        assert await outside.tell(body.encode()) == 200, body
        assert await outside.tell(body.encode(), secret=f"whsec_{card}") == 400
        assert await outside.tell(body.encode(), **{"Stripe-Signature": card}) == 400


def answer_with_a_card(wire: Wire, kind: str) -> None:
    """How a PSP could answer a registration."""
    card = CARDS["psp answer"]
    error = {"type": "invalid_request_error", "code": card, "param": card,
             "message": f"Your card {card} with cvc {CVC} was refused"}  # fmt: skip
    session = {"id": card, "object": "checkout.session", "url": f"https://psp.example/{card}"}
    answers: dict[str, tuple[int, object]] = {
        "refused": (400, {"error": error}),
        "unknown": (500, {"error": error}),
        "token": (200, session),
        "no JSON": (502, f"<h1>{card}</h1>"),
    }
    status, body = answers[kind]
    wire.answer(status, json.dumps(body).encode(), f"X-Card: {card}", "Request-Id: req_1")


# --- a shopper ---------------------------------------------------------------------------------


async def by_page(outside: Outside, session: dict[str, Any], number: str) -> dict[str, Any]:
    """Pay on the hosted page with a card whose number is typed into other fields, too."""
    http, sandbox, key = outside.http, outside.sandbox, outside.psp_key
    form = {**CARD, "card[number]": number, "card[cvc]": CVC[:3],
            "billing_details[name]": f"Ada {number}", "billing_details[phone]": number}  # fmt: skip
    method = await psp(http, sandbox, key, "/v1/payment_methods", data=form)
    path = f"/v1/payment_pages/{session['id']}/confirm"
    headers = {"Authorization": f"Bearer {key}"}
    data = {"payment_method": method["id"]}
    async with http.post(sandbox + path, headers=headers, data=data) as response:
        told: dict[str, Any] = await response.json()
    typed = {"cardNumber": f"{number[:4]} {number[4:]}", "cardCvc": CVC, "billingName": number,
             "email": f"{number}@shop.example"}  # fmt: skip
    async with http.post(f"{sandbox}/c/pay/{session['id']}", data=typed) as response:
        assert response.status < 500
    return told


# --- a merchant's receiver ---------------------------------------------------------------------


async def answering_with_a_card(_request: web.Request) -> web.StreamResponse:
    """As a broken shop might."""
    card = CARDS["receiver"]
    return web.Response(status=500, headers={"X-Card": card}, reason=f"Card {card}",
                        text=f"no such card: {card}, cvc={CVC}")  # fmt: skip


# --- an operator -------------------------------------------------------------------------------


async def by_commands(house: House, merchant: str, connection: str) -> None:
    """Slips at the keyboard: all refused, and none quoted."""
    card = CARDS["command"]
    whose = ("--merchant", merchant)
    for command, given in (
        (("merchants", "create", f"Shop {card}", "--mode", "test"), {}),
        (("keys", "create", *whose, "--name", card), {}),
        (("connections", "add", "stripe", *whose), {"STRIPE_API_KEY": card}),
        (("connections", "add", "stripe", *whose, "--api-base", f"https://psp.example/{card}"),
         {"STRIPE_API_KEY": "sk_test_51HabcDEFghi"}),
        (("connections", "add-secret", connection, *whose), {"STRIPE_WEBHOOK_SECRET": card}),
        (("webhook-endpoints", "create", *whose, "--url", f"https://shop.example/{card}"), {}),
    ):  # fmt: skip
        ended = await house.run(*command, **given)
        assert ended.code == 2, (command, ended.err)
        assert card not in ended.out + ended.err
