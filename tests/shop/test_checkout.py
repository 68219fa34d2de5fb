"""From the cart to the payment page, on good days and bad ones."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from payloom.shop.settings import Settings
from tests.shop import stand_in
from tests.shop.conftest import Browser, RunningShop, order_page, serving
from tests.shop.stand_in import StandIn


def only_order(api: StandIn) -> dict[str, Any]:
    (order,) = api.orders.values()
    return order


async def test_checkout_asks_for_the_payment_and_redirects(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    for sku in ("beans", "beans", "dripper"):
        await browser.post("/cart/items", sku=sku)
    await browser.post("/checkout", email="ada@example.com")
    order = only_order(api)
    assert (browser.status, browser.location) == (303, order["redirect_url"])
    ((key, body),) = api.requests
    assert key == body["reference"] == "W-1001"
    assert (body["amount"], body["currency"]) == (6100, "EUR")
    assert body["line_items"] == [
        {"name": "Slow Morning", "quantity": 2, "unit_amount": 1450},
        {"name": "Fold", "quantity": 1, "unit_amount": 3200},
    ]
    assert body["customer"]["email"] == "ada@example.com"
    assert body["metadata"] == {"shop": "wrenfold", "shop_order": "W-1001"}
    assert body["return_url"].startswith(f"{shop.url}/orders/W-1001/return?t=")
    assert body["cancel_url"].startswith(f"{shop.url}/orders/W-1001/cancelled?t=")


async def test_the_carts_secret_id_never_leaves_the_shop(browser: Browser, api: StandIn) -> None:
    await browser.buy()
    (cookie,) = browser.session.cookie_jar
    assert cookie.value not in str(api.requests)


async def test_clicking_twice_is_one_order(browser: Browser, api: StandIn) -> None:
    await browser.buy()
    first = browser.location
    await browser.post("/checkout")
    assert browser.location == first
    assert len(api.orders) == 1


async def test_another_cart_is_another_order(browser: Browser, api: StandIn) -> None:
    await browser.buy("beans")
    await browser.buy("grinder")
    assert [order["amount"] for order in api.orders.values()] == [1450, 10350]


async def test_an_empty_cart_goes_nowhere(browser: Browser, api: StandIn) -> None:
    await browser.post("/checkout")
    assert (browser.status, browser.location) == (303, "/cart")
    assert not api.requests


@pytest.mark.parametrize("email", ["ada", "ada@", "a b@example.com", "@example.com", "a@b"])
async def test_a_slip_in_the_email_is_told(browser: Browser, api: StandIn, email: str) -> None:
    await browser.post("/cart/items", sku="beans")
    assert "does not look like an email" in await browser.post("/checkout", email=email)
    assert browser.status == 422
    assert not api.requests


async def test_a_slow_provider_gets_a_page_that_asks_again(browser: Browser, api: StandIn) -> None:
    api.unregistered = 1
    await browser.buy()
    preparing = browser.location
    assert preparing.startswith("/orders/W-1001/preparing?t=")
    html = await browser.get(preparing)
    assert "Preparing your payment" in html
    assert '<meta http-equiv="refresh" content="1">' in html
    await browser.get(preparing)
    assert (browser.status, browser.location) == (303, only_order(api)["redirect_url"])


async def test_a_request_still_running_is_asked_again_under_its_key(
    browser: Browser, api: StandIn
) -> None:
    api.answer = (409, {"code": "in_progress"})
    await browser.buy()
    preparing = browser.location
    assert "Preparing your payment" in await browser.get(preparing)
    api.answer = None
    await browser.get(preparing)
    assert browser.location == only_order(api)["redirect_url"]
    assert len({key for key, _ in api.requests}) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_api_in_trouble_keeps_the_cart_and_the_order(
    browser: Browser, api: StandIn, status: int
) -> None:
    api.answer = (status, {"code": "unavailable"})
    await browser.post("/cart/items", sku="beans")
    html = await browser.post("/checkout")
    assert browser.status == 503
    assert "Your cart is just as you left it" in html
    assert await browser.cart_count() == 1
    api.answer = None
    await browser.post("/checkout")
    assert browser.location == only_order(api)["redirect_url"]
    assert [key for key, _ in api.requests] == ["W-1001", "W-1001"]


async def test_an_api_that_is_down_keeps_the_cart(
    settings: Settings, new_browser: Callable[[str], Awaitable[Browser]]
) -> None:
    async with serving(replace(settings, api_url="http://127.0.0.1:1")) as shop:
        browser = await new_browser(shop.url)
        await browser.post("/cart/items", sku="beans")
        assert "The till is not answering" in await browser.post("/checkout")
        assert browser.status == 503
        assert await browser.cart_count() == 1


@pytest.mark.parametrize("answer", [[], {}, {"id": "po_1"}, {"id": 1, "amount": "1450"}])
async def test_an_answer_that_is_no_payment_order_is_trouble(
    browser: Browser, api: StandIn, answer: Any
) -> None:
    api.answer = (201, answer)
    await browser.buy()
    assert browser.status == 503


async def test_a_refusal_is_told_and_the_next_try_is_a_new_order(
    browser: Browser, api: StandIn
) -> None:
    api.answer = (422, {"code": "registration_refused"})
    await browser.post("/cart/items", sku="beans")
    assert "This payment was turned away" in await browser.post("/checkout")
    assert browser.status == 502
    api.answer = None
    await browser.post("/checkout")
    assert only_order(api)["reference"] == "W-1002"


async def test_numbers_taken_at_the_api_are_left_behind(browser: Browser, api: StandIn) -> None:
    api.taken = {f"W-{number}" for number in range(1001, 2001)}
    await browser.buy()
    order = only_order(api)
    assert browser.location == order["redirect_url"]
    assert [key for key, _ in api.requests] == ["W-1001", order["reference"]]


async def test_a_payment_that_expired_unnoticed_starts_afresh(
    browser: Browser, api: StandIn
) -> None:
    await browser.buy()
    only_order(api)["payment_order_status"] = "EXPIRED"
    await browser.post("/checkout")
    first, second = api.orders.values()
    assert browser.location == second["redirect_url"]
    assert (await browser.story(first))["shop_status"] == "not_paid"


async def test_a_payment_made_unnoticed_is_not_asked_for_again(
    browser: Browser, api: StandIn
) -> None:
    await browser.buy()
    only_order(api)["payment_order_status"] = "SUCCEEDED"
    await browser.post("/checkout")
    assert browser.location == order_page(only_order(api)).removeprefix(browser.shop_url)
    assert len(api.orders) == 1


@pytest.mark.parametrize(
    ("currency", "total", "amount"), [("JPY", "¥16,900", 16900), ("KWD", "KWD 34.000", 34000)]
)
async def test_other_currencies_are_shown_and_sent_in_their_own_units(
    settings: Settings,
    api: StandIn,
    new_browser: Callable[[str], Awaitable[Browser]],
    currency: str,
    total: str,
    amount: int,
) -> None:
    async with serving(replace(settings, currency=currency)) as shop:
        browser = await new_browser(shop.url)
        await browser.post("/cart/items", sku="beans")
        await browser.post("/cart/items", sku="grinder")
        assert f'id="total">{total}<' in await browser.get("/cart")
        await browser.post("/checkout")
        order = only_order(api)
        assert (order["amount"], order["currency"]) == (amount, currency)
        assert total in await browser.get(order_page(order))


async def test_an_event_that_overtakes_the_answer_counts(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    async def pay_at_once(order: dict[str, Any]) -> None:
        paid = order | {"payment_order_status": "SUCCEEDED"}
        status = await stand_in.deliver(
            shop.url, stand_in.event(paid, "payment_order.succeeded", 2)
        )
        assert status == 200

    api.before_answering = pay_at_once
    await browser.buy()
    assert (await browser.story(only_order(api)))["shop_status"] == "paid"
