"""An endpoint's secret is rolled: for a while both sign, then only the new one."""

from typing import Any

import pytest

from tests.sandbox.merchant import Json, Merchant
from tests.sandbox.receiver import Delivery, Receiver

EXPIRED = "checkout.session.expired"


async def roll(merchant: Merchant, endpoint_id: str, body: Any) -> tuple[int, Json]:
    url = f"{merchant.url}/_sandbox/webhook_endpoints/{endpoint_id}/roll"
    async with merchant.http.post(url, json=body, headers=merchant.auth) as answer:
        return answer.status, await answer.json()


async def told(merchant: Merchant, receiver: Receiver) -> Delivery:
    """The webhook of something that happens now."""
    count = len(receiver.got)
    await merchant.sessions.expire_async((await merchant.order()).id)
    await receiver.until(count + 1)
    return receiver.got[-1]


def signatures(delivery: Delivery) -> list[str]:
    parts = delivery.headers["Stripe-Signature"].split(",")
    assert parts[0].startswith("t=")
    return [part for part in parts[1:] if part.startswith("v1=")]


async def test_while_the_old_secret_lasts_there_are_two_signatures(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, [EXPIRED])
    status, rolled = await roll(merchant, endpoint.id, {"expires_in_s": 3600})
    assert (status, rolled["id"]) == (200, endpoint.id)
    assert rolled["secret"].startswith("whsec_")
    both = await told(merchant, receiver)
    assert len(signatures(both)) == 2
    assert both.is_signed_with(endpoint.secret)
    assert both.is_signed_with(rolled["secret"])
    await merchant.advance(3590)
    assert len(signatures(await told(merchant, receiver))) == 2
    await merchant.advance(20)
    one = await told(merchant, receiver)
    assert len(signatures(one)) == 1
    assert one.is_signed_with(rolled["secret"])
    assert not one.is_signed_with(endpoint.secret)


async def test_the_newest_secret_signs_first(merchant: Merchant, receiver: Receiver) -> None:
    endpoint = await merchant.listen(receiver.url, [EXPIRED])
    await roll(merchant, endpoint.id, {"expires_in_s": 3600})
    _, newest = await roll(merchant, endpoint.id, {"expires_in_s": 60})
    delivery = await told(merchant, receiver)
    assert len(signatures(delivery)) == 3
    delivery.headers["Stripe-Signature"] = ",".join(
        delivery.headers["Stripe-Signature"].split(",")[:2]
    )
    assert delivery.is_signed_with(newest["secret"])
    await merchant.advance(70)  # no old secret outlives the last roll's overlap
    assert len(signatures(await told(merchant, receiver))) == 1


async def test_without_an_overlap_the_old_secret_ends_at_once(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, [EXPIRED])
    _, rolled = await roll(merchant, endpoint.id, {})
    delivery = await told(merchant, receiver)
    assert len(signatures(delivery)) == 1
    assert delivery.is_signed_with(rolled["secret"])


@pytest.mark.parametrize(
    "body", [{"expires_in_s": -1}, {"expires_in_s": 86_401}, {"expires_in_s": "1"}, [], True]
)
async def test_an_overlap_is_at_most_a_day(merchant: Merchant, body: Any) -> None:
    endpoint = await merchant.listen("http://127.0.0.1:9/a")
    status, _ = await roll(merchant, endpoint.id, body)
    assert status == 400


async def test_only_the_owner_rolls_it(merchant: Merchant) -> None:
    endpoint = await merchant.listen("http://127.0.0.1:9/a")
    stranger = Merchant(merchant.url, merchant.http)
    assert (await roll(stranger, endpoint.id, {}))[0] == 404
    assert (await roll(merchant, "we_none", {}))[0] == 404
