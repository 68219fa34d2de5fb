"""The rig of Stripe: a tenant of the sandbox."""

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import stripe

from payloom.connectors.contract import Registration
from payloom.connectors.spec import Credentials
from payloom.connectors.stripe import CONNECTOR
from payloom.connectors.stripe.connector import SESSIONS
from payloom.core.secret import Secret
from tests.connectors.conformance.rig import Told

VERBS = {
    "register": ("POST", SESSIONS),
    "look_up": ("GET", f"{SESSIONS}/*"),
    "refund": ("POST", "/v1/refunds"),
}
SECRET = "whsec_" + "a" * 32


@dataclass
class StripeRig:
    url: str
    http: aiohttp.ClientSession
    key: str = field(default_factory=lambda: "sk_test_" + secrets.token_hex(12))
    spec = CONNECTOR
    currency_not_taken = "IRR"
    method_type_not_offered = "netbanking"
    notices_are_dated = True
    pages_can_be_ended = True
    shoppers_approve = False

    @property
    def credentials(self) -> Credentials:
        held = {"api_key": Secret(self.key), "webhook_secret": Secret(SECRET)}
        return Credentials(held, self.url)

    async def fault(self, verb: str, effect: str, count: int = 1) -> None:
        method, path = VERBS[verb]
        more: dict[str, Any] = {"effect": effect}
        if effect.isdigit():
            more = {"effect": "status", "status": int(effect)}
        if effect == "late":
            more["delay_s"] = 2
        order = {"method": method, "path": path, "count": count, **more}
        await self._call("POST", "/_sandbox/faults", json=order)

    async def executed(self) -> list[str]:
        log = await self._call("GET", "/_sandbox/log")
        return [
            entry["idempotency_key"]
            for entry in log
            if entry["path"] in (SESSIONS, "/v1/refunds") and entry["method"] == "POST"
            and entry["object"] and not entry["replayed"]
        ]  # fmt: skip

    async def approve(self, token: str) -> None:
        card = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": "12",
                "card[exp_year]": "2034", "card[cvc]": "123"}  # fmt: skip
        method = await self._call("POST", "/v1/payment_methods", data=card)
        path = f"/v1/payment_pages/{token}/confirm"
        await self._call("POST", path, data={"payment_method": method["id"]})

    async def tell(self, registration: Registration, token: str) -> Told:
        session = await self._call("GET", f"{SESSIONS}/{token}")
        return self.sign(_event("checkout.session.completed", session))

    def sign(self, body: bytes) -> Told:
        header = stripe.WebhookSignature.generate_signature_header(body.decode("latin-1"), SECRET)
        return Told({"stripe-signature": header}, body)

    def foreign(self) -> bytes:
        return _event("checkout.session.completed", {"object": "checkout.session", "metadata": {}})

    def of_unknown_type(self) -> bytes:
        return _event("customer.created", {"object": "customer"})

    async def _call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        async with self.http.request(method, self.url + path, headers=headers, **options) as answer:
            return await answer.json()


def _event(kind: str, thing: dict[str, Any]) -> bytes:
    event = {"id": f"evt_{secrets.token_hex(8)}", "object": "event", "type": kind,
             "livemode": False, "api_version": "2026-10-28.endive", "created": int(time.time()),
             "data": {"object": thing}}  # fmt: skip
    return json.dumps(event).encode()
