"""Rotation: for a day both secrets sign, so that no receiver is ever cut off (F60)."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from payloom.core import ids
from payloom.core.secret import Secret
from payloom.merchants import vault
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime, running
from payloom.upkeep import upkeep
from payloom.webhooks.deliver import Outlet, open_outlet
from payloom.webhooks.disable import disable_endpoint
from payloom.webhooks.endpoints import EndpointDeleted, NoSuchEndpoint, delete_endpoint
from payloom.webhooks.rotate import (
    LIVE_MAX,
    OVERLAP,
    TooManySecrets,
    rotate_secret,
    secret_named,
)
from tests.webhooks.calling import Api
from tests.webhooks.receiver import Got, Receiver
from tests.webhooks.rows import advance, deliver, endpoint_at, rows, tell

URL = "https://shop.example/hooks"
SECOND = timedelta(seconds=1)


async def test_during_the_overlap_every_delivery_verifies_under_the_old_and_the_new_secret(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    endpoint, old = await endpoint_at(rt, merchant, receiver.url)
    new = await rotated(rt, merchant, endpoint)
    for hours in (0, 7, 7, 9):
        await advance(rt, timedelta(hours=hours))
        got = await delivered(rt, merchant, receiver, outlet)
        assert verifies(old, got)
        assert verifies(new, got)
        assert got.headers["webhook-signature"].count("v1,") == 2


async def test_before_it_only_the_old_one_signs_and_after_it_only_the_new_one(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    """The row of the old one still lies there, and its text in the cache: it is not used."""
    endpoint, old = await endpoint_at(rt, merchant, receiver.url)
    assert verifies(old, await delivered(rt, merchant, receiver, outlet))
    new = await rotated(rt, merchant, endpoint)
    await advance(rt, OVERLAP - SECOND)
    assert verifies(old, await delivered(rt, merchant, receiver, outlet))

    await advance(rt, SECOND)

    got = await delivered(rt, merchant, receiver, outlet)
    assert await fields(rt, endpoint) == ["secret", "secret_2"]
    assert verifies(new, got)
    assert not verifies(old, got)
    assert got.headers["webhook-signature"].count("v1,") == 1


async def test_a_try_of_an_old_event_is_signed_by_the_secrets_of_its_own_time(
    rt: Runtime, merchant: UUID, outlet: Outlet, receiver: Receiver
) -> None:
    endpoint, old = await endpoint_at(rt, merchant, URL)
    await tell(rt, merchant)
    await deliver(rt, outlet)  # nobody there
    new = await rotated(rt, merchant, endpoint)
    await advance(rt, OVERLAP)
    await rows(rt, "UPDATE webhook_endpoints SET url = $1 RETURNING id", receiver.url)
    await deliver(rt, outlet)
    assert verifies(new, receiver.got[-1])
    assert not verifies(old, receiver.got[-1])


async def test_upkeep_deletes_what_has_ended_and_nothing_else(rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    await endpoint_at(rt, merchant, URL)
    new = await rotated(rt, merchant, endpoint)
    before = await rows(rt, "SELECT owner, field FROM secrets")
    await advance(rt, OVERLAP - SECOND)
    await upkeep(rt)
    assert await rows(rt, "SELECT owner, field FROM secrets") == before

    await advance(rt, SECOND)
    await upkeep(rt)

    assert await fields(rt, endpoint) == ["secret_2"]
    assert len(await rows(rt, "SELECT owner FROM secrets")) == len(before) - 1
    assert await secret_named(rt, merchant, endpoint, "secret_2") == new


async def test_a_second_rotation_takes_nothing_from_the_time_of_the_first_secret(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet
) -> None:
    """Its answer may have been lost: the shop knows the first one only, and must not be cut off."""
    endpoint, first = await endpoint_at(rt, merchant, receiver.url)
    second = await rotated(rt, merchant, endpoint)
    await advance(rt, OVERLAP - timedelta(hours=1))
    third = await rotated(rt, merchant, endpoint)

    assert await who_verifies(rt, merchant, receiver, outlet, first, second, third) == [
        first, second, third,
    ]  # fmt: skip
    await advance(rt, timedelta(hours=1))
    assert await who_verifies(rt, merchant, receiver, outlet, first, second, third) == [
        second, third,
    ]  # fmt: skip
    await advance(rt, OVERLAP - timedelta(hours=1))
    assert await who_verifies(rt, merchant, receiver, outlet, first, second, third) == [third]


async def test_so_many_live_secrets_that_one_would_have_to_go_early_are_refused(
    rt: Runtime, merchant: UUID
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    for _ in range(LIVE_MAX - 1):
        await rotated(rt, merchant, endpoint)
        await advance(rt, timedelta(minutes=1))
    before = await fields(rt, endpoint)
    with pytest.raises(TooManySecrets) as refusal:
        await rotate_secret(rt, merchant, endpoint)
    assert await fields(rt, endpoint) == before
    assert refusal.value.retry_after_s is not None
    await advance(rt, timedelta(seconds=refusal.value.retry_after_s))
    await rotated(rt, merchant, endpoint)


async def test_rotations_at_once_each_make_a_secret_of_their_own(
    rt: Runtime, merchant: UUID
) -> None:
    endpoint, old = await endpoint_at(rt, merchant, URL)
    made = await asyncio.gather(*(rotated(rt, merchant, endpoint) for _ in range(LIVE_MAX - 1)))
    assert len({old, *made}) == LIVE_MAX
    lasting = await rows(
        rt, "SELECT field FROM secrets WHERE owner = $1 AND ends_at IS NULL", endpoint
    )
    assert lasting == [{"field": f"secret_{LIVE_MAX}"}]


async def test_a_worker_that_has_not_heard_yet_signs_with_the_old_secret(
    rt: Runtime, dsn: str, merchant: UUID, receiver: Receiver
) -> None:
    endpoint, old = await endpoint_at(rt, merchant, receiver.url)
    async with running(rt.settings, dsn, rt.master_keys) as worker, open_outlet(worker) as outlet:
        assert verifies(old, await delivered(worker, merchant, receiver, outlet))
        await rotated(rt, merchant, endpoint)
        assert verifies(old, await delivered(worker, merchant, receiver, outlet))


async def test_a_deleted_endpoint_rotates_nothing_and_its_secrets_end(
    rt: Runtime, merchant: UUID
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    await rotated(rt, merchant, endpoint)
    await delete_endpoint(rt, merchant, endpoint)
    with pytest.raises(EndpointDeleted):
        await rotate_secret(rt, merchant, endpoint)
    assert await secret_named(rt, merchant, endpoint, "secret_2") is None
    await upkeep(rt)
    assert await fields(rt, endpoint) == []


async def test_an_endpoint_that_was_switched_off_may_rotate(rt: Runtime, merchant: UUID) -> None:
    endpoint, old = await endpoint_at(rt, merchant, URL)
    await disable_endpoint(rt, merchant, endpoint, "gone")
    assert await rotated(rt, merchant, endpoint) != old


async def test_another_merchants_secret_is_not_rotated(rt: Runtime, merchant: UUID) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    other = (await create_merchant(rt, "Other", "test")).merchant_id
    with pytest.raises(NoSuchEndpoint):
        await rotate_secret(rt, other, endpoint)
    assert await fields(rt, endpoint) == ["secret"]


# --- the second keeper -----------------------------------------------------------------------


async def test_the_database_refuses_a_second_secret_without_an_end(
    rt: Runtime, merchant: UUID
) -> None:
    endpoint, _ = await endpoint_at(rt, merchant, URL)
    with pytest.raises(asyncpg.UniqueViolationError, match="secrets_one_signs_on"):
        async with rt.db.transaction() as tx:
            await vault.seal(tx, rt, merchant, endpoint, "secret_2", "whsec_x", rt.clock())


async def test_the_database_refuses_an_end_for_any_other_secret(
    rt: Runtime, merchant: UUID
) -> None:
    """A merchant's return secret: nobody would notice that it is gone until a shopper does."""
    with pytest.raises(asyncpg.CheckViolationError):
        async with rt.db.transaction() as tx:
            await vault.end_all(tx, merchant, merchant, rt.clock())


