import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from payloom.core.cache import Cache
from payloom.core.errors import NotFound, Unauthorized
from payloom.core.secret import Secret
from payloom.merchants import keys
from payloom.merchants.auth import Caller, authenticate
from payloom.merchants.merchants import NewMerchant, create_key, revoke_key
from payloom.merchants.scopes import ALL
from payloom.runtime import Runtime

DAY = timedelta(days=1)


def bearer(key: Secret) -> str:
    return f"Bearer {key.reveal()}"


async def refusal(rt: Runtime, header: str | None) -> str:
    """Why it is refused; never with the key in it."""
    with pytest.raises(Unauthorized) as refused:
        await authenticate(rt, header)
    error = refused.value
    assert error.code == "unauthorized"
    assert "sk_test_" not in f"{error} {error.detail} {error.errors}"
    return error.detail


async def test_a_key_names_its_merchant_mode_and_scopes(rt: Runtime, shop: NewMerchant) -> None:
    key_id, key = await create_key(rt, shop.merchant_id, "reports", ["events:read", "ledger:read"])
    caller = await authenticate(rt, bearer(key))
    scopes = frozenset({"events:read", "ledger:read"})
    assert caller == Caller(shop.merchant_id, "test", key_id, scopes)


async def test_a_first_key_may_do_everything_in_its_mode(
    rt: Runtime, shop: NewMerchant, live_shop: NewMerchant
) -> None:
    in_test = await authenticate(rt, bearer(shop.api_key))
    in_live = await authenticate(rt, bearer(live_shop.api_key))
    assert (in_test.mode, in_test.scopes) == ("test", ALL)
    assert (in_live.mode, in_live.scopes) == ("live", ALL - {"test:write"})


@pytest.mark.parametrize(
    ("header_of", "reason"),
    [
        (lambda key: None, "Send your API key"),
        (lambda key: "", "Send your API key"),
        (lambda key: key, "must be `Bearer`"),
        (lambda key: f"Basic {key}", "must be `Bearer`"),
        (lambda key: "Bearer", "copied whole"),
        (lambda key: f"Bearer {key[:-1]}", "copied whole"),
        (lambda key: f"Bearer {key[:-1]}{'a' if key[-1] != 'a' else 'b'}", "copied whole"),
        (lambda key: f"Bearer {key},{key}", "copied whole"),
        (lambda key: f"Bearer {key}é", "copied whole"),
        (lambda key: f"Bearer {keys.new_key('test')}", "does not exist"),
    ],
)
async def test_what_is_no_valid_key_is_refused_with_its_reason(
    rt: Runtime, shop: NewMerchant, header_of: Callable[[str], str | None], reason: str
) -> None:
    assert reason in await refusal(rt, header_of(shop.api_key.reveal()))


async def test_the_scheme_may_be_written_in_any_case(rt: Runtime, shop: NewMerchant) -> None:
    await authenticate(rt, f"bearer  {shop.api_key.reveal()}")


async def test_a_key_is_good_until_it_expires(rt: Runtime, shop: NewMerchant) -> None:
    expires_at = rt.clock() + DAY
    _, key = await create_key(rt, shop.merchant_id, "a day", ALL, expires_at=expires_at)
    await authenticate(rt, bearer(key))
    rt.clock.offset += DAY
    assert "expired" in await refusal(rt, bearer(key))


async def test_a_revoked_key_is_refused_at_once(rt: Runtime, shop: NewMerchant) -> None:
    caller = await authenticate(rt, bearer(shop.api_key))
    await revoke_key(rt, shop.merchant_id, caller.key_id)
    assert "revoked" in await refusal(rt, bearer(shop.api_key))


async def test_another_process_refuses_a_revoked_key_when_its_cache_is_too_old(
    rt: Runtime, shop: NewMerchant
) -> None:
    other = Runtime(rt.settings, rt.db, rt.http, rt.master_keys)
    other.cache = Cache(ttl_s=0.1)
    caller = await authenticate(other, bearer(shop.api_key))
    await revoke_key(rt, shop.merchant_id, caller.key_id)
    await asyncio.sleep(0.15)
    assert "revoked" in await refusal(other, bearer(shop.api_key))


async def test_nobody_can_revoke_another_merchants_key(
    rt: Runtime, shop: NewMerchant, rival: NewMerchant
) -> None:
    caller = await authenticate(rt, bearer(shop.api_key))
    with pytest.raises(NotFound):
        await revoke_key(rt, rival.merchant_id, caller.key_id)
    rt.cache = Cache(ttl_s=5)
    assert await authenticate(rt, bearer(shop.api_key)) == caller


async def test_a_key_in_use_costs_no_query(rt: Runtime, shop: NewMerchant) -> None:
    await authenticate(rt, bearer(shop.api_key))
    await rt.db.close()
    await authenticate(rt, bearer(shop.api_key))


async def test_guessed_keys_do_not_push_out_those_in_use(rt: Runtime, shop: NewMerchant) -> None:
    rt.cache = Cache(ttl_s=60, size_max=5)
    await authenticate(rt, bearer(shop.api_key))
    for _ in range(20):
        await refusal(rt, bearer(Secret(keys.new_key("test"))))
    await rt.db.close()
    await authenticate(rt, bearer(shop.api_key))


async def test_a_scope_for_test_mode_does_nothing_in_a_live_key(
    rt: Runtime, live_shop: NewMerchant
) -> None:
    async with rt.db.statement() as tx:
        await tx.execute("UPDATE api_keys SET scopes = '{test:write,events:read}'")
    caller = await authenticate(rt, bearer(live_shop.api_key))
    assert caller.scopes == {"events:read"}
