"""A storm: a crowd of shoppers while the PSP misbehaves, and what must be true a minute after.

Who does what is drawn from a seed. Faults are the sandbox's own: closed sockets, errors, silence.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.scenarios.invariants import restless
from tests.scenarios.moves import ORDERS, advance, return_url, tell, token_of
from tests.scenarios.stage import Reply, Stage

DECLINED, PAID = "4000000000009995", "4242424242424242"
AT_ONCE = 20
MINUTE_S, STEP_S = 60, 5
ANSWERED_WITHIN_S = 100  # each webhook that is under way; far more than any takes

# What our connector asks for; the shopper's side of the sandbox stays as it is.
OUR_CALLS = ("/v1/checkout/*", "/v1/events*", "/v1/refunds*")
SHOPPERS = {
    "pays": 8,
    "pays_and_returns": 6,
    "is_declined_then_pays": 3,
    "is_declined": 2,
    "leaves": 2,
    "comes_back_unpaid": 2,
    "pays_and_the_shop_cancels": 2,
    "the_shop_cancels": 2,
    "tries_again_and_pays": 3,
}


@dataclass(frozen=True)
class Storm:
    """`faults` hit every call of ours while it lasts; `away_s` is how long, in business time."""

    name: str
    faults: tuple[dict[str, Any], ...] = ()
    hooks: tuple[dict[str, Any], ...] = ()
    is_swept: bool = False
    is_told_thrice: bool = False  # each event three times, in an order drawn from the seed
    away_s: int = 0


@dataclass
class Crowd:
    """What became of each order, as its shop heard."""

    stage: Stage
    draw: random.Random
    orders: list[str] = field(default_factory=list)
    did: dict[str, str] = field(default_factory=dict)  # order → what its shopper did


async def play(storm: Storm, stage: Stage, seed: int, count: int) -> Crowd:
    """Register `count` orders in the storm, let their shoppers act in it, then let it pass."""
    crowd = Crowd(stage, random.Random(seed))
    for hook in storm.hooks:
        await stage.fault("/psp/*", count=-1, **hook)
    await _begin(storm, stage)
    crowd.orders = await _all(partial(_register, stage) for _ in range(count))
    await _pass(storm, stage)
    ways = await _all(partial(_make_payable, stage, order) for order in crowd.orders)
    drawn = crowd.draw.choices(list(SHOPPERS), list(SHOPPERS.values()), k=count)
    crowd.did = dict(zip(crowd.orders, drawn, strict=True))
    await _begin(storm, stage)
    await _all(
        partial(_act, stage, order, did, way_back)
        for (order, did), way_back in zip(crowd.did.items(), ways, strict=True)
    )
    if storm.is_told_thrice:
        await _tell_thrice(crowd)
    await _pass(storm, stage)
    return crowd


async def _begin(storm: Storm, stage: Stage) -> None:
    for fault in storm.faults:
        for path in OUR_CALLS:
            await stage.fault(path, count=-1, **fault)


async def _pass(storm: Storm, stage: Stage) -> None:
    """The PSP comes back, and a minute later the truth is here."""
    for _ in range(0, storm.away_s, MINUTE_S):
        await advance(stage, MINUTE_S)
        await _settle(stage)
    await stage.sandbox("DELETE", "/_sandbox/faults")
    for hook in storm.hooks:
        await stage.fault("/psp/*", count=-1, **hook)
    for _ in range(0, MINUTE_S, STEP_S):
        await advance(stage, STEP_S)
        await _settle(stage)


async def _settle(stage: Stage) -> None:
    """What is due now is done now: wall time does not count, business time does."""
    await stage.sandbox("GET", f"/_sandbox/deliveries?wait_s={ANSWERED_WITHIN_S}")
    for _ in range(6):
        if not await restless(stage):
            return
    raise AssertionError("the worker did not come to rest")


async def _ask(stage: Stage, method: str, path: str, body: object = None) -> Reply:
    """As a shop does: told that there is too much to do, it comes again."""
    for _ in range(100):
        reply = await stage.send(method, path, json=body)
        if reply.status != 503:
            return reply
        assert reply.headers["retry-after"], reply.body
        await asyncio.sleep(0.1)
    raise AssertionError(reply.body)


async def _register(stage: Stage) -> str:
    reply = await _ask(stage, "POST", ORDERS, stage.wanted())
    if reply.status == 422:
        return str(reply.json["payment_order"])
    assert reply.status in (201, 202), reply.body
    return str(reply.json["id"])


async def _make_payable(stage: Stage, order_id: str) -> str:
    """A minute after the storm every order has its page; a shop whose order the PSP never got
    tries again. The way on which the page sends its shopper back."""
    order = (await _ask(stage, "GET", f"{ORDERS}/{order_id}")).json
    if order["payment_order_status"] == "FAILED":
        reply = await _ask(stage, "POST", f"{ORDERS}/{order_id}/attempts", {})
        assert reply.status == 201, reply.body
        order = reply.json
    assert order["payment_order_status"] == "PENDING", order
    return await return_url(stage, order)


async def _act(stage: Stage, order_id: str, did: str, way_back: str) -> None:
    order = (await _ask(stage, "GET", f"{ORDERS}/{order_id}")).json
    if did == "tries_again_and_pays":
        reply = await _ask(stage, "POST", f"{ORDERS}/{order_id}/attempts", {})
        assert reply.status in (201, 202, 422), reply.body
        if reply.status != 201:
            return
        order = reply.json
    if did in ("is_declined", "is_declined_then_pays"):
        await stage.pay(token_of(order), DECLINED)
    if "pays" in did:
        await stage.pay(token_of(order), PAID)
    if did in ("pays_and_returns", "comes_back_unpaid"):
        reply = await stage.send("GET", way_back, key=None)
        assert reply.status == 303, reply.body
    if "cancels" in did:
        reply = await _ask(stage, "POST", f"{ORDERS}/{order_id}/cancel", {})
        assert reply.status in (200, 202, 409), reply.body


async def _tell_thrice(crowd: Crowd) -> None:
    stage, more = crowd.stage, True
    told: list[dict[str, Any]] = []
    while more:
        after = f"&starting_after={told[-1]['id']}" if told else ""
        page = await stage.sandbox("GET", f"/v1/events?limit=100{after}")
        told += page["data"]
        more = page["has_more"]
    copies = told * 3
    crowd.draw.shuffle(copies)
    replies = await _all(partial(tell, stage, event) for event in copies)
    assert {reply.status for reply in replies} == {200}


async def _all(work: Iterable[Callable[[], Awaitable[Any]]]) -> list[Any]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(each: Callable[[], Awaitable[Any]]) -> Any:
        async with gate:
            return await each()

    return await asyncio.gather(*(one(each) for each in work))
