"""A small PSP: payments, keys, refunds and faults, behind real HTTP. What its words are, and what
it lets a shopper do, its dialect says (the three connectors beside this file).

It executes a request once per key and answers the same again, whatever the verb.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
DECLINED = "declined"


@dataclass(slots=True)
class Held:
    """One payment as this PSP holds it; `state` is open, approved, paid, failed or over."""

    token: str
    asked: Json
    state: str = "open"
    returned: int = 0
    refunds: list[Json] = field(default_factory=list)


class Refusal(Exception):
    """The PSP will not do this, and says so."""


@dataclass
class FakePsp:
    """`faults` are taken one a call: drop, apply_then_drop, truncate, html, late, or a status."""

    url: str = ""
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    payments: dict[str, Held] = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)  # by key
    executed: list[str] = field(default_factory=list)  # keys, as they were first seen
    bodies: list[bytes] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)  # by verb
    words: dict[str, str] = field(default_factory=dict)  # its own names of our states

    def fault(self, verb: str, effect: str) -> None:
        self.faults.setdefault(verb, []).append(effect)

    # --- the shopper ---------------------------------------------------------------------------

    def move(self, token: str, state: str) -> None:
        """What the shopper, his bank or time does to a payment."""
        self.payments[token].state = state

    # --- the API -------------------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.StreamResponse:
        verb, raw = request.match_info["verb"], await request.read()
        effect = (self.faults.get(verb) or [""]).pop(0)
        if effect == "drop":
            return _hang_up(request)
        if effect == "late":
            await asyncio.sleep(2)  # the suite's deadline is far below
        if effect.isdigit():
            return web.json_response({"error": {"code": "no"}}, status=int(effect))
        if request.headers.get("Authorization") != f"Bearer {self.secret}":
            return web.json_response({"error": {"code": "bad_key"}}, status=401)
        self.bodies.append(raw)
        try:
            done = self._once(request.headers.get("Key"), verb, json.loads(raw))
        except Refusal as refusal:
            return web.json_response({"error": {"code": str(refusal)}}, status=400)
        if effect == "apply_then_drop":
            return _hang_up(request)
        text = json.dumps(done)
        if effect == "truncate":
            text = text[: len(text) // 2]
        if effect == "html":
            text = "<html>Be right back</html>"
        return web.Response(text=text, content_type="application/json")

    def _once(self, key: str | None, verb: str, asked: Json) -> Json:
        if key is not None and key in self.answers:
            return self.answers[key]
        done: Json = getattr(self, f"_{verb}")(asked)
        if key is not None:
            self.answers[key] = done
            self.executed.append(key)
        return done

    def _register(self, asked: Json) -> Json:
        if asked.get("refuse"):
            raise Refusal("not_allowed")
        held = Held(f"tok_{secrets.token_hex(8)}", asked)
        self.payments[held.token] = held
        return {"token": held.token, "page": f"{self.url}/page/{held.token}"}

    def _status(self, asked: Json) -> Json:
        return self.told(self._held(asked))

    def _list(self, asked: Json) -> Json:
        return {"data": [self.told(each) for each in self.payments.values()]}

    def _end(self, asked: Json) -> Json:
        held = self._held(asked)
        if held.state == "open":
            held.state = "over"
        return self.told(held)

    def _capture(self, asked: Json) -> Json:
        held = self._held(asked)
        if held.state == "approved":
            held.state = "paid"
        return self.told(held)

    def _refund(self, asked: Json) -> Json:
        held = self._held(asked)
        amount = int(asked["minor"])
        if held.state != "paid" or held.returned + amount > int(held.asked["minor"]):
            raise Refusal("too_much")
        held.returned += amount
        made = {"id": f"ref_{secrets.token_hex(6)}", "ours": asked["ours"], "state": "done"}
        held.refunds.append(made)
        return made

    def _refunds(self, asked: Json) -> Json:
        return {"data": self._held(asked).refunds}

    def told(self, held: Held) -> Json:
        """A payment as it is shown, in answers and in notices."""
        state = self.words.get(held.state, held.state)
        return {"token": held.token, "state": state, **held.asked}

    def _held(self, asked: Json) -> Held:
        held = self.payments.get(asked["token"])
        if held is None:
            raise Refusal("no_such_payment")
        return held


def _hang_up(request: web.Request) -> web.StreamResponse:
    """A closed socket, and no answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def open_psp(make: Callable[[], FakePsp] = FakePsp) -> AsyncIterator[FakePsp]:
    psp = make()
    app = web.Application()
    app.router.add_post("/{verb}", psp.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    psp.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield psp
    finally:
        await runner.cleanup()
