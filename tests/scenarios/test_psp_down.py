"""A PSP is down: shops are served, others are not held up, and all comes right by itself
afterwards (F20, F21, F25, I28)."""

import asyncio
from datetime import timedelta
from typing import Any

from payloom.connectors.breaker import OF_LAST, TRIP_AT
from payloom.connectors.budget import PER_FIRST, REPEATS_MAX
from payloom.connectors.gate import OTHERS_AT_ONCE
from payloom.connectors.urgency import Urgency, calling_as
from payloom.core import ids
from payloom.merchants.connections import connector_of
from payloom.merchants.merchants import create_merchant
from tests.scenarios.moves import ORDERS, SESSIONS, advance, made, shown, token_of
from tests.scenarios.stage import Stage, connect_psp, fresh_psp_key
from tests.scenarios.telling import check_paid_once, until

AN_HOUR = timedelta(hours=1)


async def down(stage: Stage) -> list[dict[str, Any]]:
    """The PSP hangs up on everything; the orders that were taken until we noticed."""
    await stage.fault(SESSIONS, "drop", count=-1)
    return [await taken(stage) for _ in range(TRIP_AT)]


async def taken(stage: Stage) -> dict[str, Any]:
    """An order that is kept although the PSP could not be asked."""
    reply = await stage.post(ORDERS, stage.wanted())
    assert reply.status == 202, reply.body
    order: dict[str, Any] = reply.json
    assert (order["payment_order_status"], order["redirect_url"]) == ("CREATED", None)
    return order


def breaker_of(stage: Stage) -> Any:
    return stage.rt.gates.of(stage.connection_id, "stripe", None).breaker


async def jobs(stage: Stage) -> list[dict[str, Any]]:
    """Those that ask about attempts."""
    async with stage.rt.db.statement() as tx:
        return [dict(row) for row in await tx.fetch("SELECT * FROM jobs WHERE kind = 'look_up'")]


async def test_orders_are_taken_while_the_psp_is_down_and_registered_once_it_is_back(
    stage: Stage,
) -> None:
    orders = await down(stage)
    assert not breaker_of(stage).is_closed
    orders += [await taken(stage) for _ in range(20)]
    for _ in range(3):  # the jobs come round, and find that they may not ask
        await advance(stage, 31)
        await asyncio.sleep(0.3)
    asked = len(await stage.sandbox_log(SESSIONS))
    assert asked < TRIP_AT + 5, "after the breaker opened, only probes"
    for job in await jobs(stage):
        assert (job["quarantined_at"], job["last_error"]) == (None, None)
        assert job["tries"] <= 1, "what was held back is no failure of the job"

    await stage.sandbox("DELETE", "/_sandbox/faults")
    await all_registered(stage, orders)
    sessions = (await stage.sandbox("GET", f"{SESSIONS}?limit=100"))["data"]
    assert len(sessions) == len(orders)
    paid = await shown(stage, orders[-1]["id"])
    await stage.pay(token_of(paid))
    await stage.until(paid["id"], "SUCCEEDED")
    await check_paid_once(stage, paid)


async def all_registered(stage: Stage, orders: list[dict[str, Any]]) -> None:
    async def done() -> bool:
        await advance(stage, 31)
        await asyncio.sleep(0.2)
        states = {(await shown(stage, each["id"]))["payment_order_status"] for each in orders}
        assert states <= {"CREATED", "PENDING"}, "nothing was concluded from silence"
        return states == {"PENDING"}

    await until(done)


async def test_what_a_gate_has_learnt_outlives_the_connector(stage: Stage) -> None:
    """Connectors are built anew every few seconds; the PSP is as dead as before."""
    await down(stage)
    asked = len(await stage.sandbox_log(SESSIONS))
    _, connector = await connector_of(stage.rt, stage.connection_id)
    stage.rt.cache.forget(("connector_of", stage.connection_id))
    _, rebuilt = await connector_of(stage.rt, stage.connection_id)
    assert rebuilt is not connector
    await taken(stage)
    assert not breaker_of(stage).is_closed
    assert len(await stage.sandbox_log(SESSIONS)) <= asked + 1  # a probe at most


async def test_another_merchants_connection_is_none_the_worse(stage: Stage) -> None:
    other = await create_merchant(stage.rt, "Next door", "test")
    await connect_psp(
        stage.rt, stage.http, other, api_url=stage.api_url, sandbox_url=stage.sandbox_url,
        psp_key=fresh_psp_key(),
    )  # fmt: skip
    await down(stage)
    for _ in range(5):
        reply = await stage.send("POST", ORDERS, json=stage.wanted(), key=other.api_key.reveal())
        assert (reply.status, reply.json["payment_order_status"]) == (201, "PENDING")


async def test_jobs_stand_back_where_shoppers_do_not(stage: Stage) -> None:
    """Enough of what nobody waits for is on its way to the PSP already."""
    gate = stage.rt.gates.of(stage.connection_id, "stripe", None)
    with calling_as(Urgency.ROUTINE):
        on_their_way = [await gate.enter("list_events") for _ in range(OTHERS_AT_ONCE)]
    await stage.fault(SESSIONS, "drop")
    order = await taken(stage)
    await advance(stage, 31)
    await until(lambda: postponed(stage))
    assert len(await stage.sandbox_log(SESSIONS)) == 1
    await made(stage)
    for call in on_their_way:
        gate.leave(call)
    await all_registered(stage, [order])


async def test_jobs_keep_to_the_budget_and_first_tries_fill_it(stage: Stage) -> None:
    gate = stage.rt.gates.of(stage.connection_id, "stripe", None)
    with calling_as(Urgency.REPEAT):
        for _ in range(int(REPEATS_MAX) // OTHERS_AT_ONCE):
            calls = [await gate.enter("some_verb") for _ in range(OTHERS_AT_ONCE)]
            for call in calls:
                call.answered(429)
                gate.leave(call)
    await stage.fault(SESSIONS, "drop")
    order = await taken(stage)
    await advance(stage, 31)
    await until(lambda: postponed(stage))
    assert len(await stage.sandbox_log(SESSIONS)) == 1
    for _ in range(round(1 / PER_FIRST)):
        await made(stage)
    await all_registered(stage, [order])


async def postponed(stage: Stage) -> bool:
    """The job was due, did not ask, and will come again soon; that is no failure."""
    now = stage.rt.clock()
    (job,) = [each for each in await jobs(stage) if each["run_at"] < now + AN_HOUR]
    return bool(job["run_at"] > now and job["tries"] == 0 and job["last_error"] is None)


async def test_a_key_that_the_psp_does_not_know_any_more_is_not_tried_again_and_again(
    stage: Stage,
) -> None:
    """Every call would be refused: an operator has to mend it, and then all goes on (F25)."""
    await stage.fault(SESSIONS, "status", status=401, count=-1)
    orders = [await taken(stage) for _ in range(OF_LAST)]
    assert len(await stage.sandbox_log(SESSIONS)) < OF_LAST
    await stage.sandbox("DELETE", "/_sandbox/faults")
    await all_registered(stage, orders)


async def test_the_log_names_the_connection_whose_breaker_opened(stage: Stage, capsys: Any) -> None:
    await down(stage)
    told = [line for line in capsys.readouterr().out.splitlines() if "breaker_opened" in line]
    assert len(told) == 1
    assert ids.text("con", stage.connection_id) in told[0]
