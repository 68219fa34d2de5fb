"""Every webhook is lost: the sweep reads the PSP's event list, and the truth is here within a
minute of the PSP's knowing it (F39), at a cost that does not grow with the open pages."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from payloom.connectors.stripe import CONNECTOR
from payloom.merchants.connections import disable_connection
from payloom.notices import pace
from payloom.runtime import Runtime
from tests.scenarios.moves import (
    advance,
    causes,
    events,
    made,
    notices,
    postings,
    shown,
    token_of,
)
from tests.scenarios.stage import Stage
from tests.scenarios.telling import lose_notices, until

EVENTS = "/v1/events"


@pytest.fixture
def settings(settings: Any) -> Any:
    return replace(settings, sweep=True)


@pytest.fixture
async def deaf(stage: Stage) -> Stage:
    """Nothing but the sweep tells us of payments."""
    await lose_notices(stage)
    return stage


async def a_minute_passes(stage: Stage) -> None:
    """In steps, as a clock does."""
    for _ in range(3):
        await advance(stage, 20)


async def test_a_payment_is_found_within_a_minute(deaf: Stage) -> None:
    order = await made(deaf)
    await deaf.pay(token_of(order))
    await a_minute_passes(deaf)
    await deaf.until(order["id"], "SUCCEEDED")
    assert (await causes(deaf, order["id"]))[-1] == ("Paid", "notice")
    assert {each["via"] for each in await notices(deaf)} == {"sweep"}
    assert await events(deaf, order["id"]) == ["registered", "succeeded"]
    assert await postings(deaf, order["id"]) == [("captured", 4999)]


async def test_a_decline_and_an_expiry_are_found(deaf: Stage) -> None:
    order = await made(deaf, expires_in=2_100)
    await deaf.pay(token_of(order), "4000000000009995")
    await a_minute_passes(deaf)

    async def is_declined() -> bool:
        return bool((await shown(deaf, order["id"]))["last_error"])

    await until(is_declined)
    await advance(deaf, 2_100)
    await deaf.until(order["id"], "EXPIRED")


async def test_what_webhooks_brought_is_not_taken_in_twice(stage: Stage) -> None:
    order = await made(stage)
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    before = await notices(stage)
    reads = await reads_of(stage)
    await a_minute_passes(stage)
    await made(stage)  # something is in flight, so the sweep goes on
    await a_minute_passes(stage)

    await until_read(stage, reads + 1)
    assert [each["id"] for each in await notices(stage)][: len(before)] == [
        each["id"] for each in before
    ]
    types = [each["type"] for each in await notices(stage)]
    assert types.count("checkout.session.completed") == 1
    assert await events(stage, order["id"]) == ["registered", "succeeded"]


async def reads_of(stage: Stage) -> int:
    log = await stage.sandbox("GET", "/_sandbox/log")
    return sum(each["path"] == EVENTS and each["method"] == "GET" for each in log)


async def until_read(stage: Stage, times: int) -> None:
    async def has_read() -> bool:
        return await reads_of(stage) >= times

    await until(has_read)


@pytest.mark.parametrize("effect", ["drop", "truncate", "status"])
async def test_a_list_that_does_not_come_is_asked_for_again(deaf: Stage, effect: str) -> None:
    reads = await reads_of(deaf)
    await deaf.fault(EVENTS, effect, method="GET", count=2)
    order = await made(deaf)
    await deaf.pay(token_of(order))
    for times in (1, 2, 3):
        await advance(deaf, 20)
        await until_read(deaf, reads + times)
    await deaf.until(order["id"], "SUCCEEDED")


async def test_a_psp_that_was_away_for_a_day_is_caught_up_with(deaf: Stage) -> None:
    """No window is skipped, however long it took."""
    await deaf.fault(EVENTS, "drop", method="GET", count=-1)
    order = await made(deaf)
    await deaf.pay(token_of(order))
    for _ in range(4):
        await advance(deaf, 6 * 3_600)
    assert (await shown(deaf, order["id"]))["payment_order_status"] == "PENDING"
    await deaf.sandbox("DELETE", "/_sandbox/faults")
    await advance(deaf, 20)
    await deaf.until(order["id"], "SUCCEEDED")


async def test_more_events_than_a_page_holds_are_all_read(deaf: Stage) -> None:
    order = await made(deaf)
    token = token_of(order)
    for _ in range(101):
        await deaf.pay(token, "4000000000000002")
    await deaf.pay(token)
    await a_minute_passes(deaf)
    await deaf.until(order["id"], "SUCCEEDED")
    assert len(await notices(deaf)) == 102


async def test_without_anything_in_flight_the_list_is_left_alone(stage: Stage) -> None:
    reads = await reads_of(stage)
    for _ in range(5):
        await advance(stage, 20)
    assert await reads_of(stage) == reads
    await advance(stage, 3_600)
    await until_read(stage, reads + 1)


async def test_another_merchants_events_stay_with_him(deaf: Stage, rt: Runtime) -> None:
    """Each connection is read with its own key, and its notices are its merchant's."""
    order = await made(deaf)
    await deaf.pay(token_of(order))
    await a_minute_passes(deaf)
    await deaf.until(order["id"], "SUCCEEDED")
    async with rt.db.statement() as tx:
        rows = await tx.fetch("SELECT DISTINCT merchant_id, connection_id FROM notices")
    assert [(row["merchant_id"], row["connection_id"]) for row in rows] == [
        (deaf.merchant.merchant_id, deaf.connection_id)
    ]


async def test_a_disabled_connection_is_not_read_any_more(stage: Stage, rt: Runtime) -> None:
    await made(stage)
    await disable_connection(rt, stage.merchant.merchant_id, stage.connection_id)
    await advance(stage, 20)

    async def is_gone() -> bool:
        async with rt.db.statement() as tx:
            return not await tx.fetchval("SELECT count(*) FROM jobs WHERE kind = 'sweep'")

    await until(is_gone)
    reads = await reads_of(stage)
    await advance(stage, 60)
    assert await reads_of(stage) == reads


def test_the_pace_keeps_within_what_the_psp_grants() -> None:
    grant = CONNECTOR.reads
    assert grant is not None
    for payments in (0, 1, 30, 100, 180, 399):
        reads, passed, made = 0.0, timedelta(0), 0
        while passed < 3 * grant.over:
            wait = pace.pause(reads, grant, payments)
            reads = pace.left_over(reads + 1, grant, payments, wait)
            passed, made = passed + wait, made + 1
        # the bucket may be emptied once besides
        assert made <= 3.5 * max(grant.at_least, grant.per_payment * payments)
        assert wait >= pace.PERIOD
    assert pace.pause(5_000, grant, 0) > timedelta(minutes=4)
    assert pace.pause(50_000, grant, 6 * 30) < timedelta(minutes=1)
