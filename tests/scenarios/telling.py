"""Calling our notices route as somebody who may not be the PSP, with its own words or forged."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from payloom.core import ids
from tests.scenarios.moves import SECRET, causes, events, postings, token_of
from tests.scenarios.stage import Reply, Stage

COMPLETED = "checkout.session.completed"
DECLINED = "payment_intent.payment_failed"


def signed(raw: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    """Stripe's header over the raw bytes."""
    timestamp = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), b"%d." % timestamp + raw, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={mac}"


async def call(stage: Stage, raw: Any, header: str | None, *, path: str = "") -> Reply:
    """The bytes as they are, with this header."""
    headers = {} if header is None else {"Stripe-Signature": header}
    where = path or f"/psp/stripe/{ids.text('con', stage.connection_id)}/notices"
    return await stage.send("POST", where, data=raw, key=None, headers=headers)


async def lose_notices(stage: Stage) -> None:
    """From now on the PSP's own calls never come."""
    await stage.fault("/psp/*", "hook_lose", count=-1)


async def said(stage: Stage, kind: str, order: dict[str, Any]) -> dict[str, Any]:
    """The event of this kind as the PSP really made it about this order."""
    listed = await stage.sandbox("GET", f"/v1/events?type={kind}&limit=100")
    found: dict[str, Any] = next(each for each in listed["data"] if _is_about(each, order))
    return found


async def seen(stage: Stage, event_id: str) -> int:
    """How often we were told of an event."""
    async with stage.rt.db.statement() as tx:
        sql = "SELECT times FROM notices_seen WHERE psp_event = $1"
        times: int | None = await tx.fetchval(sql, event_id)
    return times or 0


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    """Wait until it holds, ten seconds at most."""
    for _ in range(500):
        if await holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("this did not come about")


async def check_paid_once(stage: Stage, order: dict[str, Any]) -> None:
    assert await postings(stage, order["id"]) == [("captured", 4999)]
    assert await events(stage, order["id"]) == ["registered", "succeeded"]
    assert [outcome for outcome, _ in await causes(stage, order["id"])].count("Paid") == 1


def raw(event: object) -> bytes:
    return json.dumps(event).encode()


def _is_about(event: dict[str, Any], order: dict[str, Any]) -> bool:
    thing = event["data"]["object"]
    marks = thing.get("metadata") or {}
    ours = (token_of(order), order["attempts"][-1]["id"])
    return thing["id"] in ours or marks.get("payloom_attempt") in ours
