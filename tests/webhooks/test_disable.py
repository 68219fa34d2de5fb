"""An endpoint that fails for long is switched off, tells so, and can come back (F56)."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from payloom.core import ids
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime
from payloom.webhooks import queries
from payloom.webhooks.deliver import LEASE_S, PER_ENDPOINT, Outlet, deliver_due
from payloom.webhooks.disable import disable_endpoint
from payloom.webhooks.endpoints import (
    ENABLED_MAX,
    EndpointDeleted,
    NoSuchEndpoint,
    TooManyEndpoints,
    create_endpoint,
    delete_endpoint,
    enable_endpoint,
)
from payloom.webhooks.model import Claimed, Result, Written
from payloom.webhooks.schedule import FAILING_MIN, FAILURES_MIN, is_given_up
from tests.webhooks.calling import Api
from tests.webhooks.receiver import Receiver, answering, open_receiver
from tests.webhooks.rows import advance, deliver, deliveries, endpoint_at, events, rows, tell

URL = "https://shop.example/hooks"
DISABLED = "webhook_endpoint.disabled"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("failures", "since", "is_enough"),
    [
        (FAILURES_MIN, NOW - FAILING_MIN, True),
        (FAILURES_MIN + 1000, NOW - timedelta(days=400), True),
        (FAILURES_MIN - 1, NOW - FAILING_MIN, False),
        (FAILURES_MIN, NOW - FAILING_MIN + SECOND, False),
        (FAILURES_MIN - 1, NOW - timedelta(days=400), False),
        (10_000, NOW - SECOND, False),
        (0, None, False),
    ],
    ids=str,
)
def test_many_failures_and_a_long_time_must_come_together(
    failures: int, since: datetime | None, is_enough: bool
) -> None:
    assert is_given_up(failures, since, NOW) is is_enough


async def test_an_endpoint_that_fails_for_five_days_is_switched_off_and_not_before(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(503)
    await fail(rt, merchant, outlet, tries=3 * FAILURES_MIN)  # an hour of a busy one
    assert (await state_of(rt, endpoint))["disabled_at"] is None
    await advance(rt, FAILING_MIN - SECOND)
    await fail(rt, merchant, outlet, tries=1)
    assert (await state_of(rt, endpoint))["disabled_at"] is None

    await advance(rt, SECOND)
    await fail(rt, merchant, outlet, tries=1)

    off = await state_of(rt, endpoint)
    assert off["disabled_reason"] == "failing"
    assert off["failures"] > 3 * FAILURES_MIN
    receiver.got.clear()
    await tell(rt, merchant)
    await advance(rt, timedelta(days=30))
    while await deliver(rt, outlet):
        pass
    assert receiver.got == []
    assert {row["state"] for row in await deliveries(rt)} == {"exhausted"}


async def test_a_quiet_endpoint_keeps_its_few_failures(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    """One event, all its tries, and then a year of silence."""
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(404)
    await tell(rt, merchant)
    for _ in range(20):
        await deliver(rt, outlet)
        await advance(rt, timedelta(days=30))
    now = await state_of(rt, endpoint)
    assert (now["disabled_at"], now["failures"]) == (None, 12)


async def test_one_success_and_it_starts_from_nothing(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(503)
    await fail(rt, merchant, outlet, tries=FAILURES_MIN)
    await advance(rt, FAILING_MIN - SECOND)
    receiver.answer = answering(204)
    await tell(rt, merchant)
    await deliver(rt, outlet)
    now = await state_of(rt, endpoint)
    assert (now["failures"], now["failing_since"]) == (0, None)

    receiver.answer = answering(503)
    await advance(rt, SECOND)
    await fail(rt, merchant, outlet, tries=FAILURES_MIN)
    assert (await state_of(rt, endpoint))["disabled_at"] is None


async def test_while_all_is_well_an_endpoints_row_is_not_written(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    await endpoint_at(rt, merchant, receiver.url)
    version = "SELECT xmin, ctid FROM webhook_endpoints"
    before = await rows(rt, version)
    for _ in range(3):
        await tell(rt, merchant)
        await deliver(rt, outlet)
    assert await rows(rt, version) == before


async def test_410_switches_off_at_once_and_the_others_are_told(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, api: Api
) -> None:
    async with open_receiver() as other:
        endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
        await endpoint_at(rt, merchant, other.url, [DISABLED])
        before = counted("gone")
        receiver.answer = answering(410)
        for _ in range(3):
            await tell(rt, merchant)
        while await deliver(rt, outlet):
            pass

        assert [row["state"] for row in await deliveries(rt)] == [*["exhausted"] * 3, "delivered"]
        sent = len(receiver.got)
        await tell(rt, merchant)
        await deliver(rt, outlet)
        assert len(receiver.got) == sent
        (got,) = other.got
    told = json.loads(got.body)
    _, shown = await api.get(f"/v1/webhook-endpoints/{ids.text('whe', endpoint)}")
    assert (told["type"], told["sequence"], told["data"]) == (DISABLED, 1, shown)
    assert (shown["disabled_reason"], shown["disabled_at"]) == ("gone", told["timestamp"])
    _, listed = await api.get("/v1/events", type=DISABLED)
    assert listed["data"] == [told]
    assert counted("gone") == before + 1


async def test_what_counts_is_the_endpoints_own_failure_not_ours(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    broken, _ = await endpoint_at(rt, merchant, receiver.url)
    await rows(rt, "DELETE FROM secrets WHERE owner = $1 RETURNING owner", endpoint)
    await rows(
        rt,
        "UPDATE secrets SET sealed = sha256(sealed) || sealed WHERE owner = $1 RETURNING owner",
        broken,
    )
    for which in (endpoint, broken):
        rt.cache.forget(("webhook_secrets", merchant, which))
    await fail(rt, merchant, outlet, tries=2)
    assert len(await deliveries(rt)) == 4
    for which in (endpoint, broken):
        now = await state_of(rt, which)
        assert (now["failures"], now["failing_since"]) == (0, None)


async def test_a_result_that_lost_its_claim_speaks_against_nobody(
    rt: Runtime, merchant: UUID
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    await tell(rt, merchant)
    (slow,) = await claim(rt, lease_s=0)
    await claim(rt)
    assert await record(rt, [slow]) == {}
    assert (await state_of(rt, endpoint))["failures"] == 0


async def test_a_410_that_lost_its_claim_switches_nothing_off(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    release = asyncio.Event()

    async def slowly(_request: web.Request) -> web.Response:
        await release.wait()
        return web.Response(status=410)

    receiver.answer = slowly
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    await tell(rt, merchant)
    await deliver_due(rt, outlet, limit=1)
    await receiver.wait_for(1)
    await rows(rt, "UPDATE deliveries SET lease_until = now() - interval '1 day' RETURNING id")
    await claim(rt)
    release.set()
    await outlet.settle()
    assert (await state_of(rt, endpoint))["disabled_at"] is None


async def test_endpoints_are_locked_in_the_order_of_their_ids(
    rt: Runtime, dsn: str, merchant: UUID
) -> None:
    """Else two workers with results of the same ones could wait for each other in a circle: while
    one waits for the first endpoint, it must hold none of the others."""
    endpoints = [(await endpoint_at(rt, merchant, URL))[0] for _ in range(8)]
    for _ in range(3):
        await tell(rt, merchant)
    claimed = await claim(rt)
    # The first one lies last, and this worker's plans take rows as they lie.
    await rows(
        rt, "UPDATE webhook_endpoints SET url = url WHERE id = $1 RETURNING id", endpoints[0]
    )
    ways = ("sort", "nestloop", "mergejoin", "indexscan", "indexonlyscan", "bitmapscan")
    other = await asyncpg.connect(dsn, server_settings={f"enable_{way}": "off" for way in ways})
    is_locked, may_end = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with rt.db.transaction() as tx:
            await tx.fetch(_LOCK, endpoints[:1])
            is_locked.set()
            await may_end.wait()

    holding = asyncio.create_task(hold())
    await is_locked.wait()
    results = [Result(each, "pending", rt.clock(), 500, "no", is_failure=True) for each in claimed]
    recording = asyncio.create_task(queries.record_results(other, results, rt.clock()))
    await until_somebody_waits(rt)
    free = await rows(rt, _LOCK + " SKIP LOCKED", endpoints[1:])
    may_end.set()
    await holding
    await recording
    await other.close()
    assert len(free) == len(endpoints) - 1


async def test_two_workers_with_results_of_the_same_endpoints_count_them_all(
    rt: Runtime, merchant: UUID
) -> None:
    endpoints = [(await endpoint_at(rt, merchant, URL))[0] for _ in range(6)]
    for _ in range(8):
        await tell(rt, merchant)
    claimed = await claim(rt)
    assert len(claimed) == 48
    halves = [claimed[0::2], claimed[1::2][::-1]]
    await asyncio.gather(*(record(rt, half) for half in halves))
    assert {(await state_of(rt, each))["failures"] for each in endpoints} == {8}


async def test_a_success_beside_failures_counts_as_success(rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    for _ in range(3):
        await tell(rt, merchant)
    taken, *failed = await claim(rt)
    await record(rt, failed[:1])
    await record(rt, failed[1:], taken)
    assert (await state_of(rt, endpoint))["failures"] == 0


async def test_two_workers_switch_it_off_once(rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    made = await asyncio.gather(
        *(disable_endpoint(rt, merchant, endpoint, "gone") for _ in range(4))
    )
    assert sorted(made) == [False, False, False, True]
    assert [(row["type"], row["sequence"]) for row in await events(rt)] == [(DISABLED, 1)]


async def test_a_success_that_came_first_keeps_it_on(rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    assert not await disable_endpoint(rt, merchant, endpoint, "failing")
    assert not await disable_endpoint(rt, merchant, ids.new(), "gone")
    assert await events(rt) == []
    assert (await state_of(rt, endpoint))["disabled_at"] is None


async def test_a_success_that_is_about_to_commit_keeps_it_on(rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    await rows(
        rt,
        "UPDATE webhook_endpoints SET failures = $1, failing_since = $2 RETURNING id",
        FAILURES_MIN,
        rt.clock() - FAILING_MIN,
    )
    is_written, may_commit = asyncio.Event(), asyncio.Event()

    async def succeed() -> None:
        async with rt.db.transaction() as tx:
            await tx.execute("UPDATE webhook_endpoints SET failures = 0, failing_since = NULL")
            is_written.set()
            await may_commit.wait()

    success = asyncio.create_task(succeed())
    await is_written.wait()
    giving_up = asyncio.create_task(disable_endpoint(rt, merchant, endpoint, "failing"))
    await until_somebody_waits(rt)
    may_commit.set()
    await success
    assert not await giving_up
    assert (await state_of(rt, endpoint))["disabled_at"] is None


async def test_a_deleted_endpoint_is_not_told_of_as_switched_off(
    rt: Runtime, merchant: UUID
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    await delete_endpoint(rt, merchant, endpoint)
    assert not await disable_endpoint(rt, merchant, endpoint, "gone")
    assert await events(rt) == []


# --- enabling again --------------------------------------------------------------------------


async def test_enabled_again_it_hears_of_what_happens_and_is_numbered_on(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(410)
    await tell(rt, merchant)
    await deliver(rt, outlet)
    await tell(rt, merchant)
    receiver.got.clear()

    enabled = await enable_endpoint(rt, merchant, endpoint)

    assert (enabled.disabled_at, enabled.disabled_reason) == (None, None)
    assert (enabled.failures, enabled.failing_since) == (0, None)
    receiver.answer = answering(200)
    await tell(rt, merchant, sequence=9)
    while await deliver(rt, outlet):
        pass
    # What it was owed when it was switched off was not closed yet, and is sent; missed is missed.
    assert [json.loads(got.body)["sequence"] for got in receiver.got].count(9) == 1
    assert len(receiver.got) <= 2
    await disable_endpoint(rt, merchant, endpoint, "gone")
    told = [row["sequence"] for row in await events(rt) if row["type"] == DISABLED]
    assert told == [1, 2]


async def test_enabling_what_is_enabled_changes_nothing(rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    before = await state_of(rt, endpoint)
    await enable_endpoint(rt, merchant, endpoint)
    assert await state_of(rt, endpoint) == before


async def test_what_cannot_be_enabled_is_refused(rt: Runtime, merchant: UUID) -> None:
    deleted, _ = await endpoint_at(rt, merchant, URL)
    failed, _ = await endpoint_at(rt, merchant, URL)
    await delete_endpoint(rt, merchant, deleted)
    await disable_endpoint(rt, merchant, failed, "gone")
    with pytest.raises(EndpointDeleted):
        await enable_endpoint(rt, merchant, deleted)
    with pytest.raises(NoSuchEndpoint):
        await enable_endpoint(rt, merchant, ids.new())
    other = (await create_merchant(rt, "Other", "test")).merchant_id
    with pytest.raises(NoSuchEndpoint):
        await enable_endpoint(rt, other, failed)
    for _ in range(ENABLED_MAX):
        await create_endpoint(rt, merchant, "test", URL, None)
    with pytest.raises(TooManyEndpoints):
        await enable_endpoint(rt, merchant, failed)
    assert (await state_of(rt, failed))["disabled_reason"] == "gone"


async def test_deleting_what_was_switched_off_is_for_good(rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    await disable_endpoint(rt, merchant, endpoint, "gone")
    off = await state_of(rt, endpoint)
    await advance(rt, SECOND)
    deleted = await delete_endpoint(rt, merchant, endpoint)
    assert (deleted.disabled_at, deleted.disabled_reason) == (off["disabled_at"], "deleted")
    with pytest.raises(EndpointDeleted):
        await enable_endpoint(rt, merchant, endpoint)


async def test_enabling_over_http_answers_the_endpoint_and_refuses_with_words(
    api: Api, rt: Runtime, merchant: UUID
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    await disable_endpoint(rt, merchant, endpoint, "gone")
    path = f"/v1/webhook-endpoints/{ids.text('whe', endpoint)}"
    assert (await api.get(path))[1]["disabled_reason"] == "gone"
    status, shown = await api.call("POST", path + "/enable", headers={"Idempotency-Key": "on"})
    assert (status, shown["disabled_at"]) == (200, None)
    assert (await api.get(path)) == (200, shown)
    status, problem = await api.post(path + "/enable", {"force": True})
    assert (status, problem["errors"][0]["field"]) == (422, "force")
    await api.call("DELETE", path)
    status, problem = await api.post(path + "/enable", {})
    assert (status, problem["code"]) == (409, "webhook_endpoint_deleted")
    assert (await api.post("/v1/webhook-endpoints/x/enable", {}))[0] == 404


# --- the second keeper -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "disabled_at = NULL, disabled_reason = NULL",
        "disabled_reason = 'failing'",
        "disabled_at = NULL",
        "event_sequence = 2",
        "event_sequence = event_sequence - 1",
        "failures = -1",
        "failures = 1",
        "failing_since = now()",
    ],
)
async def test_the_database_refuses_what_no_flow_writes(
    rt: Runtime, merchant: UUID, change: str
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    await delete_endpoint(rt, merchant, endpoint)
    with pytest.raises(asyncpg.CheckViolationError):
        await rows(rt, f"UPDATE webhook_endpoints SET {change} RETURNING id")


_LOCK = "SELECT id FROM webhook_endpoints WHERE id = ANY ($1::uuid[]) FOR NO KEY UPDATE"
_WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def until_somebody_waits(rt: Runtime) -> None:
    """For a lock in this test's database."""
    while not await rows(rt, _WAITING):  # noqa: ASYNC110 – the database tells nobody
        await asyncio.sleep(0.01)


