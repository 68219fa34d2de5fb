"""What can be read here, and under which master keys it is: told without a doubt."""

from payloom.core.master_keys import id_of
from payloom.merchants.merchants import create_merchant
from payloom.rotation.check import SHOWN_MAX, check, how_much_to_check
from payloom.rotation.master_key import rotate_master_key
from tests.rotation.conftest import NEW, OLD, Holding


async def test_what_opens_under_one_key_is_good(holding: Holding) -> None:
    async with holding(OLD) as rt:
        for number in range(3):
            await create_merchant(rt, f"Shop {number}", "test")
        told: list[int] = []
        found = await check(rt, tell=told.append)
        assert (found.data_keys, found.secrets, found.broken) == (3, 3, [])
        assert sum(told) == await how_much_to_check(rt) == 6
        assert found.is_good
        assert found.can_drop == ()


async def test_an_empty_database_is_good(holding: Holding) -> None:
    async with holding(OLD) as rt:
        assert (await check(rt)).is_good


async def test_before_and_after_a_rotation(holding: Holding) -> None:
    async with holding(OLD) as rt:
        await create_merchant(rt, "Shop", "test")
    async with holding(NEW, OLD) as rt:
        before = await check(rt)
        assert (before.is_rotated, before.is_good, before.broken_count) == (False, False, 0)
        assert before.can_drop == ()
        await rotate_master_key(rt)
        after = await check(rt)
        assert after.is_good
        assert after.can_drop == (id_of(OLD),)


async def test_what_does_not_open_is_named(holding: Holding) -> None:
    async with holding(OLD) as rt:
        await create_merchant(rt, "Shop", "test")
    async with holding(NEW) as rt:
        found = await check(rt)
        assert (found.is_good, found.broken_count) == (False, 2)
        assert found.broken[0].startswith("mer_")
        assert found.broken[0].endswith("data key 1")


async def test_an_altered_secret_is_named_and_the_list_has_an_end(holding: Holding) -> None:
    async with holding(OLD) as rt:
        for number in range(SHOWN_MAX + 3):
            await create_merchant(rt, f"Shop {number}", "test")
        async with rt.db.statement() as tx:
            await tx.execute("UPDATE secrets SET sealed = sealed || '\\x00'::bytea")
        found = await check(rt)
        assert (found.is_rotated, found.is_good) == (True, False)
        assert found.broken_count == SHOWN_MAX + 3
        assert len(found.broken) == SHOWN_MAX
        assert "return_secret of " in found.broken[0]
