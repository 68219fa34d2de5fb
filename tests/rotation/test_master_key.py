"""The master key changes under everybody's hands, and nothing is ever out of reach (S21)."""

import asyncio
from contextvars import Context
from uuid import UUID

import asyncpg
import pytest

from payloom.core.master_keys import MasterKeys, id_of
from payloom.merchants import queries, vault
from payloom.merchants.merchants import NewMerchant, create_merchant, return_secret
from payloom.merchants.vault import MasterKeyWrong
from payloom.rotation.master_key import (
    KeyNotEverywhere,
    Overtaken,
    data_keys_to_seal_anew,
    rotate_master_key,
)
from payloom.runtime import Runtime, running
from payloom.settings import Settings
from tests.rotation.conftest import NEW, NEWER, OLD, Holding


async def shops(rt: Runtime, count: int) -> list[NewMerchant]:
    return [await create_merchant(rt, f"Shop {number}", "test") for number in range(count)]


async def rows(rt: Runtime, table: str) -> list[tuple[object, ...]]:
    async with rt.db.statement() as tx:
        found = await tx.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
    return [tuple(row[name] for name in row.keys()) for row in found]  # noqa: SIM118 a row, no dict


async def in_use(rt: Runtime) -> list[str]:
    async with rt.db.statement() as tx:
        return [key.id for key in await queries.master_keys(tx)]


async def check_readable(rt: Runtime, merchants: list[NewMerchant]) -> None:
    for merchant in merchants:
        assert await return_secret(rt, merchant.merchant_id) == merchant.return_secret


async def test_everything_goes_over_to_the_new_key_alone(holding: Holding) -> None:
    async with holding(OLD) as rt:
        merchants = await shops(rt, 5)
    async with holding(NEW, OLD) as rt:
        assert await data_keys_to_seal_anew(rt) == 5
        done = await rotate_master_key(rt, at_once=2)
        assert (done.master_key, done.sealed_anew) == (id_of(NEW), 5)
        assert done.forgotten == (id_of(OLD),)
        assert await data_keys_to_seal_anew(rt) == 0
    async with holding(NEW) as rt:
        assert await in_use(rt) == [id_of(NEW)]
        await check_readable(rt, merchants)
    async with holding(OLD) as rt:
        with pytest.raises(MasterKeyWrong):
            await check_readable(rt, merchants)


async def test_the_secrets_themselves_are_not_touched(holding: Holding) -> None:
    async with holding(OLD) as rt:
        await shops(rt, 3)
        before = await rows(rt, "secrets")
        wrapped = await rows(rt, "data_keys")
    async with holding(NEW, OLD) as rt:
        await rotate_master_key(rt)
        assert await rows(rt, "secrets") == before
        assert not {row[3] for row in wrapped} & {row[3] for row in await rows(rt, "data_keys")}


async def test_a_process_that_lacks_the_new_key_holds_it_up(holding: Holding) -> None:
    async with holding(OLD) as stale, holding(NEW, OLD) as rt:
        merchants = await shops(stale, 2)
        with pytest.raises(KeyNotEverywhere) as refused:
            await rotate_master_key(rt)
        assert id_of(NEW) in refused.value.detail
        assert await in_use(rt) == [id_of(OLD)]
        await check_readable(stale, merchants)
    async with holding(NEW, OLD) as rt, holding(NEW, OLD):
        await rotate_master_key(rt)
        await check_readable(rt, merchants)


async def test_a_process_that_reads_its_keys_again_holds_nothing_up(
    holding: Holding, dsn: str, settings: Settings
) -> None:
    stored = [OLD]
    async with running(settings, dsn, MasterKeys([OLD], read_again=lambda: stored)) as reader:
        merchants = await shops(reader, 2)
        stored.insert(0, NEW)
        async with holding(NEW, OLD) as rt:
            await rotate_master_key(rt)
        stored.remove(OLD)
        await check_readable(reader, merchants)
        merchants += await shops(reader, 1)
    async with holding(NEW) as rt:
        await check_readable(rt, merchants)


async def test_until_the_rotation_nothing_is_sealed_with_the_new_key(holding: Holding) -> None:
    """So processes can be given the new key one by one."""
    async with holding(OLD) as stale, holding(NEW, OLD) as rt:
        merchants = [*await shops(stale, 1), *await shops(rt, 1)]
        await check_readable(stale, merchants)
        assert await in_use(rt) == [id_of(OLD)]


async def test_a_forgotten_key_can_seal_nothing_any_more(holding: Holding) -> None:
    async with holding(OLD) as rt:
        await shops(rt, 1)
    async with holding(NEW, OLD) as rt:
        await rotate_master_key(rt)
    async with holding(OLD) as stale:
        with pytest.raises(MasterKeyWrong):
            await create_merchant(stale, "Late", "test")
        async with stale.db.statement() as tx:
            with pytest.raises(asyncpg.ForeignKeyViolationError):
                await tx.execute("UPDATE data_keys SET master_key_id = $1", id_of(OLD))


