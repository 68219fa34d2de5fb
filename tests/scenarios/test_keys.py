"""A key outlives the process that worked under it, and what has changed since its answer."""

import hashlib
from typing import Any

from payloom.merchants.connections import disable_connection
from payloom.payments.wanted import WantedOrder
from tests.scenarios.moves import ORDERS, SESSIONS
from tests.scenarios.stage import Reply, Stage

KEY = "one-click"


async def send(stage: Stage, body: dict[str, Any]) -> Reply:
    return await stage.send("POST", ORDERS, json=body, headers={"Idempotency-Key": KEY})


async def leave_claimed(stage: Stage, body: dict[str, Any], *, seconds_left: int) -> None:
    """As a process does that dies right after it took the key."""
    canonical = WantedOrder.model_validate(body).canonical
    async with stage.rt.db.statement() as tx:
        await tx.execute(
            "INSERT INTO idempotency_keys (merchant_id, key, fingerprint, owner, lease_until,"
            " created_at) VALUES ($1, $2, $3, gen_random_uuid(),"
            " clock_timestamp() + $4 * interval '1 second', now())",
            stage.merchant.merchant_id,
            KEY,
            hashlib.sha256(f"POST {ORDERS}\n".encode() + canonical).digest(),
            seconds_left,
        )


async def test_the_key_of_a_dead_process_is_taken_over(stage: Stage) -> None:
    body = stage.wanted()
    await leave_claimed(stage, body, seconds_left=2)
    first = await send(stage, body)
    assert first.status == 201, first.body
    again = await send(stage, body)
    assert (again.status, again.body) == (201, first.body)
    assert len(await stage.sandbox_log(SESSIONS)) == 1


async def test_who_died_before_keeping_the_answer_left_the_order(stage: Stage) -> None:
    body = stage.wanted()
    first = await send(stage, body)
    async with stage.rt.db.statement() as tx:
        await tx.execute(
            "UPDATE idempotency_keys SET status = NULL, body = NULL, lease_until = now()"
        )
    again = await send(stage, body)
    assert (again.status, again.json) == (200, first.json)
    third = await send(stage, body)
    assert (third.status, third.body) == (200, again.body)
    assert len(await stage.sandbox_log(SESSIONS)) == 1


async def test_while_its_owner_may_live_a_key_is_waited_for(stage: Stage) -> None:
    body = stage.wanted()
    await leave_claimed(stage, body, seconds_left=60)
    reply = await send(stage, body)
    assert (reply.status, reply.json["code"]) == (409, "idempotency_key_in_use")
    assert reply.headers["retry-after"] == "1"
    other = await send(stage, {**body, "amount": 5000})
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert await stage.sandbox_log(SESSIONS) == []


async def test_an_answer_stands_whatever_has_changed_since(stage: Stage) -> None:
    body = stage.wanted()
    first = await send(stage, body)
    assert first.status == 201
    await disable_connection(stage.rt, stage.merchant.merchant_id, stage.connection_id)
    refused = await stage.post(ORDERS, stage.wanted())
    assert (refused.status, refused.json["code"]) == (422, "psp_unavailable")
    again = await send(stage, body)
    assert (again.status, again.body) == (201, first.body)
