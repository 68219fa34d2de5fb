"""A merchant's data key changes under everybody's hands, and its secrets stay readable (S21)."""

import asyncio
from contextvars import Context
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from payloom.core.errors import NotFound
from payloom.merchants import vault
from payloom.merchants.merchants import NewMerchant, create_merchant, return_secret
from payloom.rotation.data_keys import merchants_to_rotate, rotate_data_key, rotate_data_keys
from payloom.runtime import Runtime
from tests.rotation.test_master_key import until_blocked

OWNER = UUID("01890000-0000-7000-8000-000000000001")


@pytest.fixture
async def shop(rt: Runtime) -> NewMerchant:
    """With seven secrets beside its return secret."""
    shop = await create_merchant(rt, "Corner Shop", "test")
    for number in range(7):
        await keep(rt, shop, f"field_{number}", f"text {number}")
    return shop


async def keep(rt: Runtime, shop: NewMerchant, field: str, text: str) -> None:
    async with rt.db.transaction() as tx:
        await vault.seal(tx, rt, shop.merchant_id, OWNER, field, text, rt.clock())


async def kept(rt: Runtime, shop: NewMerchant) -> dict[str, str]:
    async with rt.db.statement() as tx:
        found = await vault.unseal_all(tx, rt, shop.merchant_id, OWNER)
    return {field: secret.reveal() for field, secret in found.items()}


async def versions(rt: Runtime, shop: NewMerchant) -> tuple[list[int], set[int]]:
    """Of the merchant's data keys, and of those that seal something."""
    async with rt.db.statement() as tx:
        keys = await tx.fetch(
            "SELECT version FROM data_keys WHERE merchant_id = $1 ORDER BY 1", shop.merchant_id
        )
        used = await tx.fetch(
            "SELECT DISTINCT key_version AS version FROM secrets WHERE merchant_id = $1",
            shop.merchant_id,
        )
    return [row["version"] for row in keys], {row["version"] for row in used}


def now(rt: Runtime) -> datetime:
    """Later than all that was made so far."""
    return rt.clock() + timedelta(microseconds=1)


async def test_all_secrets_go_over_to_the_new_key_and_the_old_one_is_deleted(
    rt: Runtime, shop: NewMerchant
) -> None:
    assert await rotate_data_key(rt, shop.merchant_id, now(rt), at_once=3) == 8
    assert await versions(rt, shop) == ([2], {2})
    assert await kept(rt, shop) == {f"field_{n}": f"text {n}" for n in range(7)}
    assert await return_secret(rt, shop.merchant_id) == shop.return_secret


async def test_nothing_of_what_was_sealed_before_is_left(rt: Runtime, shop: NewMerchant) -> None:
    async def sealed() -> set[bytes]:
        async with rt.db.statement() as tx:
            rows = await tx.fetch("SELECT sealed FROM secrets UNION SELECT wrapped FROM data_keys")
        return {row["sealed"] for row in rows}

    before = await sealed()
    await rotate_data_key(rt, shop.merchant_id, now(rt))
    after = await sealed()
    assert len(before) == len(after) == 9
    assert not before & after


async def test_a_younger_data_key_is_left_as_it_is(rt: Runtime, shop: NewMerchant) -> None:
    long_ago = rt.clock() - timedelta(days=1)
    assert await rotate_data_key(rt, shop.merchant_id, long_ago) == 0
    assert await versions(rt, shop) == ([1], {1})


async def test_an_unknown_merchant_is_told(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        await rotate_data_key(rt, uuid4(), rt.clock())


async def test_what_a_killed_run_left_is_done_by_the_next(rt: Runtime, shop: NewMerchant) -> None:
    """Killed when the new key was there and some secrets under it; young or not, it is ended."""
    async with rt.db.transaction() as tx:
        await vault.make_data_key(tx, rt, shop.merchant_id, rt.clock(), version=2)
    await keep(rt, shop, "field_0", "text 0")
    assert await versions(rt, shop) == ([1, 2], {1, 2})
    assert await rotate_data_key(rt, shop.merchant_id, rt.clock() - timedelta(days=1)) == 7
    assert await versions(rt, shop) == ([2], {2})


async def test_everybody_is_rotated_once_by_as_many_runs_as_there_are(rt: Runtime) -> None:
    shops = [await create_merchant(rt, f"Shop {number}", "test") for number in range(12)]
    before = now(rt)
    told: list[int] = []
    assert await merchants_to_rotate(rt, before) == 12
    runs = await asyncio.gather(*(rotate_data_keys(rt, before, tell=told.append) for _ in "123"))
    assert sum(run.sealed_anew for run in runs) == 12
    assert await merchants_to_rotate(rt, before) == 0
    assert sum(told) >= 12
    for shop in shops:
        assert await versions(rt, shop) == ([2], {2})
        assert await return_secret(rt, shop.merchant_id) == shop.return_secret


async def test_only_old_ones_are_due(rt: Runtime) -> None:
    old = await create_merchant(rt, "Old", "test")
    rt.clock.offset += timedelta(days=400)
    young = await create_merchant(rt, "Young", "test")
    done = await rotate_data_keys(rt, rt.clock() - timedelta(days=365))
    assert done.merchants == 1
    assert (await versions(rt, old), await versions(rt, young)) == (([2], {2}), ([1], {1}))


async def test_a_secret_kept_at_the_moment_of_the_change_goes_over_too(
    rt: Runtime, shop: NewMerchant
) -> None:
    """It is sealed with the old key, by one who has not committed when the others go over."""
    async with rt.db.transaction() as tx:
        await vault.seal(tx, rt, shop.merchant_id, OWNER, "late", "text", rt.clock())
        before = now(rt)
        rotating = asyncio.create_task(
            rotate_data_key(rt, shop.merchant_id, before), context=Context()
        )
        await until_blocked(rt)
        assert not rotating.done()
    await rotating
    assert await versions(rt, shop) == ([2], {2})
    assert (await kept(rt, shop))["late"] == "text"


async def test_who_waits_for_a_key_that_is_deleted_seals_with_the_newer(
    rt: Runtime, shop: NewMerchant
) -> None:
    async with rt.db.transaction() as tx:
        await vault.make_data_key(tx, rt, shop.merchant_id, rt.clock(), version=2)
        for field in (await kept(rt, shop)).keys() | {"return_secret"}:
            await tx.execute("DELETE FROM secrets WHERE field = $1", field)
        await tx.execute("DELETE FROM data_keys WHERE version = 1")
        keeping = asyncio.create_task(keep(rt, shop, "late", "text"), context=Context())
        await until_blocked(rt)
    await keeping
    assert await versions(rt, shop) == ([2], {2})
    assert await kept(rt, shop) == {"late": "text"}


async def test_secrets_are_read_and_replaced_all_the_while(rt: Runtime, shop: NewMerchant) -> None:
    expected = await kept(rt, shop)
    rounds = 0

    async def replace() -> None:
        nonlocal rounds
        while not rotating.done():
            rounds += 1
            expected["field_3"] = f"round {rounds}"
            await keep(rt, shop, "field_3", expected["field_3"])
            assert await kept(rt, shop) == expected
            assert await return_secret(rt, shop.merchant_id) == shop.return_secret

    async def rotate() -> None:
        for _ in range(15):
            await rotate_data_key(rt, shop.merchant_id, now(rt), at_once=2)

    rotating = asyncio.create_task(rotate())
    await replace()
    await rotating
    assert rounds > 3
    assert await versions(rt, shop) == ([16], {16})
    assert await kept(rt, shop) == expected
