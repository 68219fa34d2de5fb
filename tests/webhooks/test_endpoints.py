"""Endpoints: which may be made, how many, and how their secrets are kept."""

import base64
from uuid import UUID

import pytest

from payloom.core.errors import InvalidRequest
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime
from payloom.webhooks.addresses import mistakes_in
from payloom.webhooks.endpoints import (
    ENABLED_MAX,
    NoSuchEndpoint,
    TooManyEndpoints,
    create_endpoint,
    delete_endpoint,
    get_endpoint,
)
from tests.webhooks.rows import endpoint_at, rows

URL = "https://shop.example/hooks"


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/",
        "https://shop.example:443/hooks?from=payloom&v=1",
        "https://shop.example:8443/hooks",
        "https://a-b.c_d.xn--bcher-kva.example/%C3%BC",
        "https://8.8.8.8/hooks",
        "https://[2606:4700:4700::1111]/hooks",
        "HTTPS://SHOP.EXAMPLE/",
    ],
)
def test_public_https_urls_are_taken(url: str) -> None:
    assert mistakes_in(url, allow_loopback=False) == []
    assert mistakes_in(url, allow_loopback=True) == []


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "visible"),
        ("shop.example/hooks", "like https"),
        ("https://", "like https"),
        ("https://shop.example:port/", "like https"),
        ("https://shop.example:99999/", "like https"),
        ("https://[::1/", "like https"),
        ("https://shop.example/ hooks", "visible"),
        ("https://shop.example/\n", "visible"),
        ("https://shop.example\\@evil.example/", "visible"),
        ("https://bücher.example/", "visible"),
        ("https://shop.example/" + "x" * 2000, "2000"),
        ("http://shop.example/", "https://"),
        ("ftp://shop.example/", "https://"),
        ("javascript://shop.example/%0aalert(1)", "https://"),
        ("https://user:password@shop.example/", "user name"),
        ("https://shop.example/#part", "#"),
        ("https://shop.example:22/", "port"),
        ("https://shop.example:8080/", "port"),
        ("https://shop.example:0/", "port"),
        ("https://10.0.0.1/", "public"),
        ("https://[fd00::1]/", "public"),
        ("https://0x7f.1/", "name a host"),
        ("https://2130706433/", "name a host"),
        ("https://-shop-.example/", "name a host"),
        ("https://shop..example/", "name a host"),
    ],
)
def test_other_urls_are_refused_with_what_to_do(url: str, word: str) -> None:
    for allow_loopback in (False, True):
        assert word in " ".join(mistakes_in(url, allow_loopback=allow_loopback))


@pytest.mark.parametrize("host", ["127.0.0.1:8401", "localhost:8401", "[::1]:8401", "a.localhost"])
def test_this_machine_is_for_test_mode_where_the_operator_wants_it(host: str) -> None:
    for scheme in ("http", "https"):
        assert mistakes_in(f"{scheme}://{host}/hooks", allow_loopback=True) == []
        assert mistakes_in(f"{scheme}://{host}/hooks", allow_loopback=False) != []
        assert mistakes_in(f"{scheme}://user@{host}/", allow_loopback=True) != []


async def test_a_live_merchant_may_not_name_this_machine(rt: Runtime, merchant: UUID) -> None:
    live = (await create_merchant(rt, "Live", "live")).merchant_id
    with pytest.raises(InvalidRequest):
        await create_endpoint(rt, live, "live", "http://127.0.0.1:8401/", None)
    await create_endpoint(rt, merchant, "test", "http://127.0.0.1:8401/", None)


async def test_all_mistakes_are_told_together(rt: Runtime, merchant: UUID) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        await create_endpoint(
            rt, merchant, "test", "http://user@shop.example:22/", ["refund.failed", "nonsense.here"]
        )
    told = [error.field for error in refusal.value.errors]
    assert sorted(told) == ["event_types[1]", "url", "url", "url"]
    assert await rows(rt, "SELECT id FROM webhook_endpoints") == []


async def test_an_empty_list_of_types_is_refused(rt: Runtime, merchant: UUID) -> None:
    with pytest.raises(InvalidRequest):
        await create_endpoint(rt, merchant, "test", URL, [])


async def test_a_type_named_twice_is_kept_once(rt: Runtime, merchant: UUID) -> None:
    endpoint = await create_endpoint(
        rt, merchant, "test", URL, ["refund.failed", "dispute.won", "refund.failed"]
    )
    assert endpoint.event_types == ("refund.failed", "dispute.won")
    assert await get_endpoint(rt, merchant, endpoint.id) == endpoint


async def test_a_secret_has_256_random_bits_and_is_nowhere_in_the_database(
    rt: Runtime, merchant: UUID
) -> None:
    made = [await endpoint_at(rt, merchant, URL) for _ in range(5)]
    texts = {secret.reveal() for _, secret in made}
    assert len(texts) == 5
    tables = [
        str(await rows(rt, f"SELECT * FROM {table}"))
        for table in ("webhook_endpoints", "secrets", "events", "deliveries")
    ]
    for text in texts:
        raw = base64.b64decode(text.removeprefix("whsec_"))
        assert len(raw) == 32
        for form in (text, text.removeprefix("whsec_"), raw.hex(), str(raw)[2:-1]):
            assert not any(form in table for table in tables)


async def test_endpoints_are_limited_and_disabling_one_makes_room(
    rt: Runtime, merchant: UUID
) -> None:
    made = [await create_endpoint(rt, merchant, "test", URL, None) for _ in range(ENABLED_MAX)]
    with pytest.raises(TooManyEndpoints):
        await create_endpoint(rt, merchant, "test", URL, None)
    await delete_endpoint(rt, merchant, made[0].id)
    await create_endpoint(rt, merchant, "test", URL, None)


async def test_disabling_twice_keeps_the_first_time(rt: Runtime, merchant: UUID) -> None:
    endpoint = await create_endpoint(rt, merchant, "test", URL, None)
    first = await delete_endpoint(rt, merchant, endpoint.id)
    assert first.disabled_at is not None
    assert await delete_endpoint(rt, merchant, endpoint.id) == first


async def test_another_merchants_endpoint_is_not_found(rt: Runtime, merchant: UUID) -> None:
    other = (await create_merchant(rt, "Other", "test")).merchant_id
    endpoint = await create_endpoint(rt, merchant, "test", URL, None)
    with pytest.raises(NoSuchEndpoint):
        await get_endpoint(rt, other, endpoint.id)
    with pytest.raises(NoSuchEndpoint):
        await delete_endpoint(rt, other, endpoint.id)
    assert (await get_endpoint(rt, merchant, endpoint.id)).disabled_at is None
