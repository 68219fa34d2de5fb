import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID, uuid4

import pytest

from payloom.connectors.contract import Connector
from payloom.connectors.spec import CredentialField, Credentials, Spec
from payloom.core import ids
from payloom.core.cache import Cache
from payloom.core.errors import InvalidRequest, NotFound
from payloom.core.secret import Secret
from payloom.merchants import connections
from payloom.merchants.connections import Connection, add_connection, connector_of
from payloom.merchants.merchants import NewMerchant
from payloom.runtime import Runtime


@dataclass
class FakePsp:
    """Stands where a connector would: all that is asked of it here is what it was built with."""

    credentials: Credentials


def a_spec(name: str) -> Spec:
    return Spec(
        name=name,
        title=name.title(),
        credential_fields=(
            CredentialField("user", "USER", r".{3,}", "a user name"),
            CredentialField("api_key", "KEY", r"key_{mode}_\w{4}", "a key like key_{mode}_1234"),
            CredentialField("webhook_secret", "HOOK", r"hook_\w{4}", "a secret like hook_1234"),
        ),
        build=lambda credentials, http, gate: cast("Connector", FakePsp(credentials)),
        key_window=timedelta(hours=1),
    )


@pytest.fixture
def rt(rt: Runtime) -> Runtime:
    """Two PSPs that nobody else has."""
    rt.specs = {"acme": a_spec("acme"), "zenith": a_spec("zenith")}
    return rt


def credentials(mode: str = "test", **more: str) -> dict[str, Secret]:
    texts = {"user": "shop", "api_key": f"key_{mode}_1234"} | more
    return {name: Secret(text) for name, text in texts.items()}


async def secrets_in_use(rt: Runtime, connection_id: UUID) -> dict[str, str]:
    _, connector = await connector_of(rt, connection_id)
    built = cast("FakePsp", connector).credentials.secrets
    return {name: secret.reveal() for name, secret in built.items()}


async def mistakes(
    rt: Runtime,
    merchant: NewMerchant,
    secrets: Mapping[str, Secret],
    **where: str,
) -> dict[str, str]:
    """What is refused, by field; nothing may be kept of it, and no secret repeated."""
    with pytest.raises(InvalidRequest) as refused:
        await add_connection(rt, merchant.merchant_id, "acme", secrets, **where)
    async with rt.db.statement() as tx:
        assert await tx.fetchval("SELECT count(*) FROM connections") == 0
    found = {error.field: error.message for error in refused.value.errors}
    for secret in secrets.values():
        assert not secret.reveal() or secret.reveal() not in f"{found} {refused.value}"
    return found


async def test_a_connection_becomes_a_connector_with_its_secrets(
    rt: Runtime, shop: NewMerchant
) -> None:
    connection_id = await add_connection(
        rt,
        shop.merchant_id,
        "acme",
        credentials(webhook_secret="hook_1234"),
        api_base="http://127.0.0.1:8402",
        psp_account="acct_1",
    )
    connection, connector = await connector_of(rt, connection_id)
    expected = Connection(
        shop.merchant_id, connection_id, "acme", "http://127.0.0.1:8402", "acct_1", "test"
    )
    assert connection == expected
    assert cast("FakePsp", connector).credentials == Credentials(
        credentials(webhook_secret="hook_1234"),
        "http://127.0.0.1:8402",
        ids.text("con", connection_id),
    )


async def test_a_connector_in_use_costs_no_query(rt: Runtime, shop: NewMerchant) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    first = await connector_of(rt, connection_id)
    await connections.connection_for_psp(rt, shop.merchant_id, None)
    await rt.db.close()
    assert await connector_of(rt, connection_id) is first
    await connections.connection_for_psp(rt, shop.merchant_id, None)


async def test_an_unknown_psp_is_refused_with_the_known_ones(
    rt: Runtime, shop: NewMerchant
) -> None:
    with pytest.raises(InvalidRequest, match="'akme'; known are acme, zenith"):
        await add_connection(rt, shop.merchant_id, "akme", credentials())


