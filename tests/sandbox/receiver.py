"""A merchant's webhook endpoint that remembers what it got and answers as it is told."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import stripe
from aiohttp import web

from tests.sandbox.until import until


@dataclass
class Delivery:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def type(self) -> str:
        return str(self.event["type"])

    def is_signed_with(self, secret: str) -> bool:
        try:
            stripe.WebhookSignature.verify_header(
                self.body.decode(), self.headers["Stripe-Signature"], secret, 300
            )
        except stripe.SignatureVerificationError:
            return False
        return True


@dataclass
class Receiver:
    got: list[Delivery] = field(default_factory=list)
    status: int = 200
    delay_s: float = 0.0
    url: str = ""
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.got.append(Delivery(request.path, dict(request.headers), await request.read()))
        status = self.status
        await asyncio.sleep(self.delay_s)
        return web.Response(status=status)

    def types(self) -> list[str]:
        return [delivery.type for delivery in self.got]

    async def until(self, count: int, type_: str | None = None, within_s: float = 5) -> None:
        """Wait for so many deliveries (of one type)."""

        async def there() -> bool:
            return len([t for t in self.types() if type_ in (None, t)]) >= count

        await until(there, within_s)