async def fail(rt: Runtime, merchant: UUID, outlet: Outlet, *, tries: int) -> None:
    """So many tries at least, with as many events of their own."""
    for _ in range(tries):
        await tell(rt, merchant)
    left = tries
    while left > 0:
        done = await deliver(rt, outlet)
        assert done > 0
        left -= done


async def state_of(rt: Runtime, endpoint: UUID) -> dict[str, Any]:
    (row,) = await rows(rt, "SELECT * FROM webhook_endpoints WHERE id = $1", endpoint)
    return row


def counted(reason: str) -> float:
    name = "payloom_webhook_endpoints_disabled_total"
    return REGISTRY.get_sample_value(name, {"reason": reason}) or 0.0


async def claim(rt: Runtime, *, lease_s: int = LEASE_S) -> list[Claimed]:
    async with rt.db.statement() as tx:
        return await queries.claim_due(
            tx, rt.clock(), limit=100, per_endpoint=PER_ENDPOINT, on_the_way={}, lease_s=lease_s
        )


async def record(rt: Runtime, failed: Sequence[Claimed], *taken: Claimed) -> dict[UUID, Written]:
    now = rt.clock()
    results = [Result(each, "pending", now, 500, "answered 500", True) for each in failed]
    results += [Result(each, "delivered", now, 200, None, False) for each in taken]
    async with rt.db.statement() as tx:
        return await queries.record_results(tx, results, now)
