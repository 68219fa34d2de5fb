"""The hosted page as a browser without JavaScript gets it."""

import re
from typing import Any

import pytest

from tests.sandbox.merchant import CANCEL_URL, SHOPPER, VISA, Merchant, Page, form, order


async def opened(merchant: Merchant, **more: Any) -> tuple[Any, Page]:
    session = await merchant.order(**more)
    return session, await Page(merchant.http, session.url).open()


async def test_the_page_shows_the_order_and_asks_for_a_card(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    for text in ("Blue mug", "Stoneware", "€19.99", "Pay €19.99", "Test mode", CANCEL_URL):
        assert text in page.html
    for name, autocomplete in (
        ("email", "email"),
        ("cardNumber", "cc-number"),
        ("cardExpiry", "cc-exp"),
        ("cardCvc", "cc-csc"),
        ("billingName", "cc-name"),
        ("billingCountry", "billing country"),
    ):
        assert f'<label for="{name}">' in page.html
        field = re.search(rf'<(input|select) id="{name}"[^>]*>', page.html)
        assert field is not None
        assert f'autocomplete="{autocomplete}"' in field[0]
        assert "required" in field[0]


async def test_the_page_is_neither_cached_nor_framed_nor_fed_from_elsewhere(
    merchant: Merchant,
) -> None:
    _, page = await opened(merchant)
    assert page.headers["Cache-Control"] == "no-store"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    outside = re.findall(r'(?:src|href|action)="(https?://[^"]+)"', page.html)
    assert set(outside) == {CANCEL_URL}


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (500, "jpy", "¥500"),
        (123_456, "jpy", "¥123,456"),
        (1230, "kwd", "KWD\u00a01.230"),
        (50_000, "isk", "ISK\u00a0500"),
        (123_456_7, "usd", "$12,345.67"),
        (99, "gbp", "£0.99"),
    ],
)
async def test_amounts_are_shown_in_the_decimals_of_their_currency(
    merchant: Merchant, amount: int, currency: str, shown: str
) -> None:
    _, page = await opened(merchant, amount=amount, currency=currency)
    assert f"Pay {shown}</button>" in page.html


async def test_texts_of_the_merchant_are_escaped(merchant: Merchant) -> None:
    nasty = "<script>alert(1)</script>"
    product = {"name": nasty, "description": nasty}
    price = {"currency": "eur", "unit_amount": 100, "product_data": product}
    _, page = await opened(
        merchant,
        line_items=[{"price_data": price, "quantity": 1}],
        branding_settings={"display_name": nasty},
        cancel_url='http://127.0.0.1:9/"onclick="x',
    )
    assert nasty not in page.html
    assert '"onclick="' not in page.html


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"email": ""}, "email", "Enter your email"),
        ({"email": "nobody"}, "email", "valid email"),
        ({"cardNumber": ""}, "cardNumber", "Enter your card number"),
        ({"cardNumber": "4242424242424241"}, "cardNumber", "card number is incorrect"),
        ({"cardNumber": "4242"}, "cardNumber", "incomplete"),
        ({"cardExpiry": "13 / 34"}, "cardExpiry", "month is invalid"),
        ({"cardExpiry": "12 / 20"}, "cardExpiry", "year is in the past"),
        ({"cardExpiry": "soon"}, "cardExpiry", "MM / YY"),
        ({"cardCvc": "1"}, "cardCvc", "code is invalid"),
        ({"cardNumber": "378282246310005"}, "cardCvc", "code is incomplete"),
        ({"billingName": " "}, "billingName", "name on the card"),
        ({"billingCountry": "XX"}, "billingCountry", "country or region"),
    ],
)
async def test_a_typing_mistake_is_shown_at_its_field(
    merchant: Merchant, change: dict[str, str], field: str, message: str
) -> None:
    _, page = await opened(merchant)
    fields = {"cardNumber": VISA, **change}
    assert await page.pay(fields.pop("cardNumber"), **fields) == ""
    assert page.status == 422
    assert 'role="alert"' in page.html
    shown = re.search(rf'<p class="problem" id="{field}-problem">([^<]*)</p>', page.html)
    assert shown is not None
    assert message in shown[1]
    marked = re.search(rf'id="{field}"[^>]*aria-describedby="{field}-problem"', page.html)
    assert marked is not None
    assert await merchant.events() == []


@pytest.mark.parametrize("expiry", ["12/34", "12 / 34", "1234", "12-2034", "12/2034"])
async def test_an_expiry_may_be_typed_in_many_ways(merchant: Merchant, expiry: str) -> None:
    _, page = await opened(merchant)
    assert (await page.pay("4242-4242 4242 4242", cardExpiry=expiry)).startswith("http")


