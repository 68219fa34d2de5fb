"""Stripe's API over the process's own connections: forms go out, bounded plain JSON comes back.

Not through the official client: it would take a stored body apart and put it together again, and
trips over odd errors.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from payloom import __version__
from payloom.connectors.http import NoAnswer, psp_call
from payloom.connectors.spec import Credentials
from payloom.connectors.stripe.mapping import VERSION, encode

API_BASE = "https://api.stripe.com"
ANSWER_BYTES_MAX = 2_000_000
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What Stripe answered: `body` is None when it is not JSON; `replayed` when the answer was
    kept under the idempotency key."""

    status: int
    body: object
    replayed: bool = False


class Api:
    """Calls by path, under a total deadline, never repeated here: retries are the caller's, under
    the stored key. Errors of the wire become NoAnswer; any answer is one."""

    def __init__(self, credentials: Credentials, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._base = credentials.api_base or API_BASE
        self._key = credentials.secrets["api_key"]

    async def get(self, verb: str, path: str, params: Mapping[str, str]) -> Answer:
        """Raises NoAnswer."""
        return await self._call(verb, "GET", f"{path}?{encode(params)}", {}, None)

    async def post(
        self, verb: str, path: str, form: str, *, key: str | None = None, version: str = VERSION
    ) -> Answer:
        """Send an encoded form as it is. Raises NoAnswer."""
        headers = {"Content-Type": _FORM, "Stripe-Version": version}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self._call(verb, "POST", path, headers, form.encode())

    async def _call(
        self, verb: str, method: str, path: str, headers: Mapping[str, str], data: bytes | None
    ) -> Answer:
        ours = {
            "Authorization": f"Bearer {self._key.reveal()}",
            "Stripe-Version": VERSION,
            "User-Agent": f"payloom/{__version__}",
        }
        async with psp_call("stripe", verb):
            try:
                async with self._session.request(
                    method,
                    self._base + path,
                    headers={**ours, **headers},
                    data=data,
                    allow_redirects=False,
                ) as response:
                    return _answer(response, await _read(response.content))
            except (aiohttp.ClientError, OSError, ValueError) as broken:
                raise NoAnswer(repr(broken)) from broken


async def _read(content: aiohttp.StreamReader) -> bytes:
    """The whole body. Raises NoAnswer when it is longer than ANSWER_BYTES_MAX (F23)."""
    body = await content.read(ANSWER_BYTES_MAX + 1)
    while not content.at_eof() and len(body) <= ANSWER_BYTES_MAX:
        body += await content.read(ANSWER_BYTES_MAX + 1 - len(body))
    if len(body) > ANSWER_BYTES_MAX:
        raise NoAnswer("the answer is too large to be Stripe's")
    return body


def _answer(response: aiohttp.ClientResponse, body: bytes) -> Answer:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    return Answer(response.status, value, response.headers.get("Idempotent-Replayed") == "true")
