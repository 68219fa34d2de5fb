"""One try to hand an event over: signed, guarded, bounded in time and size (F58, S13)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import aiohttp
from aiohttp.abc import AbstractResolver
from standardwebhooks import Webhook

from payloom import __version__
from payloom.core import ids
from payloom.core.db import forbid_in_transaction
from payloom.core.egress import EgressRefused, guard
from payloom.core.secret import Secret

TIMEOUT_S = 15.0
ANSWER_BYTES_MAX = 4096
ANSWER_TIMEOUT_S = 1.0  # for what follows the status line
KEEPALIVE_S = 4.0  # many servers close after 5; a POST that meets their goodbye costs a try
USER_AGENT = f"payloom/{__version__}"


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way to one URL. `body` is sent as it is stored."""

    event_id: UUID
    url: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint said: its status if there was one, and why it does not count as taken.

    `is_ours`: the fault is on our side, and nothing was sent.
    """

    status: int | None
    error: str | None
    is_ours: bool = False


def new_session(
    *,
    allow_loopback: bool,
    timeout_s: float = TIMEOUT_S,
    resolver: AbstractResolver | None = None,
) -> aiohttp.ClientSession:
    """Connections to endpoints. Close it when the last delivery is done.

    How many are open is bounded by who sends, so that no delivery waits here for its turn.
    `resolver` None asks the system.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=KEEPALIVE_S,
            socket_factory=guard(allow_loopback=allow_loopback),
            resolver=resolver,
        ),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=ANSWER_BYTES_MAX,
        trust_env=False,
    )


async def send(
    session: aiohttp.ClientSession, message: Message, secrets: Sequence[Secret], at: datetime
) -> Answer:
    """POST the message; only a 2xx means it was taken. `at` is real time, for the signature."""
    forbid_in_transaction("a delivery")
    try:
        async with session.post(
            message.url,
            data=message.body.encode(),
            headers=signed_headers(message, secrets, at),
            allow_redirects=False,
        ) as response:
            await _read_some(response)
            return Answer(response.status, _complaint(response.status))
    except TimeoutError:
        return Answer(None, "no answer in time")
    except (aiohttp.ClientError, OSError, ValueError) as failure:
        return Answer(None, _why(failure))


def signed_headers(message: Message, secrets: Sequence[Secret], at: datetime) -> dict[str, str]:
    """Headers by the Standard Webhooks rules; with several live secrets, a signature by each."""
    event_id = ids.text("evt", message.event_id)
    signatures = [Webhook(s.reveal()).sign(event_id, at, message.body) for s in secrets]
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _read_some(response: aiohttp.ClientResponse) -> None:
    """Read a short answer to its end, so that the connection can be used again.

    What it says does not matter, and one that is long, slow or broken changes nothing: the status
    has been given. Its connection is closed instead.
    """
    left = ANSWER_BYTES_MAX
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while left > 0 and (chunk := await response.content.read(left)):
                left -= len(chunk)


def _complaint(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered {status}; redirects are not followed"
    return f"answered {status}"


def _why(failure: Exception) -> str:
    """Why nothing was sent, or no answer came; without a word that the other side chose."""
    cause = getattr(failure, "os_error", failure)
    if isinstance(cause, EgressRefused):
        return "the address is not public"
    if isinstance(cause, OSError) and cause.strerror:
        return f"{type(failure).__name__}: {ascii(cause.strerror)[1:-1]}"[:500]
    return type(failure).__name__
