from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from payloom.core import crypto
from payloom.core.crypto import SealBroken
from payloom.core.master_keys import MasterKeys
from payloom.core.secret import Secret
from payloom.merchants import queries, vault
from payloom.merchants.merchants import NewMerchant, create_merchant, return_secret
from payloom.merchants.model import DataKey
from payloom.merchants.vault import MasterKeyWrong
from payloom.runtime import Runtime

OWNER = UUID("01890000-0000-7000-8000-000000000001")
OTHER_OWNER = UUID("01890000-0000-7000-8000-000000000002")


async def keep(rt: Runtime, merchant_id: UUID, owner: UUID, field: str, text: str) -> None:
    async with rt.db.transaction() as tx:
        await vault.seal(tx, rt, merchant_id, owner, field, text, rt.clock())


async def kept(rt: Runtime, merchant_id: UUID, owner: UUID) -> dict[str, Secret]:
    async with rt.db.statement() as tx:
        return await vault.unseal_all(tx, rt, merchant_id, owner)


async def tamper(rt: Runtime, statement: str, *args: object) -> None:
    """What somebody with write access to the tables could do."""
    async with rt.db.statement() as tx:
        done = await tx.execute(statement, *args)
    assert done.endswith(" 1"), done


async def test_secrets_come_back_by_field(rt: Runtime, shop: NewMerchant) -> None:
    await keep(rt, shop.merchant_id, OWNER, "api_key", "one – 一")
    await keep(rt, shop.merchant_id, OWNER, "webhook_secret", "")
    found = await kept(rt, shop.merchant_id, OWNER)
    assert found == {"api_key": Secret("one – 一"), "webhook_secret": Secret("")}


async def test_who_has_no_secrets_gets_none(
    rt: Runtime, shop: NewMerchant, rival: NewMerchant
) -> None:
    await keep(rt, shop.merchant_id, OWNER, "api_key", "one")
    assert await kept(rt, shop.merchant_id, OTHER_OWNER) == {}
    assert await kept(rt, rival.merchant_id, OWNER) == {}


async def test_sealing_again_takes_the_place_of_the_old(rt: Runtime, shop: NewMerchant) -> None:
    await keep(rt, shop.merchant_id, OWNER, "api_key", "old")
    await keep(rt, shop.merchant_id, OWNER, "api_key", "new")
    assert await kept(rt, shop.merchant_id, OWNER) == {"api_key": Secret("new")}


async def test_what_is_rolled_back_was_never_kept(rt: Runtime, shop: NewMerchant) -> None:
    with suppress(LookupError):
        async with rt.db.transaction() as tx:
            await vault.seal(tx, rt, shop.merchant_id, OWNER, "api_key", "one", rt.clock())
            raise LookupError
    assert await kept(rt, shop.merchant_id, OWNER) == {}


async def test_the_same_secret_never_looks_the_same_twice(rt: Runtime, shop: NewMerchant) -> None:
    await keep(rt, shop.merchant_id, OWNER, "a", "the same")
    await keep(rt, shop.merchant_id, OWNER, "b", "the same")
    async with rt.db.statement() as tx:
        rows = await queries.secrets_of(tx, shop.merchant_id, OWNER)
    assert rows[0].sealed[:12] != rows[1].sealed[:12]
    assert rows[0].sealed[12:] != rows[1].sealed[12:]


@pytest.mark.parametrize(
    ("moved", "owner"),
    [
        ("UPDATE secrets SET owner = $1 WHERE owner = $2", OTHER_OWNER),
        ("UPDATE secrets SET field = 'b' WHERE $1::uuid IS NOT NULL AND owner = $2", OWNER),
    ],
)
async def test_a_secret_moved_to_another_owner_or_field_does_not_open(
    rt: Runtime, shop: NewMerchant, moved: str, owner: UUID
) -> None:
    await keep(rt, shop.merchant_id, OWNER, "a", "one")
    await tamper(rt, moved, OTHER_OWNER, OWNER)
    with pytest.raises(SealBroken):
        await kept(rt, shop.merchant_id, owner)


async def test_two_secrets_that_swap_places_do_not_open(rt: Runtime, shop: NewMerchant) -> None:
    await keep(rt, shop.merchant_id, OWNER, "a", "one")
    await keep(rt, shop.merchant_id, OWNER, "b", "two")
    async with rt.db.statement() as tx:
        await tx.execute(
            "UPDATE secrets AS s SET sealed = o.sealed FROM secrets AS o"
            " WHERE s.owner = $1 AND o.owner = $1 AND s.field <> o.field",
            OWNER,
        )
    with pytest.raises(SealBroken):
        await kept(rt, shop.merchant_id, OWNER)


async def test_a_secret_moved_to_another_merchant_does_not_open(
    rt: Runtime, shop: NewMerchant, rival: NewMerchant
) -> None:
    await keep(rt, shop.merchant_id, OWNER, "a", "one")
    await tamper(
        rt,
        "UPDATE secrets SET merchant_id = $1 WHERE owner = $2",
        rival.merchant_id,
        OWNER,
    )
    with pytest.raises(SealBroken):
        await kept(rt, rival.merchant_id, OWNER)


