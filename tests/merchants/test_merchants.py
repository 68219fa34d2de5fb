from collections.abc import Collection
from datetime import timedelta
from uuid import uuid4

import pytest

from payloom.core.errors import InvalidRequest, NotFound
from payloom.core.master_keys import parse
from payloom.core.secret import Secret
from payloom.merchants.auth import authenticate
from payloom.merchants.connections import add_connection
from payloom.merchants.merchants import (
    NewMerchant,
    create_key,
    create_merchant,
    return_secret,
    revoke_key,
)
from payloom.merchants.scopes import ALL
from payloom.runtime import Runtime


async def test_a_return_secret_is_shown_once_and_read_back(rt: Runtime, shop: NewMerchant) -> None:
    assert len(shop.return_secret.reveal()) >= 40
    assert await return_secret(rt, shop.merchant_id) == shop.return_secret


async def test_a_return_secret_in_use_costs_no_query(rt: Runtime, shop: NewMerchant) -> None:
    await return_secret(rt, shop.merchant_id)
    await rt.db.close()
    assert await return_secret(rt, shop.merchant_id) == shop.return_secret


async def test_merchants_share_nothing(shop: NewMerchant, rival: NewMerchant) -> None:
    assert shop.merchant_id != rival.merchant_id
    assert shop.api_key != rival.api_key
    assert shop.return_secret != rival.return_secret


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\x00b", "a\nb", "\udcff"])
async def test_a_name_must_be_printable_and_not_too_long(rt: Runtime, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await create_merchant(rt, name, "test")
    assert [error.field for error in refused.value.errors] == ["name"]
    async with rt.db.statement() as tx:
        assert await tx.fetchval("SELECT count(*) FROM merchants") == 0


async def test_any_script_makes_a_name(rt: Runtime) -> None:
    await create_merchant(rt, "Café 東京 " + "x" * 191, "live")


@pytest.mark.parametrize(
    ("mode", "scopes", "sentence"),
    [
        ("test", [], "at least one"),
        ("test", ["events:read", "events:raed"], "no scope 'events:raed'"),
        ("live", ["test:write"], "test mode only"),
    ],
)
async def test_scopes_must_exist_and_suit_the_mode(
    rt: Runtime,
    shop: NewMerchant,
    live_shop: NewMerchant,
    mode: str,
    scopes: Collection[str],
    sentence: str,
) -> None:
    merchant = shop if mode == "test" else live_shop
    with pytest.raises(InvalidRequest) as refused:
        await create_key(rt, merchant.merchant_id, "some", scopes)
    assert [error.field for error in refused.value.errors] == ["scopes"]
    assert sentence in refused.value.errors[0].message


async def test_a_key_cannot_expire_before_it_is_made(rt: Runtime, shop: NewMerchant) -> None:
    with pytest.raises(InvalidRequest, match="future"):
        await create_key(rt, shop.merchant_id, "late", ALL, expires_at=rt.clock())


async def test_an_unknown_merchant_gets_no_key_and_no_secret(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        await create_key(rt, uuid4(), "some", ["events:read"])
    with pytest.raises(NotFound):
        await return_secret(rt, uuid4())


async def test_revoking_twice_keeps_the_first_time(rt: Runtime, shop: NewMerchant) -> None:
    key_id = (await authenticate(rt, f"Bearer {shop.api_key.reveal()}")).key_id
    first = rt.clock()
    await revoke_key(rt, shop.merchant_id, key_id)
    rt.clock.offset += timedelta(days=1)
    await revoke_key(rt, shop.merchant_id, key_id)
    async with rt.db.statement() as tx:
        revoked_at = await tx.fetchval("SELECT revoked_at FROM api_keys WHERE id = $1", key_id)
    assert revoked_at - first < timedelta(hours=1)


async def test_an_unknown_key_cannot_be_revoked(rt: Runtime, shop: NewMerchant) -> None:
    with pytest.raises(NotFound):
        await revoke_key(rt, shop.merchant_id, uuid4())


async def test_no_secret_stands_in_the_database(rt: Runtime, shop: NewMerchant) -> None:
    """Every readable table as text, searched for every secret as text and as bytes (S4, SCAN)."""
    _, second = await create_key(rt, shop.merchant_id, "second", ["events:read"])
    psp_key, hook = Secret("sk_test_51CanaryCanary0001"), Secret("whsec_CanaryCanary0002")
    secrets = {"api_key": psp_key, "webhook_secret": hook}
    await add_connection(rt, shop.merchant_id, "stripe", secrets)
    dump = await everything(rt)
    assert "Corner Shop" in dump  # the search does find things
    for key in parse(rt.master_keys.setting.reveal()):
        assert key.hex() not in dump
    for secret in (shop.api_key, shop.return_secret, second, psp_key, hook):
        core = secret.reveal().split("_", 1)[1].removeprefix("test_")[:-6]  # less the checksum
        assert core not in dump
        assert core.encode().hex() not in dump


async def everything(rt: Runtime) -> str:
    async with rt.db.statement() as tx:
        tables = await tx.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace AND has_table_privilege(oid, 'SELECT')"
        )
        names = {table["name"] for table in tables}
        assert {"merchants", "api_keys", "data_keys", "secrets", "connections"} <= names
        rows = [await tx.fetch(f"SELECT t::text AS row FROM {name} AS t") for name in names]
    return "\n".join(row["row"] for table in rows for row in table)
