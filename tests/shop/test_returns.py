"""The shopper comes back: what is believed, what is only shown, and what is left alone."""

import time
from typing import Any
from urllib.parse import urlencode

import pytest

from payloom.shop.returns import sign
from tests.shop.conftest import Browser, RunningShop, order_page
from tests.shop.stand_in import RETURN_SECRET, StandIn, deliver, event


async def ordered(browser: Browser, api: StandIn) -> dict[str, Any]:
    await browser.buy()
    return list(api.orders.values())[-1]


def returning(order: dict[str, Any], *, secret: str = RETURN_SECRET, **changes: str) -> str:
    """A return URL signed over its own query, with fields as a forger likes them."""
    query = {
        "payment_order_id": order["id"],
        "reference": order["reference"],
        "payment_order_status": "SUCCEEDED",
        "timestamp": str(int(time.time())),
    } | changes
    query.setdefault("signature", sign(".".join(query.values()), secret))
    return f"{order['return_url']}&{urlencode(query)}"


async def test_a_signed_return_is_shown_and_never_booked(browser: Browser, api: StandIn) -> None:
    order = await ordered(browser, api)
    await browser.get(api.return_url(order["id"], "SUCCEEDED"))
    assert browser.status == 303
    html = await browser.get(browser.location)
    assert "They bring back the signed status SUCCEEDED." in html
    assert 'data-status="PENDING"' in html
    assert (await browser.story(order))["shop_status"] == "awaiting_payment"


async def test_a_shopper_who_is_back_before_the_webhook_sees_what_the_api_says(
    browser: Browser, api: StandIn
) -> None:
    order = await ordered(browser, api)
    api.settle(order["id"], "SUCCEEDED")
    await browser.get(api.return_url(order["id"], "SUCCEEDED"))
    story = await browser.story(order)
    assert (story["shop_status"], story["events"]) == ("paid", [])


async def test_a_lost_webhook_does_not_keep_a_returned_shopper_waiting(
    browser: Browser, api: StandIn
) -> None:
    order = await ordered(browser, api)
    await browser.get(api.return_url(order["id"], "PENDING"))
    api.settle(order["id"], "SUCCEEDED")
    assert "It’s paid." in await browser.get(order_page(order))


async def test_a_shopper_who_never_came_back_waits_for_the_webhook(
    browser: Browser, api: StandIn
) -> None:
    order = await ordered(browser, api)
    api.settle(order["id"], "SUCCEEDED")
    assert (await browser.story(order))["shop_status"] == "awaiting_payment"


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "somebody else's"},
        {"signature": "v1,"},
        {"signature": ""},
        {"signature": "ü"},
        {"payment_order_id": "po_another"},
        {"reference": "W-1002"},
        {"timestamp": str(int(time.time()) - 3600)},
        {"timestamp": str(int(time.time()) + 3600)},
        {"timestamp": ""},
        {"timestamp": "99999999999"},
        {"timestamp": "yesterday"},
    ],
)
async def test_a_forged_or_old_return_is_told_and_left_alone(
    browser: Browser, api: StandIn, changes: dict[str, str]
) -> None:
    order = await ordered(browser, api)
    api.settle(order["id"], "SUCCEEDED")  # the API is not even asked
    html = await browser.get(returning(order, **changes))
    assert browser.status == 400
    assert "old or was changed" in html
    story = await browser.story(order)
    assert story["shop_status"] == "awaiting_payment"
    assert story["steps"][7]["at"] is None


def test_the_signature_is_the_contracts() -> None:
    # From printf … | openssl dgst -sha256 -hmac 'rs_ü' -binary | base64, made URL-safe, unpadded.
    assert sign("po_1.W-1.SUCCEEDED.1700000000", "rs_ü") == (
        "v1,ID4XzaSCGll9DTqqtu7runUVNtG5DlyeIPPldmfFf1I"
    )


