"""A backlog of notices holds up nobody who pays now, and none of it waits for ever (F45, F46)."""

import asyncio
import time
from datetime import timedelta

import aiohttp
import pytest

from payloom.core import ids
from payloom.notices import queries
from payloom.notices.apply import apply_waiting
from payloom.notices.effect import PARK_FOR, PARK_PAUSE_MAX
from payloom.runtime import NOTICES_AT_ONCE
from tests.notices import forging
from tests.notices.given import COMPLETED, Given, event, raw, session
from tests.scenarios.stage import serving

LIMIT = 40


async def backlog(given: Given, count: int, *, tries: int = 0) -> None:
    """So many notices of last week, a second apart, that move nothing."""
    body = raw(event("charge.succeeded", {"id": "ch_1", "object": "charge"}))
    since = given.rt.clock() - timedelta(days=7)
    async with given.rt.db.statement() as tx:
        await tx.execute(
            _BACKLOG, given.merchant_id, given.connection_id, body, since, count, tries
        )


_BACKLOG = """
INSERT INTO notices (merchant_id, id, connection_id, psp_event, type, body, via, state, tries,
                     next_at, received_at)
SELECT $1, gen_random_uuid(), $2, 'evt_old_' || n, 'charge.succeeded', $3, 'webhook', 'stored', $6,
       $4::timestamptz + n * interval '1 second', $4::timestamptz + n * interval '1 second'
  FROM generate_series(1, $5::int) AS n
"""


async def left(given: Given) -> list[int]:
    """Which of the backlog still wait, by number."""
    rows = await given.rows(
        "SELECT psp_event FROM notices WHERE state = 'stored' AND psp_event LIKE 'evt_old_%'"
    )
    return sorted(int(row["psp_event"].removeprefix("evt_old_")) for row in rows)


async def test_a_payment_made_now_is_in_the_next_batch(given: Given) -> None:
    await backlog(given, 20_000)
    for payment in await given.opened(5):
        await given.told(event(COMPLETED, session(payment)))
        assert await apply_waiting(given.rt, limit=LIMIT) == LIMIT
        assert await given.status(payment) == "SUCCEEDED"


