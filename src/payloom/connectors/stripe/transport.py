"""Stripe's SDK over the process's own connections, its answers bounded and read as plain JSON."""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp
import stripe

from payloom.connectors.errors import NoAnswer
from payloom.connectors.gate import Gate
from payloom.connectors.http import psp_call, tell_key_refused
from payloom.connectors.spec import Credentials
from payloom.connectors.stripe.errors import KEY_REFUSED
from payloom.connectors.stripe.mapping import VERSION

ANSWER_BYTES_MAX = 2_000_000

# The body of the call that is being made, past the SDK, which would encode it anew.
_form: ContextVar[str | None] = ContextVar("stored_form", default=None)


class _Answered(Exception):
    """An answer, taken past the SDK, which trips over odd errors and reads JSON slowly."""

    def __init__(self, answer: "Answer") -> None:
        super().__init__(answer.status)
        self.answer = answer


class _Transport(stripe.AIOHTTPClient):
    """The SDK's client: sends a stored form as it is, reads at most ANSWER_BYTES_MAX, and follows
    no redirect (F23)."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__(timeout=None, session=session)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> NoReturn:
        async with self._session.request(
            method, url, headers=headers, data=_form.get() or post_data, allow_redirects=False
        ) as response:
            body = await response.content.read(ANSWER_BYTES_MAX + 1)
            while not response.content.at_eof() and len(body) <= ANSWER_BYTES_MAX:
                body += await response.content.read(ANSWER_BYTES_MAX + 1 - len(body))
            if len(body) > ANSWER_BYTES_MAX:
                raise NoAnswer("the answer is too large to be Stripe's")
            is_replayed = response.headers.get("Idempotent-Replayed") == "true"
            raise _Answered(Answer(response.status, _json(body), is_replayed))


@dataclass(frozen=True, slots=True)
class Answer:
    """What Stripe answered: `body` is None when it is not JSON; `replayed` when the answer was
    kept under the idempotency key."""

    status: int
    body: object
    replayed: bool = False


class Api:
    """Calls by path, under a total deadline; errors of the wire become NoAnswer."""

    def __init__(
        self, credentials: Credentials, session: aiohttp.ClientSession, gate: Gate
    ) -> None:
        self._gate = gate
        stripe.enable_telemetry = False
        self._connection = credentials.connection
        self._client = stripe.StripeClient(
            credentials.secrets["api_key"].reveal(),
            stripe_version=VERSION,
            base_addresses={"api": credentials.api_base} if credentials.api_base else None,
            max_network_retries=0,  # retries are ours, under the stored key
            http_client=_Transport(session),
        )

    async def send(self, verb: str, path: str, form: str, **options: str) -> Answer:
        """POST a form that is stored encoded, byte for byte. Raises NoAnswer."""
        mark = _form.set(form)
        try:
            return await self.call(verb, "post", path, {}, **options)
        finally:
            _form.reset(mark)

    async def call(
        self, verb: str, method: str, path: str, params: Mapping[str, Any], **options: str
    ) -> Answer:
        """The answer, errors included. Raises NoAnswer when there is none."""
        async with psp_call(self._gate, verb) as call:
            answer = await self._ask(method, path, params, options)
            if not answer.replayed:  # what is kept under a key says nothing of today
                call.answered(answer.status)
        if answer.status in KEY_REFUSED:
            tell_key_refused("stripe", verb, self._connection, answer.status)
        return answer

    async def _ask(
        self, method: str, path: str, params: Mapping[str, Any], options: Mapping[str, str]
    ) -> Answer:
        try:
            await self._client.raw_request_async(method, path, **params, **options)
        except _Answered as answered:
            return answered.answer
        except stripe.APIConnectionError as broken:
            raise NoAnswer(str(broken.user_message or broken)) from broken
        except stripe.StripeError as unread:
            return Answer(unread.http_status or 0, None)
        except (aiohttp.ClientError, OSError, ValueError) as broken:
            raise NoAnswer(repr(broken)) from broken
        raise NoAnswer("the SDK asked nothing")


def _json(body: bytes) -> object:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value