# --- over HTTP -------------------------------------------------------------------------------


async def test_the_answer_holds_the_new_secret_and_the_end_of_the_old_one(
    api: Api, rt: Runtime
) -> None:
    _, made = await api.post("/v1/webhook-endpoints", {"url": URL})
    status, shown = await api.call("POST", f"/v1/webhook-endpoints/{made['id']}/rotate-secret")
    assert status == 200
    assert shown["secret"].startswith("whsec_")
    assert shown["secret"] != made["secret"]
    (kept,) = await rows(rt, "SELECT ends_at FROM secrets WHERE ends_at IS NOT NULL")
    assert shown["old_secret_ends_at"][:19] == kept["ends_at"].isoformat()[:19]
    _, read = await api.get(f"/v1/webhook-endpoints/{made['id']}")
    assert {**read, "secret": "", "old_secret_ends_at": ""} == {
        **shown, "secret": "", "old_secret_ends_at": "",
    }  # fmt: skip


async def test_a_repeated_rotation_is_one_and_its_secret_is_not_kept_in_clear(
    api: Api, rt: Runtime
) -> None:
    _, made = await api.post("/v1/webhook-endpoints", {"url": URL})
    path = f"/v1/webhook-endpoints/{made['id']}/rotate-secret"
    first = await api.post(path, {}, **{"Idempotency-Key": "once"})
    again = await api.call("POST", path, headers={"Idempotency-Key": "once"})
    assert first == again
    assert len(await rows(rt, "SELECT field FROM secrets WHERE field LIKE 'secret%'")) == 2
    kept = await rows(rt, "SELECT body FROM idempotency_keys")
    assert first[1]["secret"].removeprefix("whsec_").encode() not in kept[0]["body"]

    status, problem = await api.post(
        "/v1/webhook-endpoints", {"url": URL}, **{"Idempotency-Key": "once"}
    )
    assert (status, problem["code"]) == (422, "idempotency_key_reused")


