"""Vouchers and what the page offers: numbers to pay at a counter, by currency and filters."""

from typing import Any

import pytest
import stripe

from payloom.sandbox.stripe.methods.offers import CURRENCIES
from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from tests.sandbox.merchant import NO_FUNDS, VISA, Json, Merchant, Page

DAY = 86_400
ARRIVED = [
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.async_payment_succeeded",
]
EXPIRED = ["payment_intent.payment_failed", "checkout.session.async_payment_failed"]


async def opened(merchant: Merchant, **more: Any) -> tuple[Any, Page]:
    session = await merchant.order(**more)
    return session, await Page(merchant.http, session.url).open()


VOUCHER_CURRENCIES = {"boleto": "brl", "konbini": "jpy", "multibanco": "eur", "oxxo": "mxn"}
TAX = {"boleto_tax_id": "000.000.000-00"}


async def issued(merchant: Merchant, type_: str, email: str, **more: Any) -> Any:
    session, page = await opened(merchant, currency=VOUCHER_CURRENCIES[type_], **more)
    assert (await page.pay_by_voucher(type_, email, **TAX)).startswith("http://127.0.0.1:9/paid")
    return session


@pytest.mark.parametrize("type_", VOUCHERS)
async def test_a_voucher_is_paid_the_next_day(merchant: Merchant, type_: str) -> None:
    session = await issued(merchant, type_, "jo@example.com")
    found, intent, charge = await merchant.state(session)
    assert (found.status, found.payment_status) == ("complete", "unpaid")
    assert (intent.status, charge) == ("requires_action", None)
    action = intent.next_action[intent.next_action.type]
    until = getattr(action, "expires_at", None) or action.expires_after
    assert abs(until - found.created - VOUCHERS[type_].days * DAY) < 60
    waiting = await merchant.events()
    assert waiting == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "checkout.session.completed",
    ]
    page = await Page(merchant.http, action.hosted_voucher_url).open()
    assert page.status == 200
    assert VOUCHERS[type_].counter in page.html
    await merchant.advance(DAY + 1)
    found, intent, charge = await merchant.state(session)
    assert (found.payment_status, intent.status) == ("paid", "succeeded")
    assert (charge.status, charge.payment_method_details.type) == ("succeeded", type_)
    assert await merchant.events() == [*waiting, *ARRIVED]
    assert (await page.open()).status == 303


@pytest.mark.parametrize("name", ["fill_never", "jo.expire_with_delay"])
async def test_a_voucher_that_nobody_pays_expires(merchant: Merchant, name: str) -> None:
    session = await issued(merchant, "oxxo", f"{name}@example.com")
    await merchant.advance(3 * DAY - 60)
    assert (await merchant.events())[-1] == "checkout.session.completed"
    await merchant.advance(61)
    found, intent, charge = await merchant.state(session)
    assert (found.status, found.payment_status) == ("complete", "unpaid")
    assert (intent.status, charge) == ("requires_payment_method", None)
    assert intent.last_payment_error.code == "payment_intent_payment_attempt_expired"
    assert (await merchant.events())[-2:] == EXPIRED


async def test_the_merchant_may_give_a_voucher_more_days(merchant: Merchant) -> None:
    options = {"oxxo": {"expires_after_days": 7}}
    session = await issued(
        merchant, "oxxo", "fill_never@example.com", payment_method_options=options
    )
    assert session.payment_method_options.oxxo.expires_after_days == 7
    await merchant.advance(7 * DAY - 60)
    assert (await merchant.events())[-1] == "checkout.session.completed"
    await merchant.advance(61)
    assert (await merchant.events())[-1] == EXPIRED[-1]


@pytest.mark.parametrize(
    ("name", "told"), [("jo.succeed_immediately", ARRIVED), ("expire_immediately", EXPIRED)]
)
async def test_a_voucher_may_be_decided_within_seconds(
    merchant: Merchant, name: str, told: list[str]
) -> None:
    await issued(merchant, "boleto", f"{name}@example.com")
    await merchant.advance(6)
    assert (await merchant.events())[3:] == told


async def test_an_expired_voucher_says_nothing_of_an_earlier_card(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    await page.pay(NO_FUNDS)
    await page.pay_by_voucher("multibanco", "fill_never@example.com")
    await merchant.advance(7 * DAY + 1)
    _, intent, _ = await merchant.state(session)
    assert intent.last_payment_error.code == "payment_intent_payment_attempt_expired"
    assert intent.last_payment_error.charge is None


async def test_a_boleto_wants_a_tax_id(merchant: Merchant) -> None:
    _, page = await opened(merchant, currency="brl")
    assert await page.pay_by_voucher("boleto", "jo@example.com") == ""
    assert "Enter your CPF or CNPJ." in page.html


@pytest.mark.parametrize(
    ("currency", "filters", "offered"),
    [
        ("eur", {}, ["card", "ideal", "bancontact", "sepa_debit", "klarna", "multibanco"]),
        ("usd", {}, ["card", "cashapp", "us_bank_account", "acss_debit", "klarna"]),
        ("cad", {}, ["card", "acss_debit", "klarna"]),
        ("gbp", {}, ["card", "bacs_debit", "klarna"]),
        ("aud", {}, ["card", "au_becs_debit", "klarna"]),
        ("nzd", {}, ["card", "nz_bank_account", "klarna"]),
        ("mxn", {}, ["card", "oxxo"]),
        ("brl", {}, ["card", "pix", "boleto"]),
        ("jpy", {}, ["card", "konbini"]),
        ("inr", {}, ["card", "upi"]),
        ("sek", {}, ["card", "swish", "klarna"]),
        ("ils", {}, ["card"]),
        ("eur", {"allowed_payment_method_types": ["sepa_debit", "oxxo"]}, ["sepa_debit"]),
        ("eur", {"allowed_payment_method_types": ["link", "card"]}, ["card", "link"]),
        ("gbp", {"excluded_payment_method_types": ["card", "klarna"]}, ["bacs_debit"]),
        ("eur", {"payment_intent_data": {"capture_method": "manual"}}, ["card", "klarna"]),
        ("eur", {"allowed_payment_method_types": ["eps", "upi", "oxxo", "alma"]}, ["eps", "alma"]),
    ],
)
async def test_the_page_offers_what_currency_and_filters_leave(
    merchant: Merchant, currency: str, filters: Json, offered: list[str]
) -> None:
    session, page = await opened(merchant, currency=currency, **filters)
    assert session.payment_method_types == offered
    choices = page.html.count('name="method"')
    assert choices == (len(offered) if len(offered) > 1 else 0)
    for type_ in CURRENCIES:
        marks = {"card": 'id="cardNumber"'} | {r: f'id="method-{r}"' for r in REDIRECTS}
        assert (marks.get(type_, f'id="{type_}_name"') in page.html) == (type_ in offered)


async def test_filters_that_leave_nothing_are_refused(merchant: Merchant) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await merchant.order(currency="gbp", allowed_payment_method_types=["sepa_debit", "upi"])
    assert refused.value.param == "allowed_payment_method_types"


async def test_a_method_that_is_not_offered_cannot_be_forced(merchant: Merchant) -> None:
    session, page = await opened(merchant, excluded_payment_method_types=["sepa_debit"])
    assert await page.pay_by_account("sepa_debit", "AT611904300234573201") == ""
    assert page.status == 422
    assert "Enter your card number." in page.html
    assert (await merchant.sessions.retrieve_async(session.id)).status == "open"


async def test_a_form_that_names_no_method_pays_by_card(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    assert (await page.pay(VISA)).startswith("http://127.0.0.1:9/paid")
