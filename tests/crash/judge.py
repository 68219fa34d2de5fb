"""Whether what is left after all those deaths is right: in our rows, at the PSP, at the shop."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Any

from payloom.audit.run import GRACE, Finding, audit
from payloom.core import ids
from payloom.runtime import Runtime
from tests.crash.shop import ORDERS, PASSING, Shop
from tests.crash.stories import SESSIONS
from tests.scenarios.invariants import all_listed, broken_invariants
from tests.scenarios.moves import advance

# How often an hour passes, at most, before the end is judged: the PSP's pauses grow to hours.
HOURS = 10
HOUR_S = 3_700
POLLS, POLL_S = 60, 0.05

# What a session says, and what our order must say then (the sandbox has no delayed methods yet).
STATUS_OF_SESSION = {
    ("open", "unpaid"): "PENDING",
    ("complete", "unpaid"): "PROCESSING",
    ("expired", "unpaid"): "EXPIRED",
    None: "FAILED",
}


async def found_at_death(rt: Runtime) -> list[Finding]:
    """One process is gone, nothing is mended yet: our rows must agree with each other already."""
    async with rt.db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return await audit(tx, now=rt.clock())


async def found_at_the_end(rt: Runtime, shop: Shop) -> list[Finding]:
    """Everybody lives on: let time pass until nothing is left to do, then look at everything."""
    found = await _come_to_rest(shop)
    found += await broken_invariants(shop.stage, grace=GRACE)
    found += await _orders_that_differ_from_the_psp(shop)
    found += await _answers_that_changed(shop)
    found += await _events_not_told(rt, shop)
    found += [Finding("F10", "shop", "odd", each) for each in shop.odd]
    return found


async def _come_to_rest(shop: Shop) -> list[Finding]:
    """Let hours pass until the PSP has told everything and nothing is left to do (I28)."""
    left: dict[str, int] = {}
    for _ in range(HOURS):
        await advance(shop.stage, HOUR_S)
        for _ in range(POLLS):
            left = await _left_to_do(shop)
            if not left:
                return []
            await asyncio.sleep(POLL_S)
    return [Finding("I28", "shop", what, f"{count} still to do") for what, count in left.items()]


async def _left_to_do(shop: Shop) -> dict[str, int]:
    untold = await shop.stage.sandbox("GET", "/v1/events?limit=100&delivery_success=false")
    async with shop.stage.rt.db.statement() as tx:
        rows = await tx.fetch(_LEFT, shop.stage.rt.clock() + timedelta(hours=1))
    left = {"events at the PSP": len(untold["data"]), **{row["what"]: row["left"] for row in rows}}
    return {what: count for what, count in left.items() if count}


# A page that is open still has a job at its end, hours from here.
_LEFT = """
SELECT 'notices' AS what, count(*) AS left FROM notices WHERE state = 'stored'
UNION ALL
SELECT 'deliveries', count(*) FROM deliveries WHERE state = 'pending'
UNION ALL
SELECT 'jobs', count(*) FROM jobs WHERE run_at <= $1 OR lease_until > clock_timestamp()
"""


async def _orders_that_differ_from_the_psp(shop: Shop) -> list[Finding]:
    """I2, I4, I29: every order the shop knows of is there, once, and stands where the PSP says."""
    sessions = await _sessions(shop)
    orders = await _orders(shop)
    found = [
        Finding("I29", "shop", reference, f"was answered and is not there: {answers}")
        for reference, answers in shop.answers.items()
        if reference not in orders
    ]
    for reference, (order, *others) in orders.items():
        pages = [sessions[attempt["id"]] for attempt in order["attempts"]]
        truth = _status_by(pages)
        if others or any(len(of_attempt) > 1 for of_attempt in pages):
            found.append(Finding("I2", order["id"], reference, f"made twice: {pages}, {others}"))
        if order["payment_order_status"] != truth:
            why = f"is {order['payment_order_status']}, and the PSP says {truth}"
            found.append(Finding("I4", order["id"], reference, why))
    return found


async def _answers_that_changed(shop: Shop) -> list[Finding]:
    """I1: a key asked again, now and earlier, gives the first answer, byte for byte."""
    for key in shop.requests:
        await shop.ask_once(key)
    return [
        Finding("I1", "shop", key, f"was answered differently: {sorted(answers)}")
        for key, answers in shop.answers.items()
        if len(answers) > 1
    ]


async def _events_not_told(rt: Runtime, shop: Shop) -> list[Finding]:
    """I16: each event reached the shop, always under its own id and with the very same bytes."""
    got: dict[str, set[bytes]] = defaultdict(set)
    for each in shop.receiver.got:
        if not each.path.endswith(PASSING):
            got[each.headers["webhook-id"]].add(each.body)
    async with rt.db.statement() as tx:
        rows = await tx.fetch("SELECT id, body FROM events")
    bodies = {ids.text("evt", row["id"]): row["body"].encode() for row in rows}
    return [
        Finding("I16", "shop", event, "came with other bytes" if got[event] else "was never told")
        for event in sorted(bodies.keys() | got.keys())
        if got[event] != {bodies.get(event)}
    ]


async def _sessions(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    """What the PSP made, by attempt."""
    made: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for session in await all_listed(shop.stage, SESSIONS):
        made[session["metadata"]["payloom_attempt"]].append(session)
    return made


async def _orders(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    """What the API lists, by reference."""
    listed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    more, after = True, ""
    while more:
        page = (await shop.stage.get(f"{ORDERS}?limit=100{after}")).json
        for order in page["data"]:
            listed[order["reference"]].append(order)
        more, after = page["has_more"], f"&starting_after={page['next_cursor']}"
    return listed


def _status_by(pages: list[list[dict[str, Any]]]) -> str:
    """What an order must be by the pages of its attempts: money counts, else the newest page."""
    states = [(page["status"], page["payment_status"]) for made in pages for page in made]
    if ("complete", "paid") in states:
        return "SUCCEEDED"
    return STATUS_OF_SESSION[states[-1] if pages[-1] else None]
