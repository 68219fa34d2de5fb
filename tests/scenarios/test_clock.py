"""Business time over HTTP: a day passes here and at the stand-in PSP, in test mode only."""

from typing import Any

import asyncpg
import pytest

from payloom.core.secret import Secret
from payloom.merchants.connections import add_connection
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime
from tests.scenarios.moves import made
from tests.scenarios.stage import Reply, Stage, fresh_psp_key
from tests.scenarios.test_refusals import check_problem

ADVANCE = "/v1/test/clock/advance"


async def psp_time(stage: Stage) -> float:
    clock: dict[str, Any] = await stage.sandbox("GET", "/_sandbox/clock")
    return float(clock["offset_s"])


async def offset(rt: Runtime) -> int:
    async with rt.db.statement() as tx:
        seconds: int = await tx.fetchval("SELECT offset_seconds FROM business_clock")
    return seconds


async def test_a_day_passes_here_and_at_the_psp(stage: Stage) -> None:
    order = await made(stage)
    reply = await stage.post(ADVANCE, {"seconds": 86_400})
    assert reply.status == 200
    assert reply.json["offset_seconds"] == 86_400
    assert reply.json["now"] > order["expires_at"]
    assert await psp_time(stage) == 86_400
    expired = await stage.until(order["id"], "EXPIRED")
    assert expired["updated_at"] > order["expires_at"]
    again = await stage.post(ADVANCE, {"seconds": 60})
    assert again.json["offset_seconds"] == 86_460


async def test_two_connections_of_one_psp_account_move_it_once(stage: Stage) -> None:
    await add_connection(
        stage.rt,
        stage.merchant.merchant_id,
        "stripe",
        {"api_key": Secret(stage.psp_key)},
        api_base=stage.sandbox_url,
    )
    await stage.post(ADVANCE, {"seconds": 100})
    assert await psp_time(stage) == 100


async def test_a_key_moves_time_once(stage: Stage) -> None:
    replies = [await stage.post(ADVANCE, {"seconds": 50}, **{"Idempotency-Key": "k"}) for _ in "12"]
    assert replies[0].body == replies[1].body
    assert await offset(stage.rt) == await psp_time(stage) == 50


@pytest.mark.parametrize(
    "body", [{}, {"seconds": 0}, {"seconds": -1}, {"seconds": 1.5}, {"seconds": 10**9},
             {"seconds": 1, "minutes": 1}], ids=str,
)  # fmt: skip
async def test_a_wish_with_mistakes_moves_nothing(stage: Stage, body: dict[str, Any]) -> None:
    check_problem(await stage.post(ADVANCE, body), 422)
    assert await offset(stage.rt) == await psp_time(stage) == 0


async def as_live(stage: Stage) -> Reply:
    live = await create_merchant(stage.rt, "Real Shop", "live")
    headers = {"Authorization": f"Bearer {live.api_key.reveal()}"}
    return await stage.send("POST", ADVANCE, headers=headers, json={"seconds": 60})


async def test_a_live_key_may_not(stage: Stage) -> None:
    check_problem(await as_live(stage), 403, "forbidden")


async def test_where_a_merchant_is_live_nobody_may(stage: Stage) -> None:
    await create_merchant(stage.rt, "Real Shop", "live")
    check_problem(await stage.post(ADVANCE, {"seconds": 60}), 409, "live_merchants")
    assert await offset(stage.rt) == await psp_time(stage) == 0


async def test_the_database_keeps_live_merchants_and_moved_time_apart(stage: Stage) -> None:
    async with stage.rt.db.statement() as tx:
        await tx.execute("UPDATE business_clock SET offset_seconds = 60")
    with pytest.raises(asyncpg.CheckViolationError, match="live mode"):
        await create_merchant(stage.rt, "Real Shop", "live")
    async with stage.rt.db.statement() as tx:
        await tx.execute("UPDATE business_clock SET offset_seconds = 0")
        await create_merchant(stage.rt, "Real Shop", "live")
        with pytest.raises(asyncpg.CheckViolationError, match="live mode"):
            await tx.execute("UPDATE business_clock SET offset_seconds = 60")


async def test_a_stand_in_that_is_away_leaves_our_time_alone(stage: Stage) -> None:
    await add_connection(
        stage.rt,
        stage.merchant.merchant_id,
        "stripe",
        {"api_key": Secret(fresh_psp_key())},
        api_base="http://127.0.0.1:9",
    )
    check_problem(await stage.post(ADVANCE, {"seconds": 60}), 503, "stand_in_unavailable")
    assert await offset(stage.rt) == 0


async def test_a_psp_that_is_not_on_this_machine_is_never_asked(stage: Stage) -> None:
    await add_connection(
        stage.rt,
        stage.merchant.merchant_id,
        "stripe",
        {"api_key": Secret(fresh_psp_key())},
        api_base="https://psp.invalid",
    )
    assert (await stage.post(ADVANCE, {"seconds": 60})).status == 200
