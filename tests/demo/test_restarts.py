"""SIGKILL to each of the five children while payments run: it is back, and nothing is lost."""

import asyncio
import json

import pytest

from payloom.demo.shopper import Shopper, new_session
from tests.demo.running import (
    BACK_WITHIN_S,
    CHILDREN,
    Demo,
    payloom,
    until,
)

pytestmark = pytest.mark.crash

SHOPPERS = 4
PAID_WITHIN_S = 60


@pytest.mark.parametrize("name", CHILDREN)
async def test_payments_go_on_when_a_process_is_killed(steady: Demo, name: str) -> None:
    at_the_till = asyncio.Event()
    paying = [
        asyncio.create_task(buy_and_be_paid(steady, number, at_the_till))
        for number in range(SHOPPERS)
    ]
    await at_the_till.wait()
    killed = steady.kill(name)
    fresh = await asyncio.to_thread(
        until,
        lambda: (pid := steady.pid_of(name)) and pid != killed and pid,
        BACK_WITHIN_S,
        f"{name} is started again",
    )
    assert fresh != killed
    numbers = await asyncio.gather(*paying)
    assert len(set(numbers)) == SHOPPERS
    await asyncio.to_thread(
        until, lambda: f"{name} is back after" in steady.said(), BACK_WITHIN_S, f"{name} is back"
    )
    assert f"{name} was killed (SIGKILL); starting it again" in steady.said()
    audited = await asyncio.to_thread(payloom, steady.home, "ledger", "audit", "--json")
    told = json.loads(audited.stdout)
    assert (told["ok"], told["findings"]) == (True, []), audited.stderr


async def buy_and_be_paid(demo: Demo, number: int, at_the_till: asyncio.Event) -> str:
    """Buy as a patient person does, and wait until the shop says paid; the order's number."""

    async def see(_: str) -> None:
        at_the_till.set()

    await asyncio.sleep(0.15 * number)
    async with new_session() as http:
        shopper = Shopper(http, demo.facts["shop_url"], patience_s=PAID_WITHIN_S)
        url = await shopper.buy(see)
        order = url.partition("?")[0].rpartition("/")[2]
        await asyncio.wait_for(until_paid(shopper, order), PAID_WITHIN_S)
    return order


async def until_paid(shopper: Shopper, order: str) -> None:
    while True:
        if (await shopper.order(order)).get("shop_status") == "paid":
            return
        await asyncio.sleep(0.1)