async def test_the_oldest_go_on_however_many_new_ones_come(given: Given) -> None:
    """More arrive than a batch holds: half of it is for the oldest all the same."""
    await backlog(given, 200)
    for batch in range(1, 6):
        fresh = [event("charge.updated", {"object": "charge"}) for _ in range(2 * LIMIT)]
        await given.told(*fresh)
        assert await apply_waiting(given.rt, limit=LIMIT) == LIMIT
        assert await left(given) == list(range(batch * LIMIT // 2 + 1, 201))


async def test_a_backlog_is_worked_off_from_both_ends(given: Given) -> None:
    await backlog(given, 200)
    assert await apply_waiting(given.rt, limit=LIMIT) == LIMIT
    assert await left(given) == list(range(LIMIT // 2 + 1, 200 - LIMIT // 2 + 1))
    assert await given.all_applied() == 200 - LIMIT
    assert {(row["state"], row["tries"]) for row in await given.notices()} == {("ignored", 1)}


async def test_what_was_tried_before_does_not_pass_for_new(given: Given) -> None:
    """A parked notice comes due again and again: it must not push a fresh one down."""
    (payment,) = await given.opened()
    await backlog(given, 1_000, tries=1)
    await given.told(event(COMPLETED, session(payment)))
    await given.later(days=14)
    await backlog(given, 1_000, tries=1)  # due after it, as the others were before
    await apply_waiting(given.rt, limit=LIMIT)
    assert await given.status(payment) == "SUCCEEDED"


async def test_what_stays_unknown_is_tried_ever_less_often(given: Given) -> None:
    (payment,) = await given.opened()
    nobody = {"payloom_attempt": ids.text("att", ids.new())}
    await given.told(event(COMPLETED, session(payment, metadata=nobody)))
    before = given.rt.clock()
    while given.rt.clock() - before < PARK_FOR + PARK_PAUSE_MAX:
        await given.all_applied()
        await given.later(seconds=1)
    (row,) = await given.notices()
    assert row["state"] == "not_ours"
    assert PARK_FOR <= row["finished_at"] - row["received_at"] <= PARK_FOR + PARK_PAUSE_MAX
    assert row["tries"] < 40


@pytest.mark.parametrize("count", [0, 20_000])
async def test_both_ends_of_the_queue_are_read_from_the_index(given: Given, count: int) -> None:
    await backlog(given, count)
    for sql, direction in (
        (queries._OLDEST, "Index Scan"),
        (queries._NEWEST, "Index Scan Backward"),
    ):
        names = "timestamptz, int" + ", timestamptz" * ("$3" in sql)
        values = "now(), 20" + ", '2000-01-01'" * ("$3" in sql)
        for mode in ("force_generic_plan", "force_custom_plan"):
            async with given.rt.db.transaction() as tx:
                await tx.execute(f"SET LOCAL plan_cache_mode = {mode}")
                await tx.execute(f"PREPARE claim ({names}) AS {queries._CLAIM + sql}")
                rows = await tx.fetch(f"EXPLAIN EXECUTE claim ({values})")
                await tx.execute("DEALLOCATE claim")
            plan = "\n".join(row[0] for row in rows)
            assert f"{direction} using notices_waiting" in plan, plan
            assert "Sort" not in plan, plan
            assert "Seq Scan" not in plan, plan


async def test_receiving_waits_for_no_batch(given: Given) -> None:
    """A batch holds every row it can: a fresh notice and a repetition are answered nevertheless."""
    (payment,) = await given.opened()
    known, fresh = (raw(event(COMPLETED, session(payment))) for _ in range(2))
    await given.told(known)
    async with serving(given.rt) as url, aiohttp.ClientSession() as http:
        path = f"{url}/psp/stripe/{ids.text('con', given.connection_id)}/notices"
        async with given.rt.db.transaction() as tx:
            assert len(await queries.claim_waiting(tx, given.rt.clock(), limit=LIMIT)) == 1
            await tx.fetch("SELECT FROM payment_orders FOR UPDATE")
            for body in (known, fresh):
                headers = {"Stripe-Signature": forging.signed(body, int(time.time()))}
                async with http.post(path, data=body, headers=headers) as answer:
                    assert answer.status == 200
    (seen,) = await given.rows("SELECT max(times) AS times, count(*) AS all FROM notices_seen")
    assert (seen["times"], seen["all"]) == (2, 2)


async def test_many_at_once_are_taken_in_a_few_at_a_time(given: Given) -> None:
    """Those that have a place hang on a lock; more wait without a connection of the database."""
    bodies = [raw(event("charge.updated", {"object": "charge"})) for _ in range(12)]
    async with serving(given.rt) as url, aiohttp.ClientSession() as http:
        path = f"{url}/psp/stripe/{ids.text('con', given.connection_id)}/notices"

        async def send(body: bytes) -> int:
            headers = {"Stripe-Signature": forging.signed(body, int(time.time()))}
            async with http.post(path, data=body, headers=headers) as answer:
                return answer.status

        async with given.rt.db.transaction() as tx:
            await tx.execute("LOCK TABLE notices IN ACCESS EXCLUSIVE MODE")
            sending = [asyncio.create_task(send(body)) for body in bodies]
            waiting = 0
            while waiting < NOTICES_AT_ONCE:
                waiting = await tx.fetchval(_WAITING_FOR_NOTICES)
            await asyncio.sleep(0.2)
            assert await tx.fetchval(_WAITING_FOR_NOTICES) == NOTICES_AT_ONCE
        assert await asyncio.gather(*sending) == [200] * len(bodies)


_WAITING_FOR_NOTICES = """
SELECT count(*) FROM pg_locks WHERE relation = 'notices'::regclass AND NOT granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
