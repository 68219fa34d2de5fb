"""Every object carries every field that the official SDK's class declares."""

from typing import Any

import pytest
import stripe

from payloom.sandbox.stripe.methods.bank_accounts import ACCOUNTS
from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.offers import CURRENCIES
from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.protocol import shapes
from tests.sandbox.merchant import DECLINED, SECURE, Merchant, Page

CLASSES: dict[str, type[stripe.StripeObject]] = {
    "checkout.session": stripe.checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "balance": stripe.Balance,
    "balance_transaction": stripe.BalanceTransaction,
    "bank_account": stripe.BankAccount,
    "dispute": stripe.Dispute,
    "payout": stripe.Payout,
    "radar.early_fraud_warning": stripe.radar.EarlyFraudWarning,
    "payment_method": stripe.PaymentMethod,
    "item": stripe.LineItem,
    "price": stripe.Price,
    "product": stripe.Product,
    "event": stripe.Event,
    "customer": stripe.Customer,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "invoiceitem": stripe.InvoiceItem,
    "line_item": stripe.InvoiceLineItem,
    "mandate": stripe.Mandate,
    "setup_attempt": stripe.SetupAttempt,
    "setup_intent": stripe.SetupIntent,
    "webhook_endpoint": stripe.WebhookEndpoint,
}
# one member per method of payment: only those in use are there
UNIONS = {
    "destination_details",
    "next_action",
    "payment_method_details",
    "payment_method_options",
    "wallet",
}


LISTS = (
    "balance_transactions",
    "charges",
    "checkout/sessions",
    "disputes",
    "events",
    "payouts",
    "radar/early_fraud_warnings",
    "refunds",
    "webhook_endpoints",
)


def declared(cls: type) -> set[str]:
    """All but what tells of one state only: what was deleted, and what an update changed."""
    names = {name for name in cls.__annotations__ if name.islower()}
    return names - {"deleted", "previous_attributes"}


def missing(cls: type[Any], value: Any, where: str) -> list[str]:
    """Fields that the class declares and the value lacks, all the way down."""
    found = [f"{where}.{name}" for name in declared(cls) - set(value)]
    for name, inner in getattr(cls, "_inner_class_types", {}).items():
        for part in _parts(value.get(name)):
            if name in UNIONS:
                kinds = getattr(inner, "_inner_class_types", {})
                for kind in set(part) & set(kinds):
                    found += missing(kinds[kind], part[kind], f"{where}.{name}.{kind}")
            else:
                found += missing(inner, part, f"{where}.{name}")
    for name, part in value.items():
        named = part.get("object") if isinstance(part, dict) else None
        if isinstance(named, str) and named in CLASSES:
            found += missing(CLASSES[named], part, f"{where}.{name}")
        if named == "list":
            for item in part["data"]:
                found += missing(CLASSES[item["object"]], item, f"{where}.{name}[]")
    return found


def _parts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [part for part in value if isinstance(part, dict)]
    return [value] if isinstance(value, dict) and value.get("object") != "list" else []


@pytest.mark.parametrize("kind", CLASSES)
def test_the_table_of_fields_is_the_sdk_s(kind: str) -> None:
    blank = set(shapes.render(kind, {}))
    assert blank == declared(CLASSES[kind])


async def everything(merchant: Merchant) -> list[dict[str, Any]]:
    """Each kind of object in each state it can be in here, as answered."""
    await merchant.listen("http://127.0.0.1:9/nobody")
    await merchant.order(customer_email="a@b.example")
    branding = {"display_name": "Lantern & Loom"}
    session = await merchant.order(metadata={"a": "1"}, branding_settings=branding)
    page = await Page(merchant.http, session.url).open()
    await page.pay(DECLINED)
    await page.pay(SECURE)
    await page.open(f"{page.url}/authenticate")
    declined = await merchant.get("/v1/payment_intents?expand[]=data.latest_charge")
    await page.authenticate("complete")
    await merchant.advance(3)
    await refunded(merchant)
    await quarrelled(merchant)
    await paid_out(merchant)
    paths = [
        "payment_intent.latest_charge.balance_transaction",
        "payment_intent.latest_charge.refunds",
        "payment_intent.payment_method",
        "line_items.data.price.product",
    ]
    query = "&".join(f"expand[]={path}" for path in paths)
    answers = [declined, await merchant.get(f"/v1/checkout/sessions/{session.id}?{query}")]
    for listed in LISTS:
        answers.append(await merchant.get(f"/v1/{listed}?limit=100"))
    answers.append(await merchant.get("/v1/balance"))
    answers.append(await merchant.get("/v1/payouts?expand[]=data.destination"))
    found: list[dict[str, Any]] = []
    for status, body in answers:
        assert status == 200, body
        found += body["data"] if body["object"] == "list" else [body]
    return found


