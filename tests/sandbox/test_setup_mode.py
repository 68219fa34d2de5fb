"""Checkout sessions that save a method, and sessions of a customer."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import DECLINED, SECURE, SUCCESS_URL, VISA, Merchant, Page

ENDIVE: Any = {"stripe_version": "2026-10-28.endive"}
ON_SETUP = "4000002500003155"


async def saving(merchant: Merchant, **more: Any) -> Any:
    params: Any = {"mode": "setup", "currency": "usd", "success_url": SUCCESS_URL, **more}
    if "currency" in more and more["currency"] is None:
        del params["currency"]
    return await merchant.sessions.create_async(params, ENDIVE)


async def customer(merchant: Merchant, **more: Any) -> Any:
    params: Any = {"email": "jo@example.com", **more}
    return await merchant.stripe.v1.customers.create_async(params)


async def methods_of(merchant: Merchant, id_: str) -> list[str]:
    listed = await merchant.stripe.v1.customers.payment_methods.list_async(id_)
    return [method.id for method in listed.data]


async def test_a_session_without_a_page_saves_a_method(merchant: Merchant) -> None:
    made = await customer(merchant)
    data = {"metadata": {"a": "1"}, "description": "later"}
    session = await saving(merchant, customer=made.id, setup_intent_data=data)
    assert (session.mode, session.status, session.payment_status) == (
        "setup", "open", "no_payment_required",
    )  # fmt: skip
    assert (session.amount_total, session.total_details, session.payment_intent) == (None,) * 3
    assert session.payment_method_types == ["card", "us_bank_account", "acss_debit"]
    page = await merchant.confirm(session.id, "pm_card_visa")
    assert (page["status"], page["setup_intent"]["status"]) == ("complete", "succeeded")
    found: Any = await merchant.sessions.retrieve_async(
        session.id, {"expand": ["setup_intent.payment_method", "customer"]}
    )
    assert (found.status, found.payment_status) == ("complete", "no_payment_required")
    setup = found.setup_intent
    assert (setup.metadata.to_dict(), setup.description) == ({"a": "1"}, "later")
    assert (found.customer.id, setup.payment_method.customer) == (made.id, made.id)
    assert await merchant.events() == [
        "customer.created", "setup_intent.created", "payment_method.attached",
        "setup_intent.succeeded", "checkout.session.completed",
    ]  # fmt: skip


async def test_the_page_says_that_it_saves_and_does(merchant: Merchant) -> None:
    made = await customer(merchant)
    session = await saving(merchant, customer=made.id, allowed_payment_method_types=["card"])
    page = await Page(merchant.http, session.url).open()
    assert "Save card</button>" in page.html
    assert "Total due" not in page.html
    assert 'value="jo@example.com"' in page.html  # the customer's, and not to be changed
    assert (await page.pay(VISA)).startswith("http://127.0.0.1:9/paid")
    assert len(await methods_of(merchant, made.id)) == 1
    await page.open()
    assert (page.status, "Already saved" in page.html) == (200, True)


async def test_a_card_that_declines_or_asks_is_tried_again(merchant: Merchant) -> None:
    session = await saving(merchant, allowed_payment_method_types=["card"])
    page = await Page(merchant.http, session.url).open()
    where = await page.pay(DECLINED)
    assert where.endswith("?declined=1")
    await page.open(page.url + "?declined=1")
    assert "Your card was declined." in page.html
    assert (await page.pay(SECURE)).endswith("/authenticate")
    await page.open(f"{page.url}/authenticate")
    assert "Amount" not in page.html
    await page.authenticate("fail")
    found: Any = await merchant.sessions.retrieve_async(session.id, {"expand": ["setup_intent"]})
    error = found.setup_intent.last_setup_error
    assert (found.status, error.code) == ("open", "setup_intent_authentication_failure")
    await page.open()
    await page.pay(SECURE)
    await page.open(f"{page.url}/authenticate")
    assert (await page.authenticate("complete")).startswith("http://127.0.0.1:9/paid")
    path = "setup_intent.latest_attempt"
    done: Any = await merchant.sessions.retrieve_async(session.id, {"expand": [path]})
    details = done.setup_intent.latest_attempt.payment_method_details.card
    assert details.three_d_secure.result == "authenticated"
    assert await merchant.events() == [
        "setup_intent.created", "setup_intent.setup_failed", "setup_intent.requires_action",
        "setup_intent.setup_failed", "setup_intent.requires_action", "setup_intent.succeeded",
        "checkout.session.completed",
    ]  # fmt: skip


async def test_a_card_that_was_set_up_pays_when_nobody_is_there(merchant: Merchant) -> None:
    made = await customer(merchant)
    session = await saving(merchant, customer=made.id, allowed_payment_method_types=["card"])
    page = await Page(merchant.http, session.url).open()
    await page.pay(ON_SETUP)
    await page.open(f"{page.url}/authenticate")
    await page.authenticate("complete")
    (method,) = await methods_of(merchant, made.id)
    intent: Any = {
        "amount": 900, "currency": "usd", "customer": made.id, "confirm": True,
        "off_session": True, "payment_method_types": ["card"],
    }  # fmt: skip
    pay: Any = merchant.stripe.v1.payment_intents.create_async
    old: Any = {"stripe_version": "2026-08-26.dahlia"}
    assert (await pay({**intent, "payment_method": method}, old)).status == "succeeded"
    loose = {**intent, "payment_method": "pm_card_authenticationRequiredOnSetup"}
    with pytest.raises(stripe.CardError) as refused:
        await pay(loose, old)
    assert refused.value.code == "authentication_required"


async def test_a_declined_setup_without_a_page_answers_why(merchant: Merchant) -> None:
    session = await saving(merchant)
    refused = await merchant.confirm(session.id, "pm_card_chargeDeclinedExpiredCard")
    assert refused["error"]["code"] == "expired_card"
    assert refused["error"]["setup_intent"]["status"] == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError, match="Checkout Session"):
        await merchant.stripe.v1.setup_intents.cancel_async(session.setup_intent)


async def test_a_customer_is_made_for_whom_wants_one(merchant: Merchant) -> None:
    session = await merchant.order(customer_creation="always")
    assert session.customer is None
    page = await Page(merchant.http, session.url).open()
    await page.pay(VISA)
    paid: Any = await merchant.sessions.retrieve_async(
        session.id, {"expand": ["customer", "payment_intent.latest_charge"]}
    )
    assert (paid.customer.email, paid.customer.name) == ("jo@example.com", "Jo Weaver")
    intent = paid.payment_intent
    assert (intent.customer, intent.latest_charge.customer) == (paid.customer.id,) * 2
    assert (await merchant.events()).count("customer.created") == 1
    assert await methods_of(merchant, paid.customer.id) == []  # paid with, and not to be kept
    guest = await merchant.order()
    await merchant.confirm(guest.id, "pm_card_visa")
    assert (await merchant.sessions.retrieve_async(guest.id)).customer is None


async def test_a_method_for_later_needs_a_customer(merchant: Merchant) -> None:
    session = await merchant.order(payment_intent_data={"setup_future_usage": "off_session"})
    await merchant.confirm(session.id, "pm_card_visa_chargeDeclined")
    await merchant.confirm(session.id, "pm_card_visa")
    paid: Any = await merchant.sessions.retrieve_async(session.id)
    assert len(await methods_of(merchant, paid.customer)) == 1
    assert (await merchant.events()).count("customer.created") == 1


async def test_sessions_are_listed_by_who_pays(merchant: Merchant) -> None:
    made = await customer(merchant)
    known = await merchant.order(customer=made.id)
    other = await merchant.order(customer_email="ann@example.com")

    async def found(**filters: Any) -> list[str]:
        listed = await merchant.sessions.list_async(filters or None)  # type: ignore[arg-type]
        return [one.id for one in listed.data]

    assert await found(customer=made.id) == [known.id]
    assert await found(customer_details={"email": "jo@example.com"}) == [known.id]
    assert await found(customer_details={"email": "ann@example.com"}) == [other.id]


async def test_what_the_shopper_types_can_become_the_customer_s(merchant: Merchant) -> None:
    made = await customer(merchant, name="J.")
    update = {"name": "auto", "address": "never"}
    session = await merchant.order(customer=made.id, customer_update=update)
    page = await Page(merchant.http, session.url).open()
    await page.pay(VISA)
    kept: Any = await merchant.stripe.v1.customers.retrieve_async(made.id)
    assert (kept.name, kept.address) == ("Jo Weaver", None)
    assert "customer.updated" in await merchant.events()


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"currency": None}, "parameter_missing", "currency"),
        ({"payment_intent_data": {"description": "x"}}, None, "payment_intent_data"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, None, "line_items"),
        ({"allowed_payment_method_types": ["oxxo"]}, None, "allowed_payment_method_types"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"customer_update": {"name": "auto"}}, None, "customer_update"),
        ({"mode": "payment", "setup_intent_data": {"description": "x"}}, None,
         "setup_intent_data"),
        ({"invoice_creation": {"enabled": True}}, None, "invoice_creation[enabled]"),
    ],
)  # fmt: skip
async def test_a_bad_setup_session_is_refused(
    merchant: Merchant, change: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await saving(merchant, **change)
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (
        400, code, param,
    )  # fmt: skip
    assert await merchant.events() == []


async def test_a_customer_and_an_email_do_not_go_together(merchant: Merchant) -> None:
    made = await customer(merchant)
    others: list[dict[str, Any]] = [
        {"customer_email": "a@b.example"},
        {"customer_creation": "always"},
    ]
    for more in others:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await merchant.order(customer=made.id, **more)
        assert refused.value.code == "parameters_exclusive"
