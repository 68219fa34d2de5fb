"""`python -m bench.burst`: a PSP that sends a backlog of notices, all genuine, all old news.

Reads one line of JSON: {"url", "secret", "sessions": [[attempt, order, token], …]}; writes one:
{"stored", "refused", "seconds"}, and waits for the end of its input.
"""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import stripe
import uvloop

AT_ONCE = 8


async def main() -> None:
    asked = json.loads(sys.stdin.readline())
    began = time.monotonic()
    sessions = iter(asked["sessions"])
    counts = {200: 0}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as http:
        await asyncio.gather(*(_send(http, asked, sessions, counts) for _ in range(AT_ONCE)))
    stored = counts.pop(200)
    answer = {
        "stored": stored,
        "refused": sum(counts.values()),
        "seconds": time.monotonic() - began,
    }
    print(json.dumps(answer), flush=True)
    sys.stdin.read()  # stay until we are dismissed: who ends early is taken for broken


async def _send(
    http: aiohttp.ClientSession,
    asked: dict[str, Any],
    sessions: Iterator[list[str]],
    counts: dict[int, int],
) -> None:
    for attempt, order, token in sessions:
        body = json.dumps(_event(attempt, order, token))
        header = stripe.WebhookSignature.generate_signature_header(body, asked["secret"])
        async with http.post(
            asked["url"], data=body.encode(), headers={"Stripe-Signature": header}
        ) as answer:
            await answer.read()
            counts[answer.status] = counts.get(answer.status, 0) + 1


def _event(attempt: str, order: str, token: str) -> dict[str, Any]:
    """That a session was paid, as it was told yesterday, under an event id of its own."""
    session = {
        "id": token,
        "object": "checkout.session",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 4999,
        "currency": "eur",
        "payment_intent": f"pi_{secrets.token_hex(8)}",
        "client_reference_id": order,
        "livemode": False,
        "metadata": {"payloom_attempt": attempt},
        "custom_text": {"submit": {"message": "x" * 1_500}},
    }
    return {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "type": "checkout.session.completed",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": session},
    }


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main())
