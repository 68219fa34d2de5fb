"""Connectors, talking to the sandbox or to a server that says anything."""

import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from payloom.connectors.breaker import Breaker
from payloom.connectors.contract import (
    AttemptRef,
    Connector,
    LineItem,
    Registered,
    Registration,
)
from payloom.connectors.gate import Gate
from payloom.connectors.http import new_session
from payloom.connectors.pace import Rates
from payloom.connectors.spec import Credentials
from payloom.connectors.stripe import CONNECTOR
from payloom.core import ids
from payloom.core.money import Money
from payloom.core.secret import Secret
from tests.connectors import wire as wires
from tests.connectors.wire import Wire


def a_registration(**changes: Any) -> Registration:
    """A page for 49.99 EUR, its ids fresh."""
    values: dict[str, Any] = {
        "attempt": ids.text("att", ids.new()),
        "payment_order": ids.text("po", ids.new()),
        "reference": "W-1 & more",
        "amount": Money(4999, "EUR"),
        "method_types": (),
        "line_items": (LineItem("Beans", 1, 4999),),
        "description": "Beans from Huehuetenango – 250 g",
        "customer_email": "ada@example.com",
        "locale": "de",
        "success_url": "https://pay.example/return/att?t=00",
        "cancel_url": "https://pay.example/return/att?t=00&canceled=1",
        "expires_at": datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1),
        **changes,
    }
    return Registration(**values)


def connector_at(
    url: str, http: aiohttp.ClientSession, key: str, *webhook_secrets: str, gate: Gate | None = None
) -> Connector:
    held = {"api_key": Secret(key)}
    for number, secret in enumerate(webhook_secrets, 1):
        held["webhook_secret" if number == 1 else f"webhook_secret_{number}"] = Secret(secret)
    return CONNECTOR.build(Credentials(held, url), http, gate or open_gate())


def open_gate(**options: Any) -> Gate:
    """A gate without a breaker, for what must reach the PSP whatever it answered before."""
    return Gate("con_1", "stripe", Rates(), breaker=Breaker(trip_at=10**9), **options)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with new_session() as session:
        yield session


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with wires.opened() as wire:
        yield wire


@pytest.fixture
def at_wire(wire: Wire, http: aiohttp.ClientSession) -> Connector:
    """The connector whose PSP is the wire."""
    return connector_at(wire.url, http, "sk_test_" + "a" * 24, "whsec_" + "a" * 32)


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "payloom.sandbox", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
    yield url.rstrip("/")
    process.terminate()
    process.wait(10)
    process.stdout.close()


@dataclass(slots=True)
class Psp:
    """A tenant of the sandbox, and a connector that knows nothing but its key."""

    connector: Connector
    url: str
    key: str
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """What a shopper, the PSP itself or a tester does there."""
        headers = {"Authorization": f"Bearer {self.key}"}
        async with self.http.request(method, self.url + path, headers=headers, **options) as answer:
            return await answer.json()

    async def fault(self, path: str, effect: str, **more: Any) -> None:
        body = {"path": path, "effect": effect, **more}
        await self.call("POST", "/_sandbox/faults", json=body)

    async def registered(self, **changes: Any) -> tuple[AttemptRef, Registered]:
        registration = a_registration(**changes)
        rendered = self.connector.render(registration, registration.attempt)
        outcome = await self.connector.register(rendered)
        assert isinstance(outcome, Registered), outcome
        return AttemptRef(registration.attempt, outcome.token), outcome

    async def pay(self, token: str, card: str = "4242424242424242") -> None:
        card_data = {"type": "card", "card[number]": card, "card[exp_month]": "12",
                     "card[exp_year]": "2034", "card[cvc]": "123"}  # fmt: skip
        method = await self.call("POST", "/v1/payment_methods", data=card_data)
        confirm = f"/v1/payment_pages/{token}/confirm"
        await self.call("POST", confirm, data={"payment_method": method["id"]})

    async def sessions(self) -> list[dict[str, Any]]:
        listed = await self.call("GET", "/v1/checkout/sessions?limit=100")
        data: list[dict[str, Any]] = listed["data"]
        return data


@pytest.fixture
def psp(sandbox_url: str, http: aiohttp.ClientSession) -> Psp:
    key = "sk_test_" + secrets.token_hex(12)
    return Psp(connector_at(sandbox_url, http, key, "whsec_" + "a" * 32), sandbox_url, key, http)