async def refunded(merchant: Merchant) -> None:
    """A refund of each kind: one that stays, one that waits, one that fails in the end."""
    for token in ("visa", "pendingRefund", "refundFail"):
        session = await merchant.order()
        page = await merchant.confirm(session.id, f"pm_card_{token}")
        form = {"payment_intent": page["payment_intent"]["id"], "amount": "100"}
        assert (await merchant.post("/v1/refunds", form))[0] == 200
        await merchant.advance(3 * 86_400)


async def quarrelled(merchant: Merchant) -> None:
    """A dispute won, an inquiry open, a warning of fraud."""
    for token in ("createDisputeInquiry", "createIssuerFraudRecord", "createDispute"):
        session = await merchant.order()
        await merchant.confirm(session.id, f"pm_card_{token}")
        await merchant.advance(2)
    _, disputes = await merchant.get("/v1/disputes?limit=1")
    form = {"evidence[uncategorized_text]": "winning_evidence"}
    await merchant.post(f"/v1/disputes/{disputes['data'][0]['id']}", form)
    await merchant.advance(6)


async def paid_out(merchant: Merchant) -> None:
    await merchant.keep_balance()
    session = await merchant.order(100_000)
    await merchant.confirm(session.id, "pm_card_bypassPending")
    await merchant.advance(2)
    form = {"amount": "100", "currency": "eur"}
    assert (await merchant.post("/v1/payouts", form))[0] == 200


@pytest.mark.parametrize("type_", [*DEBITS, *VOUCHERS])
async def test_what_takes_days_has_every_declared_field_at_each_step(
    merchant: Merchant, type_: str
) -> None:
    account = next((a for a in ACCOUNTS.values() if a.debit == type_), None)
    token = f"pm_{account.token}" if account else await voucher(merchant, type_)
    session = await merchant.order(currency=next(iter(CURRENCIES[type_])))
    page = await merchant.confirm(session.id, token)
    objects = [page["payment_intent"], session.to_dict()]
    objects.append((await merchant.get(f"/v1/payment_methods/{objects[0]['payment_method']}"))[1])
    await merchant.advance(10 * 86_400)
    form = {"payment_intent": objects[0]["id"]}
    status, made, _ = await merchant.post("/v1/refunds", form)
    assert (status, made["object"]) == (200, "refund")
    paths = "expand[]=charge&expand[]=balance_transaction&expand[]=payment_intent"
    objects.append((await merchant.get(f"/v1/refunds/{made['id']}?{paths}"))[1])
    _, events = await merchant.get("/v1/events?limit=100")
    objects += [event["data"]["object"] for event in events["data"]]
    assert {"pending", "succeeded"} <= {value.get("status") for value in objects} or not account
    for value in objects:
        assert missing(CLASSES[value["object"]], value, value["object"]) == []


@pytest.mark.parametrize("type_", REDIRECTS)
async def test_what_is_approved_elsewhere_has_every_declared_field_at_each_step(
    merchant: Merchant, type_: str
) -> None:
    currency = next(iter(sorted(CURRENCIES[type_])), "eur")
    only: Any = {"allowed_payment_method_types": [type_]}
    session = await merchant.order(currency=currency, **only)
    page = await Page(merchant.http, session.url).open()
    fields = {"method": type_, "email": "jo@example.com"}
    assert await page.submit(page.url, fields) == f"/c/pay/{session.id}/authenticate"
    await page.open(f"{page.url}/authenticate/app")
    assert (await page.authenticate("complete")).startswith("http://127.0.0.1:9/paid")
    await merchant.advance(3)
    _, events = await merchant.get("/v1/events?limit=100")
    objects = [event["data"]["object"] for event in events["data"]]
    charge = next(value for value in objects if value["object"] == "charge")
    objects.append((await merchant.get(f"/v1/payment_methods/{charge['payment_method']}"))[1])
    assert set(charge["payment_method_details"]) == {"type", type_}
    assert {"requires_action", "succeeded", "complete"} <= {v.get("status") for v in objects}
    for value in objects:
        assert missing(CLASSES[value["object"]], value, value["object"]) == []


async def voucher(merchant: Merchant, type_: str) -> str:
    form = {"type": type_, "billing_details[email]": "jo@example.com"}
    more = {"boleto[tax_id]": "000.000.000-00"} if type_ == "boleto" else {}
    _, method, _ = await merchant.post("/v1/payment_methods", {**form, **more})
    return str(method["id"])