async def test_not_even_the_same_data_key_opens_a_moved_secret(
    rt: Runtime, shop: NewMerchant, rival: NewMerchant
) -> None:
    """The merchant and the version are part of the seal itself, not only of which key is used."""
    await keep(rt, shop.merchant_id, OWNER, "a", "one")
    await share_data_key(rt, shop.merchant_id, to=shop.merchant_id, version=2)
    await share_data_key(rt, shop.merchant_id, to=rival.merchant_id, version=2)

    await tamper(rt, "UPDATE secrets SET key_version = 2 WHERE owner = $1", OWNER)
    with pytest.raises(SealBroken):
        await kept(rt, shop.merchant_id, OWNER)

    await keep(rt, shop.merchant_id, OTHER_OWNER, "a", "two")  # under version 2, as the newest
    assert await kept(rt, shop.merchant_id, OTHER_OWNER) == {"a": Secret("two")}
    await tamper(
        rt,
        "UPDATE secrets SET merchant_id = $1 WHERE owner = $2",
        rival.merchant_id,
        OTHER_OWNER,
    )
    with pytest.raises(SealBroken):
        await kept(rt, rival.merchant_id, OTHER_OWNER)


async def share_data_key(rt: Runtime, merchant_id: UUID, *, to: UUID, version: int) -> None:
    """Wrap one merchant's data key, properly, as a version of another's."""
    async with rt.db.transaction() as tx:
        first = await tx.fetchrow(
            "SELECT * FROM data_keys WHERE merchant_id = $1 AND version = 1", merchant_id
        )
        assert first is not None
        key_id = rt.master_keys.newest
        key = vault.unwrap(rt, DataKey(merchant_id, 1, key_id, first["wrapped"]))
        shared = vault.wrap(rt, key, to, version, key_id)
        await queries.insert_data_key(tx, shared, rt.clock())


@pytest.mark.parametrize("version", [1, 2])
async def test_a_data_key_moved_to_another_merchant_or_version_does_not_open(
    rt: Runtime, shop: NewMerchant, rival: NewMerchant, version: int
) -> None:
    """Version 1: under the rival's id only, which no other data key may have taken before."""
    target = shop.merchant_id
    if version == 1:
        target = uuid4()
        async with rt.db.transaction() as tx:
            await queries.insert_merchant(tx, target, "No key yet", "test", rt.clock())
    await tamper(
        rt,
        "INSERT INTO data_keys SELECT $1, $2, master_key_id, wrapped, created_at"
        "  FROM data_keys WHERE merchant_id = $3 AND version = 1",
        target,
        version,
        shop.merchant_id,
    )
    with pytest.raises(SealBroken):
        await keep(rt, target, OWNER, "a", "one")


@pytest.mark.parametrize("at", [0, 11, 12, -1])
async def test_an_altered_byte_is_noticed(rt: Runtime, shop: NewMerchant, at: int) -> None:
    await keep(rt, shop.merchant_id, OWNER, "a", "one")
    async with rt.db.statement() as tx:
        sealed = bytearray((await queries.secrets_of(tx, shop.merchant_id, OWNER))[0].sealed)
    sealed[at] ^= 1
    await tamper(rt, "UPDATE secrets SET sealed = $1 WHERE owner = $2", bytes(sealed), OWNER)
    with pytest.raises(SealBroken):
        await kept(rt, shop.merchant_id, OWNER)


async def test_another_master_key_is_told_apart_and_says_what_to_do(
    rt: Runtime, shop: NewMerchant
) -> None:
    other = Runtime(rt.settings, rt.db, rt.http, MasterKeys([crypto.new_key()]))
    with pytest.raises(MasterKeyWrong) as wrong:
        await return_secret(other, shop.merchant_id)
    text = str(wrong.value)
    assert "PAYLOOM_MASTER_KEY" in text
    assert rt.master_keys.newest in text
    assert other.master_keys.newest in text
    assert rt.master_keys.setting.reveal() not in text
    with pytest.raises(MasterKeyWrong):
        await keep(other, shop.merchant_id, OWNER, "a", "one")
    assert await return_secret(rt, shop.merchant_id) == shop.return_secret


async def test_every_merchant_has_a_data_key_of_its_own(rt: Runtime) -> None:
    for number in range(3):
        await create_merchant(rt, f"Shop {number}", "test")
    async with rt.db.statement() as tx:
        wrapped = await tx.fetch("SELECT DISTINCT wrapped FROM data_keys")
    assert len(wrapped) == 3


async def test_the_longest_secret_fits_the_table(rt: Runtime, shop: NewMerchant) -> None:
    longest = "x" * vault.PLAINTEXT_BYTES_MAX
    await keep(rt, shop.merchant_id, OWNER, "a", longest)
    assert await kept(rt, shop.merchant_id, OWNER) == {"a": Secret(longest)}