async def test_the_database_forgets_no_key_that_seals_something(holding: Holding) -> None:
    async with holding(OLD) as rt:
        await shops(rt, 1)
        async with rt.db.statement() as tx:
            with pytest.raises(asyncpg.ForeignKeyViolationError):
                await tx.execute("DELETE FROM master_keys")


async def test_the_database_takes_one_sealing_key_at_a_time(holding: Holding) -> None:
    async with holding(OLD) as rt:
        await shops(rt, 1)
        async with rt.db.statement() as tx:
            with pytest.raises(asyncpg.UniqueViolationError):
                await tx.execute("INSERT INTO master_keys VALUES ($1, true, now())", id_of(NEW))


async def test_what_is_sealed_at_the_moment_of_the_change_is_waited_for(holding: Holding) -> None:
    async with holding(OLD) as rt:
        (merchant,) = await shops(rt, 1)
    async with holding(NEW, OLD) as rt, holding(NEW, OLD) as late:
        async with late.db.transaction() as tx:
            assert await queries.lock_sealing_key(tx) == id_of(OLD)  # as `make_data_key` begins
            # Another process: it knows nothing of the transaction that is open in this task.
            rotating = asyncio.create_task(rotate_master_key(rt), context=Context())
            await until_blocked(late)
            await vault.make_data_key(tx, late, merchant.merchant_id, late.clock(), version=2)
            assert not rotating.done()
        assert (await rotating).sealed_anew == 2
        assert {row[2] for row in await rows(rt, "data_keys")} == {id_of(NEW)}


async def test_two_at_once_share_the_work(holding: Holding) -> None:
    async with holding(OLD) as rt:
        merchants = await shops(rt, 1)
        await many_data_keys(rt, merchants[0].merchant_id, 60)
    async with holding(NEW, OLD) as rt, holding(NEW, OLD) as other:
        both = await asyncio.gather(
            *(rotate_master_key(each, at_once=3) for each in (rt, other, rt))
        )
        assert sum(done.sealed_anew for done in both) == 60
        assert await in_use(rt) == [id_of(NEW)]
        await check_readable(rt, merchants)


async def test_of_two_with_different_keys_the_later_one_wins(holding: Holding) -> None:
    async with holding(OLD) as rt:
        merchants = await shops(rt, 1)
        await many_data_keys(rt, merchants[0].merchant_id, 60)
    async with holding(NEW, OLD, NEWER) as first, holding(NEWER, OLD, NEW) as second:
        later: list[asyncio.Task[object]] = []

        def begin_the_other(_: int) -> None:
            if not later:
                later.append(asyncio.create_task(rotate_master_key(second)))

        with pytest.raises(Overtaken):
            await rotate_master_key(first, at_once=1, tell=begin_the_other)
        await later[0]
        assert await in_use(first) == [id_of(NEWER)]
        await check_readable(first, merchants)


async def test_going_back_to_an_older_key_is_a_rotation_like_any_other(holding: Holding) -> None:
    async with holding(OLD) as rt:
        merchants = await shops(rt, 2)
    async with holding(NEW, OLD) as rt:
        await rotate_master_key(rt)
    async with holding(OLD, NEW) as rt:
        await rotate_master_key(rt)
    async with holding(OLD) as rt:
        await check_readable(rt, merchants)


async def test_without_the_old_key_nothing_is_forgotten(holding: Holding) -> None:
    async with holding(OLD) as rt:
        merchants = await shops(rt, 2)
    async with holding(NEW) as rt:
        with pytest.raises(MasterKeyWrong):
            await rotate_master_key(rt)
        assert set(await in_use(rt)) == {id_of(NEW), id_of(OLD)}
    async with holding(NEW, OLD) as rt:
        await rotate_master_key(rt)
        await check_readable(rt, merchants)


async def test_an_empty_database_has_nothing_to_rotate(holding: Holding) -> None:
    async with holding(NEW, OLD) as rt:
        assert (await rotate_master_key(rt)).sealed_anew == 0
        merchants = await shops(rt, 1)
    async with holding(NEW) as rt:
        await check_readable(rt, merchants)


async def test_two_first_merchants_at_once_are_sealed_under_one_key(holding: Holding) -> None:
    async with holding(OLD, NEW) as one, holding(NEW, OLD) as other:
        await asyncio.gather(*(shops(rt, 3) for rt in (one, other)))
        assert len(await in_use(one)) == 1


async def many_data_keys(rt: Runtime, merchant_id: UUID, count: int) -> None:
    """As many as so many merchants would have."""
    async with rt.db.transaction() as tx:
        for version in range(2, count + 1):
            await vault.make_data_key(tx, rt, merchant_id, rt.clock(), version=version)


async def until_blocked(rt: Runtime) -> None:
    """Wait until a session of this database waits for a lock."""
    waiting = (
        "SELECT true FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(20):
        while True:
            async with rt.db.statement() as tx:
                if await tx.fetchval(waiting):
                    return
            await asyncio.sleep(0.01)