async def test_a_number_that_is_no_test_card_is_declined_without_an_event(
    merchant: Merchant,
) -> None:
    _, page = await opened(merchant)
    assert await page.pay("4111111111111111") == ""
    assert page.status == 402
    assert "used a non test card" in page.html
    assert await merchant.events() == []
    assert (await page.pay(VISA)).startswith("http://127.0.0.1:9/paid")


async def test_after_a_decline_only_the_card_must_be_typed_again(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    await page.pay("4000000000000002")
    await page.open(f"{page.url}?declined=1")
    assert 'value="jo@example.com"' in page.html
    assert 'value="Jo Weaver"' in page.html
    assert '<option value="IE" selected>' in page.html
    assert "0002" not in re.sub(r'value="[0-9a-f]{64}"', "", page.html)


async def test_a_forged_form_pays_nothing(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    _, other = await opened(merchant)
    card = {**SHOPPER, "cardNumber": VISA, "cardExpiry": "12/34", "cardCvc": "123"}
    for token in ("", "x", other.token(), "é"):
        assert await page.submit(page.url, {**card, "token": token}) == ""
        assert page.status == 403
    page = await Page(merchant.http, page.url).open()
    assert await page.submit(page.url, card, Origin="http://elsewhere.example") == ""
    assert page.status == 403
    assert (await page.submit(page.url, card, Origin=merchant.url)).startswith("http")
    assert (await merchant.events()).count("charge.succeeded") == 1


@pytest.mark.parametrize("body", [b"%", b"\xff", b"a=1&a=2", b"x" * 200_000])
async def test_a_malformed_form_pays_nothing(merchant: Merchant, body: bytes) -> None:
    _, page = await opened(merchant)
    async with merchant.http.post(page.url, data=body) as answer:
        assert answer.status == 403
    assert await merchant.events() == []


async def test_the_second_tab_and_the_back_button_charge_nothing(merchant: Merchant) -> None:
    session, first = await opened(merchant)
    second = await Page(merchant.http, session.url).open()
    await first.pay(VISA)
    assert await second.pay(VISA) == ""
    assert second.status == 200
    assert "Already paid" in second.html
    assert f"http://127.0.0.1:9/paid?session={session.id}" in second.html
    assert "Already paid" in (await first.open()).html
    assert (await merchant.events()).count("charge.succeeded") == 1


async def test_an_expired_page_says_so_and_leads_back(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    await merchant.sessions.expire_async(session.id)
    await page.open()
    assert page.status == 410
    assert "expired" in page.html
    assert CANCEL_URL in page.html


async def test_without_a_cancel_url_there_is_no_way_back(merchant: Merchant) -> None:
    params: Any = {name: value for name, value in order().items() if name != "cancel_url"}
    session = await merchant.sessions.create_async(params)
    page = await Page(merchant.http, str(session.url)).open()
    assert 'id="cancel"' not in page.html


async def test_a_known_email_is_filled_in_and_locked(merchant: Merchant) -> None:
    session, page = await opened(merchant, customer_email="known@example.com")
    assert re.search(r'id="email"[^>]*value="known@example.com" readonly', page.html)
    await page.pay(VISA, email="other@example.com")
    paid: Any = await merchant.sessions.retrieve_async(session.id)
    assert paid.customer_details.email == "known@example.com"


@pytest.mark.parametrize("path", ["/c/pay/cs_test_none", "/c/pay/x/authenticate"])
async def test_an_unknown_page_is_a_page_too(merchant: Merchant, path: str) -> None:
    page = await Page(merchant.http, merchant.url + path).open()
    assert page.status == 404
    assert "Page not found" in page.html


async def test_a_challenge_that_nobody_asked_for_leads_back(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    await page.open(f"{page.url}/authenticate")
    assert (page.status, page.headers["Location"]) == (303, f"/c/pay/{session.id}")
    page = await Page(merchant.http, session.url).open()
    assert await page.authenticate("complete") == f"/c/pay/{session.id}"


async def test_only_hosted_sessions_have_a_page(merchant: Merchant) -> None:
    wanted = {**form(), "ui_mode": "embedded_page", "return_url": "http://127.0.0.1:9/back"}
    del wanted["success_url"]
    _, embedded, _ = await merchant.post("/v1/checkout/sessions", wanted)
    assert embedded["url"] is None
    assert embedded["client_secret"].startswith(embedded["id"])
    page = await Page(merchant.http, f"{merchant.url}/c/pay/{embedded['id']}").open()
    assert page.status == 404