async def test_every_answered_object_has_every_declared_field(merchant: Merchant) -> None:
    objects = await everything(merchant)
    objects += [event["data"]["object"] for event in objects if event["object"] == "event"]
    assert {value["object"] for value in objects} >= {
        "checkout.session", "payment_intent", "charge", "refund", "event", "webhook_endpoint",
        "balance", "balance_transaction", "dispute", "payout", "radar.early_fraud_warning",
    }  # fmt: skip
    for value in objects:
        assert missing(CLASSES[value["object"]], value, value["object"]) == []


async def test_what_is_sold_has_every_declared_field(merchant: Merchant) -> None:
    form = {
        "name": "Mug",
        "default_price_data[currency]": "usd",
        "default_price_data[unit_amount]": "500",
        "default_price_data[recurring][interval]": "month",
        "marketing_features[0][name]": "Blue",
        **{
            f"package_dimensions[{side}]": "1.5" for side in ("height", "length", "weight", "width")
        },
        "tax_details[tax_code]": "txcd_1",
        "expand[0]": "default_price.product",
    }
    objects = [(await merchant.post("/v1/products", form))[1]]
    assert objects[0]["default_price"]["product"]["name"] == "Mug"
    more = {"transform_quantity[divide_by]": "10", "transform_quantity[round]": "up"}
    price = {"product": objects[0]["id"], "currency": "usd", "unit_amount": "100", **more}
    objects.append((await merchant.post("/v1/prices", price))[1])
    await check_all(merchant, objects)


async def test_who_pays_and_what_is_saved_has_every_declared_field(merchant: Merchant) -> None:
    form = {
        "address[city]": "Cork",
        "shipping[name]": "Jo",
        "shipping[address][city]": "Cork",
        "invoice_settings[custom_fields][0][name]": "VAT",
        "invoice_settings[custom_fields][0][value]": "IE1",
        "invoice_settings[rendering_options][template]": "plain",
        "payment_method": "pm_card_visa",
    }
    objects = [(await merchant.post("/v1/customers", form))[1]]
    whose = {"customer": objects[0]["id"], "confirm": "true"}
    tokens = [f"pm_{account.token}" for account in ACCOUNTS.values() if account.course == "pays"]
    for token in (*tokens, "pm_card_visa", "pm_card_authenticationRequired"):
        paths = ("mandate", "payment_method", "customer", "latest_attempt")
        expand = {f"expand[{at}]": path for at, path in enumerate(paths)}
        setup = {"payment_method": token, **whose, **expand}
        objects.append((await merchant.post("/v1/setup_intents", setup))[1])
    assert {value.get("status") for value in objects} == {None, "requires_action", "succeeded"}
    bad = {"payment_method": "pm_card_chargeDeclinedExpiredCard", **whose}
    objects.append((await merchant.post("/v1/setup_intents", bad))[1]["error"]["setup_intent"])
    session = {"mode": "setup", "currency": "eur", "success_url": "http://127.0.0.1:9/"}
    objects.append((await merchant.post("/v1/checkout/sessions", session))[1])
    await check_all(merchant, objects)


async def check_all(merchant: Merchant, objects: list[dict[str, Any]]) -> None:
    """These objects, and those that the events tell of."""
    _, events = await merchant.get("/v1/events?limit=100")
    for value in [*objects, *(event["data"]["object"] for event in events["data"])]:
        assert missing(CLASSES[value["object"]], value, value["object"]) == []


async def test_invoices_have_every_declared_field_at_each_step(merchant: Merchant) -> None:
    whose = (await merchant.post("/v1/customers", {"payment_method": "pm_card_visa"}))[1]["id"]
    owed = {"customer": whose, "amount": "2000", "currency": "usd"}
    objects = [(await merchant.post("/v1/invoiceitems", owed))[1]]
    behavior = {"customer": whose, "pending_invoice_items_behavior": "include"}
    draft = (await merchant.post("/v1/invoices", behavior))[1]
    path = f"/v1/invoices/{draft['id']}"
    objects += [draft, (await merchant.post(f"{path}/finalize"))[1]]
    expanded = f"{path}?expand[]=payments&expand[]=confirmation_secret&expand[]=customer"
    objects.append((await merchant.get(expanded))[1])
    assert objects[-1]["confirmation_secret"]["type"] == "payment_intent"
    objects.append((await merchant.post(f"{path}/pay", {"payment_method": "pm_card_visa"}))[1])
    assert [value.get("status") for value in objects] == [None, "draft", "open", "open", "paid"]
    _, events = await merchant.get("/v1/events?limit=100")
    objects += [event["data"]["object"] for event in events["data"]]
    for value in objects:
        assert missing(CLASSES[value["object"]], value, value["object"]) == []


async def test_nothing_private_is_answered(merchant: Merchant) -> None:
    def names(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*(names(part) for part in value))
        if isinstance(value, dict):
            return set(value).union(*(names(part) for part in value.values()))
        return set()

    assert not {name for name in names(await everything(merchant)) if name.startswith("_")}
