"""What stories do besides paying: move the clock, look behind the scenes, speak as the PSP."""

import asyncio
import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import stripe

from payloom.core import ids
from payloom.payments import queries
from payloom.payments.queries import LogRow
from payloom.runtime import Runtime, follow_clock
from tests.scenarios.stage import Reply, Stage

ORDERS = "/v1/payment-orders"
SESSIONS = "/v1/checkout/sessions"
SECRET = "whsec_" + "0" * 32  # one of those the stage's connection holds


async def made(stage: Stage, **changes: Any) -> dict[str, Any]:
    """A fresh order, its page open."""
    reply = await stage.post(ORDERS, stage.wanted(**changes))
    assert reply.status == 201, reply.body
    order: dict[str, Any] = reply.json
    return order


def token_of(order: dict[str, Any]) -> str:
    token: str = order["attempts"][-1]["token"]
    return token


async def shown(stage: Stage, order_id: str) -> dict[str, Any]:
    order: dict[str, Any] = (await stage.get(f"{ORDERS}/{order_id}")).json
    return order


async def advance(stage: Stage, seconds: int) -> None:
    """Let business time pass, here and at the PSP."""
    await stage.sandbox("POST", "/_sandbox/clock/advance", json={"seconds": seconds})
    async with stage.rt.db.statement() as tx:
        await tx.execute("UPDATE business_clock SET offset_seconds = offset_seconds + $1", seconds)
    await follow_clock(stage.rt)


async def history(stage: Stage, order_id: str) -> list[LogRow]:
    async with stage.rt.db.statement() as tx:
        order = ids.parse("po", order_id)
        return await queries.log_of(tx, stage.merchant.merchant_id, order)


async def causes(stage: Stage, order_id: str) -> list[tuple[str, str]]:
    """What moved the order, and what told us."""
    return [(row.outcome, row.cause.kind) for row in await history(stage, order_id)]


async def events(stage: Stage, order_id: str) -> list[str]:
    """Types of the order's events in their sequence, which has no gap."""
    told = (await stage.get(f"/v1/events?payment_order={order_id}&limit=100")).json["data"]
    told.sort(key=lambda event: event["sequence"])
    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    return [event["type"].removeprefix("payment_order.") for event in told]


async def postings(stage: Stage, order_id: str) -> list[tuple[str, int]]:
    """Kind and amount of what was booked."""
    booked = (await stage.get(f"/v1/ledger/postings?payment_order={order_id}")).json["data"]
    return [(each["kind"], max(leg["amount"] for leg in each["entries"])) for each in booked]


async def notices(stage: Stage, **where: Any) -> list[dict[str, Any]]:
    """Rows of the inbox, oldest first."""
    async with stage.rt.db.statement() as tx:
        rows = await tx.fetch("SELECT * FROM notices ORDER BY id")
    found = [{key: row[key] for key in row.keys()} for row in rows]  # noqa: SIM118 a row, no dict
    return [each for each in found if all(each[key] == value for key, value in where.items())]


async def until_notices(stage: Stage, state: str, count: int = 1, **where: Any) -> None:
    """Wait until so many notices are in this state."""
    for _ in range(1_000):
        if len(await notices(stage, state=state, **where)) >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(await notices(stage))


async def rest(stage: Stage) -> None:
    """Let the worker end: what comes now stays in the inbox."""
    stage.worker.stop()
    await asyncio.sleep(0.3)  # its longest pause is 0.1


async def poison(owner: Runtime, order_id: str) -> None:
    """From now on every change of this order raises, until `cure`."""
    raising = f"""
        CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'poisoned'; END $$;
        CREATE TRIGGER poison BEFORE UPDATE ON payment_orders FOR EACH ROW
        WHEN (OLD.id = '{ids.parse("po", order_id)}') EXECUTE FUNCTION poison()
    """
    async with owner.db.statement() as tx:
        await tx.execute(raising)


async def cure(owner: Runtime) -> None:
    async with owner.db.statement() as tx:
        await tx.execute("DROP TRIGGER poison ON payment_orders; DROP FUNCTION poison()")


async def job_runs_now(stage: Stage) -> None:
    """Whatever is scheduled becomes due at once."""
    async with stage.rt.db.statement() as tx:
        await tx.execute("UPDATE jobs SET run_at = $1", stage.rt.clock())


def event(kind: str, thing: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An event of the PSP's about `thing`."""
    return {"id": f"evt_{secrets.token_hex(12)}", "object": "event", "type": kind,
            "livemode": False, "api_version": "2026-10-28.endive", "created": int(time.time()),
            "data": {"object": thing}, **changes}  # fmt: skip


def session_of(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The order's session as the PSP shows it once it is paid."""
    return {"id": token_of(order), "object": "checkout.session", "status": "complete",
            "payment_status": "paid", "amount_total": order["amount"],
            "currency": order["currency"].lower(), "payment_intent": f"pi_{secrets.token_hex(8)}",
            "client_reference_id": order["id"], "livemode": False,
            "metadata": {"payloom_attempt": order["attempts"][-1]["id"]}, **changes}  # fmt: skip


async def tell(stage: Stage, body: object, *, secret: str = SECRET, connection: str = "") -> Reply:
    """Call our notices route as the PSP does."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    header = stripe.WebhookSignature.generate_signature_header(raw.decode("latin-1"), secret)
    where = connection or ids.text("con", stage.connection_id)
    return await stage.send("POST", f"/psp/stripe/{where}/notices", data=raw, key=None,
                            headers={"Stripe-Signature": header})  # fmt: skip


async def return_url(stage: Stage, order: dict[str, Any], *, canceled: bool = False) -> str:
    """The path by which the PSP sends the shopper back."""
    session = await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}")
    url: str = session["cancel_url" if canceled else "success_url"]
    assert url.startswith(stage.api_url)
    return url.removeprefix(stage.api_url)


def query_of(reply: Reply) -> dict[str, str]:
    """The query of where a redirect leads."""
    assert reply.status == 303, reply.body
    pairs = parse_qs(urlsplit(reply.headers["location"]).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in pairs.values()), pairs
    return {name: values[0] for name, values in pairs.items()}
