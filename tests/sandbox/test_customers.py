"""Customers and the payment methods that they keep."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import Merchant


async def customer(merchant: Merchant, **more: Any) -> Any:
    params: Any = {"email": "jo@example.com", **more}
    return await merchant.stripe.v1.customers.create_async(params)


async def attached(merchant: Merchant, to: str, token: str = "pm_card_visa") -> Any:
    return await merchant.stripe.v1.payment_methods.attach_async(token, {"customer": to})


async def told(merchant: Merchant, type_: str) -> list[Any]:
    found = await merchant.stripe.v1.events.list_async({"type": type_})
    return [event.data.to_dict().get("previous_attributes") for event in reversed(found.data)]


async def test_a_customer_is_made_changed_and_deleted(merchant: Merchant) -> None:
    customers = merchant.stripe.v1.customers
    made = await customer(
        merchant,
        name="Jo",
        metadata={"a": "1"},
        address={"line1": "1 Quay", "country": "IE"},
        shipping={"name": "Jo", "address": {"city": "Cork"}},
    )
    assert made.id.startswith("cus_")
    assert (made.email, made.balance, made.delinquent) == ("jo@example.com", 0, False)
    assert (made.address.line1, made.address.city, made.shipping.phone) == ("1 Quay", None, None)
    changed = await customers.update_async(
        made.id, {"name": "Joanna", "metadata": {"b": "2"}, "shipping": ""}
    )
    assert (changed.name, changed.metadata.to_dict()) == ("Joanna", {"a": "1", "b": "2"})  # type: ignore[union-attr]
    (previous,) = await told(merchant, "customer.updated")
    assert (previous["name"], previous["metadata"]) == ("Jo", {"b": None})
    assert previous["shipping"]["name"] == "Jo"
    gone = await customers.delete_async(made.id)
    assert gone.deleted
    found = await customers.retrieve_async(made.id)
    assert found.to_dict() == {"id": made.id, "object": "customer", "deleted": True}
    assert (await customers.list_async()).data == []
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await customers.update_async(made.id, {"name": "x"})
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert await merchant.events() == ["customer.created", "customer.updated", "customer.deleted"]


async def test_customers_are_listed_by_email_and_time(merchant: Merchant) -> None:
    first = await customer(merchant)
    await merchant.advance(100)
    second = await customer(merchant, email="ann@example.com")

    async def found(**filters: Any) -> list[str]:
        listed = await merchant.stripe.v1.customers.list_async(filters or None)  # type: ignore[arg-type]
        return [one.id for one in listed.data]

    assert await found() == [second.id, first.id]
    assert await found(email="jo@example.com") == [first.id]
    assert await found(created={"gt": first.created}) == [second.id]
    assert await found(limit=1, starting_after=second.id) == [first.id]


async def test_a_customer_brings_a_payment_method(merchant: Merchant) -> None:
    made = await customer(
        merchant,
        payment_method="pm_card_visa",
        invoice_settings={"default_payment_method": "pm_card_visa"},
        expand=["invoice_settings.default_payment_method", "sources", "tax_ids"],
    )
    method = made.invoice_settings.default_payment_method
    assert (method.customer, method.card.last4) == (made.id, "4242")
    assert (made.sources.data, made.tax_ids.data) == ([], [])
    listed = await merchant.stripe.v1.customers.payment_methods.list_async(made.id)
    assert [one.id for one in listed.data] == [method.id]
    found = await merchant.stripe.v1.customers.payment_methods.retrieve_async(made.id, method.id)
    assert found.id == method.id
    assert await merchant.events() == ["customer.created", "payment_method.attached"]


async def test_a_test_method_is_attached_as_a_new_one_each_time(merchant: Merchant) -> None:
    made = await customer(merchant)
    one, two = await attached(merchant, made.id), await attached(merchant, made.id)
    debit = await attached(merchant, made.id, "pm_sepaDebit_success_de")
    assert len({one.id, two.id}) == 2
    assert one.customer == made.id
    methods = merchant.stripe.v1.payment_methods
    listed = await methods.list_async({"customer": made.id, "type": "card"})
    assert [method.id for method in listed.data] == [two.id, one.id]
    listed = await methods.list_async({"customer": made.id})
    assert [method.id for method in listed.data] == [debit.id, two.id, one.id]
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        await attached(merchant, made.id, one.id)


async def test_what_was_detached_is_of_no_use_to_anyone(merchant: Merchant) -> None:
    made = await customer(merchant)
    methods = merchant.stripe.v1.payment_methods
    method = await attached(merchant, made.id)
    await merchant.stripe.v1.customers.update_async(
        made.id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    free = await methods.detach_async(method.id)
    assert free.customer is None
    assert await told(merchant, "payment_method.detached") == [{"customer": made.id}]
    kept: Any = await merchant.stripe.v1.customers.retrieve_async(made.id)
    assert kept.invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="not attached"):
        await methods.detach_async(method.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await attached(merchant, made.id, method.id)
    intent: Any = {"amount": 500, "currency": "usd", "payment_method": method.id, "confirm": True}
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await merchant.stripe.v1.payment_intents.create_async(intent)


async def test_a_deleted_customer_keeps_no_methods(merchant: Merchant) -> None:
    made = await customer(merchant)
    method = await attached(merchant, made.id)
    await merchant.stripe.v1.customers.delete_async(made.id)
    found = await merchant.stripe.v1.payment_methods.retrieve_async(method.id)
    assert found.customer is None
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await attached(merchant, made.id)
    assert (missing.value.code, missing.value.param) == ("resource_missing", "customer")


async def test_a_default_must_be_the_customer_s_own(merchant: Merchant) -> None:
    made, other = await customer(merchant), await customer(merchant)
    method = await attached(merchant, other.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await merchant.stripe.v1.customers.update_async(
            made.id, {"invoice_settings": {"default_payment_method": method.id}}
        )
    assert (refused.value.code, refused.value.param) == (
        "resource_missing", "invoice_settings[default_payment_method]",
    )  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError) as foreign:
        await merchant.stripe.v1.customers.payment_methods.retrieve_async(made.id, method.id)
    assert foreign.value.code == "resource_missing"


async def test_a_method_is_changed_once_it_is_saved(merchant: Merchant) -> None:
    methods = merchant.stripe.v1.payment_methods
    loose = await methods.create_async({"type": "card", "card": {"token": "tok_visa"}})
    with pytest.raises(stripe.InvalidRequestError, match="must save this PaymentMethod"):
        await methods.update_async(loose.id, {"metadata": {"a": "1"}})
    made = await customer(merchant)
    await attached(merchant, made.id, loose.id)
    changed: Any = await methods.update_async(
        loose.id,
        {
            "allow_redisplay": "always",
            "billing_details": {"name": "Jo", "address": {"city": "Cork"}},
            "card": {"exp_month": 3, "exp_year": 2040},
            "metadata": {"a": "1"},
        },
    )
    assert (changed.billing_details.name, changed.billing_details.address.city) == ("Jo", "Cork")
    assert (changed.card.exp_month, changed.card.brand, changed.allow_redisplay) == (
        3, "visa", "always",
    )  # fmt: skip
    (previous,) = await told(merchant, "payment_method.updated")
    assert previous["billing_details"] == {"address": {"city": None}, "name": None}
    with pytest.raises(stripe.InvalidRequestError) as other:
        await methods.update_async(loose.id, {"us_bank_account": {"account_type": "savings"}})
    assert other.value.param == "us_bank_account"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("visa_chargeDeclined", "card_declined"),
        ("chargeDeclinedExpiredCard", "expired_card"),
        ("visa_chargeDeclinedInsufficientFunds", "card_declined"),
    ],
)
async def test_a_card_that_declines_is_not_attached(
    merchant: Merchant, token: str, code: str
) -> None:
    made = await customer(merchant)
    with pytest.raises(stripe.CardError) as declined:
        await attached(merchant, made.id, f"pm_card_{token}")
    assert (declined.value.http_status, declined.value.code) == (402, code)
    listed = await merchant.stripe.v1.customers.payment_methods.list_async(made.id)
    assert listed.data == []


async def test_a_card_that_fails_later_is_attached(merchant: Merchant) -> None:
    made = await customer(merchant)
    method = await attached(merchant, made.id, "pm_card_chargeCustomerFail")
    intent: Any = {
        "amount": 500, "currency": "usd", "customer": made.id, "payment_method": method.id,
        "confirm": True, "off_session": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }  # fmt: skip
    with pytest.raises(stripe.CardError) as declined:
        await merchant.stripe.v1.payment_intents.create_async(intent)
    assert declined.value.code == "card_declined"
    listed = await merchant.stripe.v1.charges.list_async({"customer": made.id})
    assert [charge.status for charge in listed.data] == ["failed"]


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"source": "tok_visa"}, None, "source"),
        ({"test_clock": "clock_1"}, None, "test_clock"),
        ({"coupon": "half"}, "parameter_unknown", "coupon"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"invoice_settings[default_payment_method]": "pm_none"}, "resource_missing",
         "invoice_settings[default_payment_method]"),
        ({"email": "x" * 513}, None, "email"),
        ({"email": "nobody"}, "email_invalid", "email"),
        ({"tax_exempt": "maybe"}, None, "tax_exempt"),
    ],
)  # fmt: skip
async def test_a_bad_customer_is_refused(
    merchant: Merchant, form: dict[str, str], code: str | None, param: str
) -> None:
    status, answer, _ = await merchant.post("/v1/customers", form)
    assert status in (400, 404)
    assert (answer["error"].get("code"), answer["error"].get("param")) == (code, param)
    assert await merchant.events() == []  # and nothing is left of it


async def test_a_voucher_cannot_be_saved(merchant: Merchant) -> None:
    made = await customer(merchant)
    voucher = await merchant.stripe.v1.payment_methods.create_async({"type": "oxxo", "oxxo": {}})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be saved"):
        await attached(merchant, made.id, voucher.id)


@pytest.mark.parametrize(
    ("token", "brand", "country", "last4"),
    [
        ("pm_card_br", "visa", "BR", "0002"),
        ("pm_card_gb_mastercard", "mastercard", "GB", "4449"),
        ("pm_card_th_debit", "visa", "TH", "0008"),
        ("pm_card_mastercard_debit_mastercardFsaProductCode", "mastercard", "US", "8897"),
    ],
)
async def test_the_documented_test_methods_are_known(
    merchant: Merchant, token: str, brand: str, country: str, last4: str
) -> None:
    made = await customer(merchant)
    method = await attached(merchant, made.id, token)
    assert (method.card.brand, method.card.country, method.card.last4) == (brand, country, last4)
    typed = {"type": "card", "card": {"token": token.replace("pm_card_", "tok_")}}
    same: Any = await merchant.stripe.v1.payment_methods.create_async(typed)  # type: ignore[arg-type]
    assert same.card.fingerprint == method.card.fingerprint


@pytest.mark.parametrize(
    ("token", "wanted"),
    [
        ("visa", ("pass", "pass", "pass")),
        ("cvcCheckFail", ("pass", "pass", "fail")),
        ("avsZipFail", ("pass", "fail", "pass")),
        ("avsFail", ("fail", "fail", "pass")),
        ("avsUnchecked", ("unavailable", "unavailable", "pass")),
    ],
)
async def test_what_was_given_besides_the_number_is_checked(
    merchant: Merchant, token: str, wanted: tuple[str, str, str]
) -> None:
    card = {"number": NUMBERS[token], "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    billing = {"address": {"line1": "1 Quay", "postal_code": "12345"}}
    form: Any = {"type": "card", "card": card, "billing_details": billing}
    method: Any = await merchant.stripe.v1.payment_methods.create_async(form)
    assert method.card.checks.address_line1_check == "unchecked"
    intent: Any = {
        "amount": 500, "currency": "usd", "payment_method": method.id, "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "expand": ["latest_charge"],
    }  # fmt: skip
    paid: Any = await merchant.stripe.v1.payment_intents.create_async(intent)
    checks = paid.latest_charge.payment_method_details.card.checks
    assert (
        checks.address_line1_check,
        checks.address_postal_code_check,
        checks.cvc_check,
    ) == wanted


NUMBERS = {
    "visa": "4242424242424242",
    "cvcCheckFail": "4000000000000101",
    "avsZipFail": "4000000000000036",
    "avsFail": "4000000000000010",
    "avsUnchecked": "4000000000000044",
}
