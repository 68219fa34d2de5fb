"""What the three fakes share: a call with its deadline and its faults, and HMAC over raw bytes."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from payloom.connectors.contract import (
    AmountNotSupported,
    ForgedNotice,
    MethodTypeUnavailable,
    Registration,
    Unknown,
    UnreadableNotice,
)
from payloom.connectors.errors import NoAnswer
from payloom.connectors.gate import Gate
from payloom.connectors.http import psp_call
from payloom.connectors.spec import Credentials
from payloom.core.errors import FieldError
from payloom.core.money import Money

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusing:
    """The PSP said no for good."""

    code: str


class Line:
    """One account at a PSP that speaks JSON over POST."""

    def __init__(
        self, credentials: Credentials, session: aiohttp.ClientSession, gate: Gate
    ) -> None:
        self._base = credentials.api_base or ""
        self._secret = credentials.secrets["api_key"]
        self._session, self._gate = session, gate

    async def ask(self, verb: str, body: str, key: str | None = None) -> Json | Refusing | Unknown:
        """The answer; Refusing for a 400 that says why, Unknown for all that is not understood."""
        headers = {"Authorization": f"Bearer {self._secret.reveal()}"}
        if key is not None:
            headers["Key"] = key
        try:
            async with psp_call(self._gate, verb) as call:
                status, text = await self._send(verb, body, headers)
                call.answered(status)
        except NoAnswer as nothing:
            return Unknown(str(nothing), executed=nothing.executed)
        return _read(status, text)

    async def _send(self, verb: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
        try:
            async with self._session.post(
                f"{self._base}/{verb}", data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, OSError, ValueError) as broken:
            raise NoAnswer(repr(broken)) from broken

    def sign(self, body: bytes) -> str:
        return hmac.new(self._secret.reveal().encode(), body, hashlib.sha256).hexdigest()

    def verified(self, headers: Mapping[str, str], name: str, body: bytes) -> Json:
        """The JSON of a genuine call. Raises ForgedNotice, UnreadableNotice."""
        given = headers.get(name, "")
        if not hmac.compare_digest(given.encode(), self.sign(body).encode()):
            raise ForgedNotice("the signature does not fit")
        return readable(body)


def readable(body: bytes) -> Json:
    """Raises UnreadableNotice."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as broken:
        raise UnreadableNotice("not JSON") from broken
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise UnreadableNotice("not a notice with an id")
    return value


def asked(registration: Registration, **more: Any) -> str:
    """What all three send of a registration, in an order of its own: equal each time."""
    if registration.amount.currency not in ("EUR", "JPY", "SEK", "INR", "USD"):
        message = f"{registration.amount.currency} is not taken here"
        raise AmountNotSupported(message, errors=[FieldError("currency", message)])
    if registration.method_types and "card" not in registration.method_types:
        message = "cards only"
        raise MethodTypeUnavailable(message, errors=[FieldError("method_types", message)])
    body = {
        "ours": registration.attempt,
        "order": registration.payment_order,
        "minor": registration.amount.minor,
        "currency": registration.amount.currency,
        "back": registration.success_url,
        **more,
    }
    return json.dumps(body, sort_keys=True)


def money_of(told: Json) -> Money:
    return Money(int(told["minor"]), str(told["currency"]))


def _read(status: int, text: str) -> Json | Refusing | Unknown:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if status == 200 and isinstance(value, dict):
        return value
    error = value.get("error") if isinstance(value, dict) else None
    if status == 400 and isinstance(error, dict) and isinstance(error.get("code"), str):
        return Refusing(error["code"])
    return Unknown(f"status {status}", executed=False if status in (401, 403, 429) else None)
