"""One chain: shoppers come and go while both processes are killed, start, and are killed again."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from payloom.audit.run import Finding
from payloom.runtime import Runtime
from tests.crash.aims import API, PROCESSES, WORKER, Aims
from tests.crash.ground import World, open_ground
from tests.crash.judge import found_at_death, found_at_the_end
from tests.crash.lives import Lives
from tests.crash.relay import Relay, open_relay
from tests.crash.shop import Shop
from tests.crash.stories import any_story

SHOPPERS = 4
TICK_S = 0.25
TICKS_PATIENCE = 1_000  # so many without a death, and the chain is stuck
# Rows are changed below that others may hold. Nobody is waited for: that could be a deadlock.
_NOW = "UPDATE {0} SET {1} WHERE ctid IN (SELECT ctid FROM {0} WHERE {2} FOR UPDATE SKIP LOCKED)"
# What the dead held comes free when its lease is over; here it is over at once.
END_OF_LEASES = {
    API: (_NOW.format("idempotency_keys", "lease_until = clock_timestamp()", "status IS NULL"),),
    WORKER: (
        _NOW.format("jobs", "lease_until = NULL", "lease_until IS NOT NULL"),
        _NOW.format("deliveries", "lease_until = NULL", "lease_until IS NOT NULL"),
    ),
}
# What a job would do within half a minute, it does now.
HURRY = _NOW.format("jobs", "run_at = $1", "run_at BETWEEN $1 AND $1 + interval '30 seconds'")
# Nothing is sent again to a PSP that never heard anything: the time for that is over at once.
HALF_A_DAY = _NOW.format("attempts", "resend_until = $2", "merchant_id = $1 AND resend_until > $2")


@dataclass(frozen=True, slots=True)
class Chain:
    """What is at work: `enough` is the count of deaths at which it has been long enough."""

    rt: Runtime
    shop: Shop
    lives: Lives
    aims: Aims
    enough: int

    @property
    def is_long_enough(self) -> bool:
        return self.aims.killed >= self.enough


async def play(
    world: World, aims: Aims, kills: int, moved: Callable[[], None], *, is_swept: bool
) -> list[Finding]:
    """Go on until `kills` more lives are taken; what was wrong at each death and at the end.

    The sweep finds again what something else lost: so every second chain is without it.
    """
    found: list[Finding] = []
    aims.barred = "-" if is_swept else "sweep."
    async with _at_work(world, aims, kills, found, moved, is_swept=is_swept) as chain:
        shopping = {
            asyncio.create_task(_go_shopping(chain, random.Random(aims.rng.random())))
            for _ in range(SHOPPERS)
        }
        waiting = await _until_home(chain, shopping)
        if waiting:
            found.append(Finding("I28", "chain", "stuck", _where(waiting)))
        else:
            found += await found_at_the_end(chain.rt, chain.shop)
        return found + chain.lives.findings


async def _go_shopping(chain: Chain, rng: random.Random) -> None:
    while not chain.is_long_enough:
        await any_story(rng)(chain.shop)


async def _until_home(
    chain: Chain, shopping: set["asyncio.Task[None]"]
) -> set["asyncio.Task[None]"]:
    """Let time pass until every shopper has gone home; those who never will."""
    waiting, killed, patience = shopping, 0, TICKS_PATIENCE
    while waiting and patience and not chain.lives.findings:
        done, waiting = await asyncio.wait(waiting, timeout=TICK_S)
        for task in done:
            task.result()
        if chain.is_long_enough:
            for shop in chain.shop.all:
                shop.is_closing = True
            await chain.lives.let_live()
        await _let_time_pass(chain)
        patience = patience - 1 if chain.aims.killed == killed else TICKS_PATIENCE
        killed = chain.aims.killed
    return waiting


async def _let_time_pass(chain: Chain) -> None:
    """By rows, not by the clock: each process reads that once a second, and would lag behind."""
    for shop in chain.shop.all:
        shop.ticks += 1
    async with chain.rt.db.statement() as tx:
        await tx.execute(HURRY, chain.rt.clock())
        if mute := chain.shop.mute:
            await tx.execute(HALF_A_DAY, mute.stage.merchant.merchant_id, chain.rt.clock())


@asynccontextmanager
async def _at_work(
    world: World,
    aims: Aims,
    kills: int,
    found: list[Finding],
    moved: Callable[[], None],
    *,
    is_swept: bool,
) -> AsyncIterator[Chain]:
    """Database, PSP, relays, and both processes, each kept alive until the end."""
    api, psp = Relay(), Relay()
    async with (
        open_relay(api),
        open_relay(psp),
        open_ground(world, api, psp, is_swept=is_swept) as ground,
        asyncio.TaskGroup() as keeping,  # a keeper that fails ends the chain
    ):

        async def between(process: str) -> None:
            moved()
            found.extend(await found_at_death(ground.rt))
            await _end_leases(ground.rt, process)

        lives = Lives(ground.environ, world.home / "log", aims, api, between)
        api.happened = psp.happened = ground.shop.happened = lives.happened
        keepers = [keeping.create_task(lives.keep(process)) for process in PROCESSES]
        yield Chain(ground.rt, ground.shop, lives, aims, aims.killed + kills)
        for keeper in keepers:
            keeper.cancel()


async def _end_leases(rt: Runtime, process: str) -> None:
    async with rt.db.statement() as tx:
        for sql in END_OF_LEASES[process]:
            await tx.execute(sql)


def _where(waiting: set["asyncio.Task[None]"]) -> str:
    """What each shopper waits for, innermost last."""
    places = [[frame.f_code.co_qualname for frame in task.get_stack()] for task in waiting]
    for task in waiting:
        task.cancel()
    return "; ".join(" > ".join(place) for place in places)
