"""What the API's webhooks may do to an order, and what nobody else's may."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from tests.shop.conftest import Browser, RunningShop, order_page
from tests.shop.stand_in import StandIn, deliver, event, signed


async def ordered(browser: Browser, api: StandIn) -> dict[str, Any]:
    await browser.buy()
    return list(api.orders.values())[-1]


def as_if(order: dict[str, Any], status: str, **changes: Any) -> dict[str, Any]:
    return order | {"payment_order_status": status} | changes


async def post(shop: RunningShop, data: bytes, headers: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{shop.url}/webhooks", data=data, headers=headers) as answer,
    ):
        return answer.status


async def test_the_order_is_paid_when_the_signed_event_arrives(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    await browser.post("/cart/items", sku="grinder")
    paid = event(as_if(order, "SUCCEEDED"), "payment_order.succeeded", 2)
    assert await deliver(shop.url, paid) == 200
    html = await browser.get(order_page(order))
    assert 'data-status="SUCCEEDED"' in html
    assert "It’s paid." in html
    story = await browser.story(order)
    assert (story["payment_order_status"], story["shop_status"]) == ("SUCCEEDED", "paid")
    assert await browser.cart_count() == 1  # what was paid for is out, what came since is not


async def test_forged_old_and_mangled_webhooks_change_nothing(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    paid = event(as_if(order, "SUCCEEDED"), "payment_order.succeeded", 2)
    data, headers = signed(paid)
    now, age = datetime.now(UTC), timedelta(minutes=6)
    other = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="
    tries: list[tuple[bytes, dict[str, str]]] = [
        signed(paid, secret=other),
        signed(paid, at=now - age),
        signed(paid, at=now + age),
        (data + b" ", headers),
        (data, {"content-type": "application/json"}),
        (data, headers | {"webhook-signature": "v1"}),
        (data, headers | {"webhook-signature": "v1,%%%"}),
        (data, headers | {"webhook-timestamp": "nan"}),
        (data, headers | {"webhook-id": "evt_another"}),
        (b"\xff\xfe", headers),
    ]
    assert [await post(shop, *one) for one in tries] == [401] * len(tries)
    story = await browser.story(order)
    assert (story["shop_status"], story["events"]) == ("awaiting_payment", [])


@pytest.mark.parametrize(
    "body",
    [
        {"id": "evt_1"},
        {"id": "evt_1", "type": "payment_order.succeeded", "sequence": "2", "data": {}},
        {"id": "evt_1", "type": "payment_order.succeeded", "sequence": 2, "data": []},
    ],
)
async def test_a_signed_body_that_is_no_event_is_refused(
    shop: RunningShop, body: dict[str, Any]
) -> None:
    assert await deliver(shop.url, body) == 400


async def test_a_duplicate_is_acknowledged_and_kept_once(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    paid = event(as_if(order, "SUCCEEDED"), "payment_order.succeeded", 2)
    data, headers = signed(paid)
    answers = []
    for _ in range(3):
        async with browser.session.post(f"{shop.url}/webhooks", data=data, headers=headers) as got:
            answers.append((got.status, (await got.json())["is_new"]))
    assert answers == [(200, True), (200, False), (200, False)]
    assert len((await browser.story(order))["events"]) == 1


async def test_a_duplicate_never_takes_goods_out_of_the_cart_twice(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    paid = event(as_if(order, "SUCCEEDED"), "payment_order.succeeded", 2)
    await deliver(shop.url, paid)
    await browser.post("/cart/items", sku="beans")
    await deliver(shop.url, paid)
    await deliver(shop.url, paid | {"id": "evt_again", "sequence": 3})
    assert await browser.cart_count() == 1


async def test_the_highest_sequence_wins_whatever_the_order_of_arrival(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    await deliver(shop.url, event(as_if(order, "PROCESSING"), "payment_order.processing", 3))
    await deliver(shop.url, event(as_if(order, "PENDING"), "payment_order.registered", 1))
    story = await browser.story(order)
    assert story["payment_order_status"] == "PROCESSING"
    assert [one["sequence"] for one in story["events"]] == [1, 3]


async def test_what_is_paid_stays_paid(browser: Browser, shop: RunningShop, api: StandIn) -> None:
    order = await ordered(browser, api)
    await deliver(shop.url, event(as_if(order, "SUCCEEDED"), "payment_order.succeeded", 2))
    await deliver(shop.url, event(as_if(order, "EXPIRED"), "payment_order.expired", 9))
    assert (await browser.story(order))["payment_order_status"] == "SUCCEEDED"


async def test_money_that_came_late_is_still_money(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    await deliver(shop.url, event(as_if(order, "EXPIRED"), "payment_order.expired", 2))
    assert (await browser.story(order))["shop_status"] == "not_paid"
    await deliver(shop.url, event(as_if(order, "SUCCEEDED"), "payment_order.late_success", 4))
    assert (await browser.story(order))["shop_status"] == "paid"


async def test_an_event_about_a_refund_does_not_hide_a_late_success(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    refund = {"id": "rfd_1", "payment_order": order["id"], "amount": 100, "currency": "EUR"}
    assert await deliver(shop.url, event(refund, "refund.succeeded", 5)) == 200
    await deliver(shop.url, event(as_if(order, "SUCCEEDED"), "payment_order.succeeded", 2))
    story = await browser.story(order)
    assert story["shop_status"] == "paid"
    assert [one["type"] for one in story["events"]] == [
        "payment_order.succeeded",
        "refund.succeeded",
    ]


@pytest.mark.parametrize("changes", [{"amount": 1449}, {"currency": "USD"}])
async def test_another_amount_pays_for_nothing(
    browser: Browser, shop: RunningShop, api: StandIn, changes: dict[str, Any]
) -> None:
    order = await ordered(browser, api)
    wrong = as_if(order, "SUCCEEDED", **changes)
    assert await deliver(shop.url, event(wrong, "payment_order.succeeded", 2)) == 200
    assert (await browser.story(order))["shop_status"] == "awaiting_payment"


async def test_another_payment_of_the_same_reference_pays_for_nothing(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    other = as_if(order, "SUCCEEDED", id="po_of_an_earlier_life")
    assert await deliver(shop.url, event(other, "payment_order.succeeded", 2)) == 200
    assert (await browser.story(order))["shop_status"] == "awaiting_payment"