async def test_an_unknown_merchant_cannot_be_connected(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        await add_connection(rt, uuid4(), "acme", credentials())


async def test_every_mistake_is_told_at_once(rt: Runtime, shop: NewMerchant) -> None:
    secrets = {"api_key": Secret("key_nonsense"), "pin": Secret("98765")}
    found = await mistakes(rt, shop, secrets, api_base="ftp://psp.example", psp_account="")
    assert set(found) == {"user", "api_key", "pin", "api_base", "psp_account"}
    assert found["user"].startswith("is missing: a user name")
    assert "it has user, api_key, webhook_secret" in found["pin"]


async def test_a_test_key_is_refused_in_live_mode_and_the_reverse(
    rt: Runtime, shop: NewMerchant, live_shop: NewMerchant
) -> None:
    for merchant, right, wrong in ((shop, "test", "live"), (live_shop, "live", "test")):
        found = await mistakes(rt, merchant, credentials(wrong))
        hint = f"must be a key like key_{right}_1234 (this merchant is in {right} mode)"
        assert found["api_key"] == hint
    await add_connection(rt, live_shop.merchant_id, "acme", credentials("live"))


@pytest.mark.parametrize("text", ["", "key_test_1234\n", "xkey_test_1234"])
async def test_a_secret_must_fit_its_pattern_as_a_whole(
    rt: Runtime, shop: NewMerchant, text: str
) -> None:
    assert set(await mistakes(rt, shop, credentials(api_key=text))) == {"api_key"}


@pytest.mark.parametrize("text", ["x" * 8_001, "é" * 4_001, "shop\udcff"])
async def test_a_secret_that_cannot_be_kept_is_a_mistake_whatever_its_pattern(
    rt: Runtime, shop: NewMerchant, text: str
) -> None:
    found = await mistakes(rt, shop, credentials(user=text))
    assert found == {"user": "must be text of at most 8,000 bytes"}


@pytest.mark.parametrize(
    "api_base",
    ["https://psp.example", "https://psp.example:8443/v2", "http://localhost:1", "http://[::1]:1"],
)
async def test_a_psp_may_be_anywhere_by_https_and_here_by_http(
    rt: Runtime, shop: NewMerchant, api_base: str
) -> None:
    await add_connection(rt, shop.merchant_id, "acme", credentials(), api_base=api_base)


@pytest.mark.parametrize(
    "api_base",
    [
        "",
        "psp.example",
        "http://psp.example",
        "http://127.0.0.1.psp.example",
        "http://localhost@psp.example",
        "https://user:word@psp.example",
        "https://psp.example?x=1",
        "https://psp.example#x",
        "https://psp.example:port",
        "https://psp.example/\x00",
        "https://[::1",
        "https://",
        "file:///etc/passwd",
    ],
)
async def test_credentials_never_go_over_the_wire_in_the_clear(
    rt: Runtime, shop: NewMerchant, api_base: str
) -> None:
    assert set(await mistakes(rt, shop, credentials(), api_base=api_base)) == {"api_base"}


async def test_webhook_secrets_may_come_later_and_live_side_by_side(
    rt: Runtime, shop: NewMerchant
) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    assert set(await secrets_in_use(rt, connection_id)) == {"user", "api_key"}
    for number, field in enumerate(["webhook_secret", "webhook_secret_2", "webhook_secret_3"]):
        secret = Secret(f"hook_000{number}")
        assert await connections.add_secret(rt, shop.merchant_id, connection_id, secret) == field
        assert (await secrets_in_use(rt, connection_id))[field] == secret.reveal()
    assert (await secrets_in_use(rt, connection_id))["webhook_secret"] == "hook_0000"


async def test_secrets_added_at_once_all_find_a_place(rt: Runtime, shop: NewMerchant) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    texts = [f"hook_000{number}" for number in range(5)]
    await asyncio.gather(
        *(
            connections.add_secret(rt, shop.merchant_id, connection_id, Secret(text))
            for text in texts
        )
    )
    found = await secrets_in_use(rt, connection_id)
    assert sorted(text for name, text in found.items() if "webhook" in name) == texts
    with pytest.raises(InvalidRequest, match="replace one"):
        await connections.add_secret(rt, shop.merchant_id, connection_id, Secret("hook_0005"))


async def test_a_replaced_secret_is_used_at_once(rt: Runtime, shop: NewMerchant) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    await connector_of(rt, connection_id)
    await connections.replace_secret(
        rt, shop.merchant_id, connection_id, field="api_key", secret=Secret("key_test_9999")
    )
    assert (await secrets_in_use(rt, connection_id))["api_key"] == "key_test_9999"


async def test_a_removed_webhook_secret_is_gone_at_once_and_its_name_is_free(
    rt: Runtime, shop: NewMerchant
) -> None:
    connection_id = await add_connection(
        rt, shop.merchant_id, "acme", credentials(webhook_secret="hook_0001")
    )
    await connections.add_secret(rt, shop.merchant_id, connection_id, Secret("hook_0002"))
    assert "webhook_secret" in await secrets_in_use(rt, connection_id)
    await connections.remove_secret(rt, shop.merchant_id, connection_id, field="webhook_secret")
    found = await secrets_in_use(rt, connection_id)
    assert {name: text for name, text in found.items() if "hook" in name} == {
        "webhook_secret_2": "hook_0002"
    }
    kept_as = await connections.add_secret(rt, shop.merchant_id, connection_id, Secret("hook_0003"))
    assert kept_as == "webhook_secret"


@pytest.mark.parametrize("field", ["webhook_secret", "webhook_secret_2", "api_key", "user", ""])
async def test_what_is_needed_cannot_be_removed(rt: Runtime, shop: NewMerchant, field: str) -> None:
    """The last webhook secret, one that is not there, and what is no webhook secret at all."""
    connection_id = await add_connection(
        rt, shop.merchant_id, "acme", credentials(webhook_secret="hook_0001")
    )
    before = await secrets_in_use(rt, connection_id)
    with pytest.raises(InvalidRequest):
        await connections.remove_secret(rt, shop.merchant_id, connection_id, field=field)
    rt.cache = Cache(ttl_s=5)
    assert await secrets_in_use(rt, connection_id) == before


async def test_a_connector_is_tried_with_another_secret_and_nothing_is_kept(
    rt: Runtime, shop: NewMerchant, rival: NewMerchant
) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    fresh = Secret("key_test_9999")
    tried = await connections.connector_with(
        rt, shop.merchant_id, connection_id, field="api_key", secret=fresh
    )
    assert cast("FakePsp", tried).credentials.secrets == credentials() | {"api_key": fresh}
    assert (await secrets_in_use(rt, connection_id))["api_key"] == "key_test_1234"
    with pytest.raises(InvalidRequest):
        await connections.connector_with(
            rt, shop.merchant_id, connection_id, field="api_key", secret=Secret("nonsense")
        )
    with pytest.raises(NotFound):
        await connections.connector_with(
            rt, rival.merchant_id, connection_id, field="api_key", secret=fresh
        )


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("api_key", "key_live_1234"),
        ("webhook_secret_2", "nonsense"),
        ("webhook_secret_x", "hook_1234"),
        ("user_2", "shop"),
    ],
)
async def test_a_changed_secret_is_checked_like_a_new_one(
    rt: Runtime, shop: NewMerchant, field: str, text: str
) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    before = await secrets_in_use(rt, connection_id)
    with pytest.raises(InvalidRequest) as refused:
        await connections.replace_secret(
            rt, shop.merchant_id, connection_id, field=field, secret=Secret(text)
        )
    assert [error.field for error in refused.value.errors] == [field]
    rt.cache = Cache(ttl_s=5)
    assert await secrets_in_use(rt, connection_id) == before