async def test_a_repeated_answer_shows_its_own_secret_while_that_lives_then_none(
    api: Api, rt: Runtime
) -> None:
    create = {"Idempotency-Key": "create"}
    _, made = await api.post("/v1/webhook-endpoints", {"url": URL}, **create)
    path = f"/v1/webhook-endpoints/{made['id']}/rotate-secret"
    _, second = await api.post(path, {}, **{"Idempotency-Key": "second"})
    _, third = await api.post(path, {}, **{"Idempotency-Key": "third"})
    assert len({made["secret"], second["secret"], third["secret"]}) == 3

    async def repeated() -> list[str | None]:
        return [
            (await api.post("/v1/webhook-endpoints", {"url": URL}, **create))[1]["secret"],
            (await api.post(path, {}, **{"Idempotency-Key": "second"}))[1]["secret"],
            (await api.post(path, {}, **{"Idempotency-Key": "third"}))[1]["secret"],
        ]

    assert await repeated() == [made["secret"], second["secret"], third["secret"]]
    await advance(rt, OVERLAP)
    assert await repeated() == [None, None, third["secret"]]


async def test_what_cannot_be_rotated_is_refused_over_http(api: Api, rt: Runtime) -> None:
    _, made = await api.post("/v1/webhook-endpoints", {"url": URL})
    path = f"/v1/webhook-endpoints/{made['id']}/rotate-secret"
    status, problem = await api.post(path, {"overlap": 0})
    assert (status, problem["errors"][0]["field"]) == (422, "overlap")
    for _ in range(LIVE_MAX - 1):
        assert (await api.post(path, {}))[0] == 200
    status, problem = await api.post(path, {})
    assert (status, problem["code"]) == (409, "too_many_webhook_secrets")
    await api.call("DELETE", f"/v1/webhook-endpoints/{made['id']}")
    status, problem = await api.post(path, {})
    assert (status, problem["code"]) == (409, "webhook_endpoint_deleted")
    for name in ("x", ids.text("whe", ids.new())):
        assert (await api.post(f"/v1/webhook-endpoints/{name}/rotate-secret", {}))[0] == 404


async def rotated(rt: Runtime, merchant: UUID, endpoint: UUID) -> Secret:
    made = await rotate_secret(rt, merchant, endpoint)
    secret = await secret_named(rt, merchant, endpoint, made.field)
    assert secret is not None
    return secret


async def delivered(rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet) -> Got:
    await tell(rt, merchant)
    await deliver(rt, outlet)
    return receiver.got[-1]


async def who_verifies(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, *secrets: Secret
) -> list[Secret]:
    got = await delivered(rt, merchant, receiver, outlet)
    assert got.headers["webhook-signature"].count("v1,") == sum(verifies(s, got) for s in secrets)
    return [secret for secret in secrets if verifies(secret, got)]


def verifies(secret: Secret, got: Got) -> bool:
    try:
        Webhook(secret.reveal()).verify(got.body, got.headers)
    except WebhookVerificationError:
        return False
    return True


async def fields(rt: Runtime, endpoint: UUID) -> list[str]:
    found = await rows(rt, "SELECT field FROM secrets WHERE owner = $1 ORDER BY field", endpoint)
    return [row["field"] for row in found]
