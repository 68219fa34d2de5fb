"""Whether what is left after all those deaths is right: in our rows, at the PSP, at the shop."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Any

from payloom.audit.run import GRACE, Finding, audit
from payloom.connectors.stripe.notices import EVENT_TYPES
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

# What the newest page says, and what our order may say then. The shop may have asked for its end.
STATUSES_BY_PAGE = {
    ("open", "unpaid"): {"PENDING"},
    ("complete", "unpaid"): {"PROCESSING"},
    ("expired", "unpaid"): {"EXPIRED", "CANCELED"},
    None: {"FAILED", "CANCELED"},
}
# Money counts, whichever page it came by; that of an order which was canceled has gone back (I2).
STATUSES_IF_PAID = {"SUCCEEDED", "CANCELED"}


async def found_at_death(rt: Runtime) -> list[Finding]:
    """One process is gone, nothing is mended yet: our rows must agree with each other already."""
    async with rt.db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return await audit(tx, now=rt.clock())


async def found_at_the_end(rt: Runtime, shop: Shop) -> list[Finding]:
    """Everybody lives on: let time pass until nothing is left to do, then look at everything."""
    found = await _come_to_rest(shop)
    found += await broken_invariants(shop.stage, grace=GRACE)
    for each in shop.all:
        found += await _orders_that_differ_from_the_psp(each)
        found += await _answers_that_changed(each)
        found += [Finding("F10", "shop", "odd", what) for what in each.odd]
    return found + await _events_not_told(rt, shop)


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
    """What is lost on the way counts until the sweep has read it, if it moves anything of ours."""
    listed = await all_listed(shop.stage, "/v1/events", "&delivery_success=false")
    untold = [event["id"] for event in listed if event["type"] in EVENT_TYPES]
    async with shop.stage.rt.db.statement() as tx:
        seen = await tx.fetch("SELECT FROM notices_seen WHERE psp_event = ANY ($1)", untold)
        rows = await tx.fetch(_LEFT, shop.stage.rt.clock() + timedelta(hours=1))
    left = {"events at the PSP": len(untold) - len(seen)}
    left |= {row["what"]: row["left"] for row in rows}
    return {what: count for what, count in left.items() if count}


# A page that is open still has a job at its end, hours from here; a sweep never ends.
_LEFT = """
SELECT 'notices' AS what, count(*) AS left FROM notices WHERE state = 'stored'
UNION ALL
SELECT 'deliveries', count(*) FROM deliveries WHERE state = 'pending'
UNION ALL
SELECT 'jobs', count(*) FROM jobs
 WHERE kind <> 'sweep' AND (run_at <= $1 OR lease_until > clock_timestamp())
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
        truth = _statuses_by(pages)
        if others or any(len(of_attempt) > 1 for of_attempt in pages):
            found.append(Finding("I2", order["id"], reference, f"made twice: {pages}, {others}"))
        if order["payment_order_status"] not in truth:
            why = f"is {order['payment_order_status']}, and the PSP says {pages or truth}"
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
        sql = "SELECT id, body FROM events WHERE merchant_id = $1"
        rows = await tx.fetch(sql, shop.stage.merchant.merchant_id)
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


def _statuses_by(pages: list[list[dict[str, Any]]]) -> set[str]:
    """What an order may be by the pages of its attempts."""
    states = [(page["status"], page["payment_status"]) for made in pages for page in made]
    if ("complete", "paid") in states:
        return STATUSES_IF_PAID
    return STATUSES_BY_PAGE[states[-1] if pages[-1] else None]