async def test_cancelling_ends_the_page_and_keeps_the_cart_for_a_new_order(
    browser: Browser, api: StandIn
) -> None:
    order = await ordered(browser, api)
    await browser.get(api.return_url(order["id"], "PENDING", cancelled=True))
    assert api.orders[order["id"]]["payment_order_status"] == "CANCELED"
    html = await browser.get(browser.location)
    assert "You cancelled." in html
    assert 'data-status="CANCELED"' in html
    assert "The page was ended." in html
    assert "your cart is still here" in html
    assert await browser.cart_count() == 1
    await browser.post("/checkout")
    assert [one["reference"] for one in api.orders.values()] == ["W-1001", "W-1002"]


async def test_a_page_whose_end_is_not_confirmed_yet_is_left_alone_all_the_same(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    api.cancel_status = 202
    order = await ordered(browser, api)
    await browser.get(api.return_url(order["id"], "PENDING", cancelled=True))
    html = await browser.get(browser.location)
    assert "You cancelled." in html
    assert "</span> Canceling</p>" in html
    assert "/pay/" not in html
    api.orders[order["id"]]["payment_order_status"] = "CANCELED"
    told = event(api.orders[order["id"]], "payment_order.canceled", 2)
    await deliver(shop.url, told)
    html = await browser.get(order_page(order))
    assert "You cancelled." in html
    assert "</span> Canceled</p>" in html


async def test_without_an_answer_the_page_stays_open_and_no_second_one_is_offered(
    browser: Browser, api: StandIn
) -> None:
    api.cancel_status = 503
    order = await ordered(browser, api)
    await browser.get(api.return_url(order["id"], "PENDING", cancelled=True))
    html = await browser.get(browser.location)
    assert "You cancelled." not in html
    assert order["redirect_url"] in html
    assert 'id="retry"' not in html
    await browser.post("/checkout")
    assert browser.location == order["redirect_url"]
    assert len(api.orders) == 1


async def test_the_cancel_link_of_a_paid_order_leads_to_a_paid_order(
    browser: Browser, api: StandIn
) -> None:
    order = await ordered(browser, api)
    api.settle(order["id"], "SUCCEEDED")
    await browser.get(api.return_url(order["id"], "PENDING", cancelled=True))
    assert "It’s paid." in await browser.get(browser.location)


async def test_the_cancel_link_does_not_invite_a_second_payment_while_one_is_under_way(
    browser: Browser, api: StandIn
) -> None:
    order = await ordered(browser, api)
    api.settle(order["id"], "PROCESSING")
    await browser.get(api.return_url(order["id"], "PENDING", cancelled=True))
    html = await browser.get(browser.location)
    assert "Almost there." in html
    assert 'id="retry"' not in html
    assert (await browser.story(order))["shop_status"] == "awaiting_payment"


async def test_a_cancelled_order_whose_page_expires_stays_cancelled(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    api.cancel_status = 202
    order = await ordered(browser, api)
    await browser.get(api.return_url(order["id"], "PENDING", cancelled=True))
    expired = event(api.settle(order["id"], "EXPIRED"), "payment_order.expired", 2)
    await deliver(shop.url, expired)
    story = await browser.story(order)
    assert (story["payment_order_status"], story["shop_status"]) == ("EXPIRED", "cancelled")


async def test_a_cancelled_order_that_is_paid_after_all_is_paid(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await ordered(browser, api)
    await browser.get(api.return_url(order["id"], "PENDING", cancelled=True))
    await deliver(
        shop.url, event(api.settle(order["id"], "SUCCEEDED"), "payment_order.succeeded", 2)
    )
    assert (await browser.story(order))["shop_status"] == "paid"


async def test_a_forged_cancel_link_cancels_nothing(browser: Browser, api: StandIn) -> None:
    order = await ordered(browser, api)
    await browser.get(order["cancel_url"])
    assert browser.status == 400
    assert (await browser.story(order))["shop_status"] == "awaiting_payment"
