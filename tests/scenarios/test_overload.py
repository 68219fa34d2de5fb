"""More requests than there is room for: some are told to come again, none that was taken is lost,
and afterwards all is as before (F10, F81)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from payloom.core import ids
from payloom.core.web.admission import Room
from tests.scenarios.moves import ORDERS, SESSIONS, made, return_url, token_of
from tests.scenarios.stage import Reply, Stage, serving
from tests.scenarios.telling import COMPLETED, call, raw, said, signed
from tests.scenarios.test_refusals import check_problem

AMPLE = Room(at_once=1_000, db_wait_s=60)


@asynccontextmanager
async def small(stage: Stage, room: Room) -> AsyncIterator[Stage]:
    """The stage with an API that has so little room for shops."""
    rooms = {"/psp/": AMPLE, "/return/": AMPLE, "": room}
    async with serving(stage.rt, rooms=rooms) as url:
        yield replace(stage, api_url=url)


def check_shed(reply: Reply) -> None:
    check_problem(reply, 503, "overloaded")
    assert reply.headers["retry-after"] == "1"


async def test_what_is_taken_is_kept_and_the_rest_is_told_to_come_again(stage: Stage) -> None:
    await stage.fault(SESSIONS, "late", delay_s=0.5, method="POST", count=-1)
    async with small(stage, Room(at_once=10, db_wait_s=60)) as api:
        replies = await asyncio.gather(*(api.post(ORDERS, api.wanted()) for _ in range(50)))
        statuses = Counter(reply.status for reply in replies)
        assert set(statuses) == {201, 503}
        assert statuses[201] >= 10
        for reply in replies:
            if reply.status == 503:
                check_shed(reply)
        await stage.sandbox("DELETE", "/_sandbox/faults")
        after = await api.post(ORDERS, api.wanted())
        assert after.status == 201  # at once
        shown = (await api.send("GET", "/metrics", key=None)).body.decode()
        assert 'payloom_http_shed_total{why="requests"}' in shown
    taken = {reply.json["id"] for reply in [*replies, after] if reply.status == 201}
    async with stage.rt.db.statement() as tx:
        rows = await tx.fetch("SELECT id FROM payment_orders")
    assert {ids.text("po", row["id"]) for row in rows} == taken


async def test_psps_shoppers_and_operators_are_let_in_when_shops_are_not(stage: Stage) -> None:
    order = await made(stage)
    await stage.fault("/psp/*", "hook_lose", count=-1)
    await stage.pay(token_of(order))
    event = raw(await said(stage, COMPLETED, order))
    back = await return_url(stage, order)
    async with small(stage, Room(at_once=0, db_wait_s=60)) as api:
        check_shed(await api.post(ORDERS, api.wanted()))
        check_shed(await api.send("POST", ORDERS, key=None))  # before anybody asks who it is
        check_shed(await api.send("GET", "/nowhere", key=None))
        assert (await call(api, event, signed(event))).status == 200
        assert (await api.send("GET", back, key=None)).status == 303
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await api.send("GET", path, key=None)).status == 200
    await stage.until(order["id"], "SUCCEEDED")


async def test_a_line_for_the_database_is_not_joined_when_it_stands_still(stage: Stage) -> None:
    async with small(stage, Room(at_once=1_000, db_wait_s=0.3)) as api:
        await made(api)  # what is cached is read
        async with AsyncExitStack() as held:
            for _ in range(stage.rt.settings.database_pool):
                await held.enter_async_context(stage.rt.db.statement())
            first = asyncio.create_task(api.post(ORDERS, api.wanted()))
            while stage.rt.db.waited_s() < 0.3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            check_shed(await api.post(ORDERS, api.wanted()))
            assert not first.done()
        assert (await first).status == 201
        assert stage.rt.db.waited_s() == 0
        assert (await api.post(ORDERS, api.wanted())).status == 201