async def test_the_newest_connection_is_used_first(rt: Runtime, shop: NewMerchant) -> None:
    async def chosen(psp: str | None) -> UUID:
        return (await connections.connection_for_psp(rt, shop.merchant_id, psp)).id

    first = await add_connection(rt, shop.merchant_id, "acme", credentials())
    assert await chosen("acme") == await chosen(None) == first
    second = await add_connection(rt, shop.merchant_id, "acme", credentials())
    assert await chosen("acme") == await chosen(None) == second
    third = await add_connection(rt, shop.merchant_id, "zenith", credentials())
    assert (await chosen("acme"), await chosen("zenith"), await chosen(None)) == (
        second,
        third,
        third,
    )
    await connections.disable_connection(rt, shop.merchant_id, second)
    assert await chosen("acme") == first


async def test_a_disabled_connection_is_gone(rt: Runtime, shop: NewMerchant) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    await connector_of(rt, connection_id)
    await connections.disable_connection(rt, shop.merchant_id, connection_id)
    with pytest.raises(NotFound):
        await connector_of(rt, connection_id)
    with pytest.raises(NotFound):
        await connections.disable_connection(rt, shop.merchant_id, connection_id)


@pytest.mark.parametrize("psp", ["acme", "zenith", "akme", "", None])
async def test_without_a_connection_the_psp_is_unavailable(
    rt: Runtime, shop: NewMerchant, rival: NewMerchant, psp: str | None
) -> None:
    await add_connection(rt, rival.merchant_id, "acme", credentials())
    with pytest.raises(InvalidRequest) as refused:
        await connections.connection_for_psp(rt, shop.merchant_id, psp)
    assert refused.value.code == "psp_unavailable"
    assert [error.field for error in refused.value.errors] == ["psp"]


async def test_a_connection_is_found_as_soon_as_it_is_made(rt: Runtime, shop: NewMerchant) -> None:
    with pytest.raises(InvalidRequest):
        await connections.connection_for_psp(rt, shop.merchant_id, "acme")
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    found = await connections.connection_for_psp(rt, shop.merchant_id, "acme")
    assert found.id == connection_id


async def test_a_merchant_cannot_touch_another_ones_connection(
    rt: Runtime, shop: NewMerchant, rival: NewMerchant
) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    with pytest.raises(NotFound):
        await connections.add_secret(rt, rival.merchant_id, connection_id, Secret("hook_1234"))
    with pytest.raises(NotFound):
        await connections.replace_secret(
            rt, rival.merchant_id, connection_id, field="user", secret=Secret("rival")
        )
    with pytest.raises(NotFound):
        await connections.remove_secret(
            rt, rival.merchant_id, connection_id, field="webhook_secret"
        )
    with pytest.raises(NotFound):
        await connections.disable_connection(rt, rival.merchant_id, connection_id)
    assert set(await secrets_in_use(rt, connection_id)) == {"user", "api_key"}


async def test_guessed_connections_do_not_push_out_those_in_use(
    rt: Runtime, shop: NewMerchant
) -> None:
    connection_id = await add_connection(rt, shop.merchant_id, "acme", credentials())
    rt.cache = Cache(ttl_s=60, size_max=5)
    await connector_of(rt, connection_id)
    for _ in range(20):
        with pytest.raises(NotFound):
            await connector_of(rt, uuid4())
    await rt.db.close()
    await connector_of(rt, connection_id)
