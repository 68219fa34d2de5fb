"""The shelf and the cart."""

import io
import re

import pytest

from payloom.shop.guards import CART_COOKIE
from payloom.shop.products import display
from tests.shop.conftest import Browser, RunningShop


async def test_the_shelf_shows_three_products_with_pictures_and_prices(browser: Browser) -> None:
    html = await browser.get("/")
    assert all(price in html for price in ("€14.50", "€32.00", "€89.00"))
    pictures = set(re.findall(r'src="(/static/\w+\.svg)"', html))
    assert {"/static/beans.svg", "/static/dripper.svg", "/static/grinder.svg"} <= pictures
    for picture in pictures:
        assert "<svg" in await browser.get(picture)
        assert browser.status == 200


async def test_quantities_change_and_lines_go_away(browser: Browser) -> None:
    for sku in ("beans", "beans", "grinder"):
        await browser.post("/cart/items", sku=sku)
        assert (browser.status, browser.location) == (303, "/cart")
    assert 'id="total">€118.00<' in await browser.get("/cart")
    await browser.post("/cart/items/beans", quantity="5")
    assert 'id="total">€161.50<' in await browser.get("/cart")
    await browser.post("/cart/items/grinder", quantity="0")
    html = await browser.get("/cart")
    assert 'id="total">€72.50<' in html
    assert "Orbit" not in html


async def test_a_quantity_has_an_upper_bound(browser: Browser) -> None:
    await browser.post("/cart/items", sku="beans")
    await browser.post("/cart/items/beans", quantity="9999")
    await browser.post("/cart/items", sku="beans")
    assert await browser.cart_count() == 20


@pytest.mark.parametrize("quantity", ["", "-1", "two", "1.5", "²", "99999999999999999999"])
async def test_a_quantity_that_is_none_is_refused(browser: Browser, quantity: str) -> None:
    await browser.post("/cart/items", sku="beans")
    assert "garbled" in await browser.post("/cart/items/beans", quantity=quantity)
    assert browser.status == 400
    assert await browser.cart_count() == 1


async def test_an_unknown_product_is_not_found(browser: Browser) -> None:
    await browser.post("/cart/items", sku="tea")
    assert browser.status == 404


async def test_an_address_for_forms_says_so_and_the_till_leads_back_to_the_cart(
    browser: Browser,
) -> None:
    await browser.get("/checkout")
    assert (browser.status, browser.location) == (303, "/cart")
    html = await browser.get("/cart/items")
    assert browser.status == 405
    assert "takes forms only" in html


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/cart/items", "/cart/items/beans", "/checkout"])
async def test_forms_of_other_sites_change_nothing(
    browser: Browser, origin: str, path: str
) -> None:
    await browser.post("/cart/items", sku="beans")
    await browser.post(path, headers={"Origin": origin}, sku="grinder", quantity="0")
    assert browser.status == 403
    assert await browser.cart_count() == 1


async def test_the_shops_own_origin_is_welcome(browser: Browser, shop: RunningShop) -> None:
    await browser.post("/cart/items", headers={"Origin": shop.url}, sku="beans")
    assert browser.status == 303


async def test_a_planted_cart_id_is_replaced(browser: Browser) -> None:
    browser.session.cookie_jar.update_cookies({CART_COOKIE: "planted"})
    await browser.post("/cart/items", sku="beans")
    cookies = {cookie.key: cookie for cookie in browser.session.cookie_jar}
    cookie = cookies[CART_COOKIE]
    assert cookie.value != "planted"
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"


async def test_a_huge_form_is_refused(browser: Browser) -> None:
    form = io.BytesIO(b"sku=" + b"x" * 1_500_000)
    async with browser.session.post(f"{browser.shop_url}/cart/items", data=form) as answer:
        assert answer.status == 413


async def test_pages_are_kept_from_frames_caches_and_foreign_code(browser: Browser) -> None:
    async with browser.session.get(browser.shop_url) as answer:
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1450, "EUR", "€14.50"),
        (5, "EUR", "€0.05"),
        (2400, "JPY", "¥2,400"),
        (4750, "KWD", "KWD 4.750"),
        (1234567, "USD", "$12,345.67"),
        (-99, "GBP", "−£0.99"),
    ],
)
def test_amounts_read_as_their_currency_is_written(amount: int, currency: str, text: str) -> None:
    assert display(amount, currency) == text
