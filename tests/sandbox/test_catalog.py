"""Products and prices: made, changed, listed, deleted, and sold by a checkout session."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import SUCCESS_URL, Merchant


async def product(merchant: Merchant, name: str = "Mug", **more: Any) -> Any:
    params: Any = {"name": name, **more}
    return await merchant.stripe.v1.products.create_async(params)


async def price(merchant: Merchant, product: str, amount: int = 1500, **more: Any) -> Any:
    params: Any = {"product": product, "currency": "usd", "unit_amount": amount, **more}
    return await merchant.stripe.v1.prices.create_async(params)


async def changes(merchant: Merchant, type_: str) -> list[Any]:
    """`previous_attributes` of all events of this type, oldest first."""
    found = await merchant.stripe.v1.events.list_async({"type": type_})
    return [event.data.to_dict().get("previous_attributes") for event in reversed(found.data)]


async def test_a_product_is_made_changed_and_told_of(merchant: Merchant) -> None:
    products = merchant.stripe.v1.products
    made = await product(merchant, description="Blue", metadata={"a": "1", "b": "2"})
    assert made.id.startswith("prod_")
    assert (made.active, made.type, made.default_price) == (True, "service", None)
    await merchant.advance(10)
    changed = await products.update_async(
        made.id, {"name": "Cup", "metadata": {"a": "", "c": "3"}, "description": ""}
    )
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert changed.updated >= changed.created + 10
    await products.update_async(made.id, {"name": "Cup"})  # nothing changes: nothing is told
    assert await changes(merchant, "product.updated") == [
        {
            "description": "Blue",
            "metadata": {"a": "1", "c": None},
            "name": "Mug",
            "updated": made.updated,
        }
    ]
    assert (await products.retrieve_async(made.id)).name == "Cup"
    gone = await products.delete_async(made.id)
    assert gone.deleted
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await products.retrieve_async(made.id)
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert await merchant.events() == ["product.created", "product.updated", "product.deleted"]


async def test_a_default_price_is_made_with_its_product(merchant: Merchant) -> None:
    made = await product(
        merchant,
        default_price_data={"currency": "eur", "unit_amount": 900},
        expand=["default_price"],
    )
    assert (made.default_price.unit_amount, made.default_price.product) == (900, made.id)
    assert await merchant.events() == ["product.created", "price.created"]
    with pytest.raises(stripe.InvalidRequestError, match="default price"):
        await merchant.stripe.v1.prices.update_async(made.default_price.id, {"active": False})
    other = await price(merchant, made.id)
    await merchant.stripe.v1.prices.update_async(other.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="only accepts active prices"):
        await merchant.stripe.v1.products.update_async(made.id, {"default_price": other.id})
    await merchant.stripe.v1.prices.update_async(other.id, {"active": True})
    changed = await merchant.stripe.v1.products.update_async(made.id, {"default_price": other.id})
    assert changed.default_price == other.id
    with pytest.raises(stripe.InvalidRequestError) as foreign:
        await merchant.stripe.v1.products.update_async(made.id, {"default_price": "price_x"})
    assert (foreign.value.code, foreign.value.param) == ("resource_missing", "default_price")


async def test_a_product_with_prices_cannot_be_deleted(merchant: Merchant) -> None:
    made = await product(merchant)
    await price(merchant, made.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await merchant.stripe.v1.products.delete_async(made.id)
    assert refused.value.http_status == 400
    assert refused.value.user_message == (
        "This product cannot be deleted because it has one or more user-created prices."
    )


async def test_a_product_id_can_be_chosen_once(merchant: Merchant) -> None:
    id_ = f"mug-{merchant.key[-8:]}"
    assert (await product(merchant, id=id_)).id == id_
    with pytest.raises(stripe.InvalidRequestError) as twice:
        await product(merchant, id=id_)
    assert twice.value.code == "resource_already_exists"


async def test_products_are_listed_by_what_they_are(merchant: Merchant) -> None:
    blue = await product(merchant, "Blue", url="https://shop.example/blue")
    red = await product(merchant, "Red", active=False, type="good", shippable=True)

    async def found(**filters: Any) -> list[str]:
        listed = await merchant.stripe.v1.products.list_async(filters or None)  # type: ignore[arg-type]
        return [one.id for one in listed.data]

    assert await found() == [red.id, blue.id]
    assert await found(active=True) == [blue.id]
    assert await found(active=False) == [red.id]
    assert await found(ids=[blue.id, "prod_none"]) == [blue.id]
    assert await found(type="good") == [red.id]
    assert await found(shippable=True) == [red.id]
    assert await found(url="https://shop.example/blue") == [blue.id]


async def test_a_price_is_made_with_its_product_and_changed(merchant: Merchant) -> None:
    prices = merchant.stripe.v1.prices
    made = await prices.create_async(
        {
            "currency": "usd",
            "unit_amount": 1000,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Plan"},
            "nickname": "monthly",
        }
    )
    assert (made.type, made.unit_amount, made.active) == ("recurring", 1000, True)
    recurring: Any = made.recurring
    assert (recurring.interval, recurring.interval_count, recurring.usage_type) == (
        "month", 1, "licensed",
    )  # fmt: skip
    changed = await prices.update_async(made.id, {"active": False, "metadata": {"k": "v"}})
    assert (changed.active, changed.metadata.to_dict()) == (False, {"k": "v"})
    assert await changes(merchant, "price.updated") == [{"active": True, "metadata": {"k": None}}]
    assert await merchant.events() == ["product.created", "price.created", "price.updated"]
    opened = await prices.retrieve_async(made.id, {"expand": ["product"]})
    name: Any = opened.product
    assert name.name == "Plan"


async def test_parts_of_a_cent_have_no_unit_amount(merchant: Merchant) -> None:
    made = await product(merchant)
    status, answer, _ = await merchant.post(
        "/v1/prices",
        {"product": made.id, "currency": "usd", "unit_amount_decimal": "12.50"},
    )
    assert (status, answer["unit_amount"], answer["unit_amount_decimal"]) == (200, None, "12.5")
    refused = await sell(merchant, answer["id"])
    assert refused["error"]["param"] == "line_items[0][price]"


async def test_prices_are_listed_by_what_they_are(merchant: Merchant) -> None:
    mug, plan = await product(merchant), await product(merchant, "Plan")
    once = await price(merchant, mug.id, lookup_key="mug")
    monthly = await price(merchant, plan.id, currency="eur", recurring={"interval": "month"})

    async def found(**filters: Any) -> list[str]:
        listed = await merchant.stripe.v1.prices.list_async(filters or None)  # type: ignore[arg-type]
        return [one.id for one in listed.data]

    assert await found() == [monthly.id, once.id]
    assert await found(product=mug.id) == [once.id]
    assert await found(type="recurring") == [monthly.id]
    assert await found(currency="usd") == [once.id]
    assert await found(lookup_keys=["mug", "cup"]) == [once.id]
    assert await found(recurring={"interval": "month", "usage_type": "licensed"}) == [monthly.id]
    assert await found(recurring={"interval": "year"}) == []
    assert await found(active=False) == []


async def test_a_lookup_key_names_one_price(merchant: Merchant) -> None:
    mug = await product(merchant)
    first = await price(merchant, mug.id, lookup_key="standard")
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        await price(merchant, mug.id, lookup_key="standard")
    second = await price(merchant, mug.id, lookup_key="standard", transfer_lookup_key=True)
    kept = await merchant.stripe.v1.prices.retrieve_async(first.id)
    assert (kept.lookup_key, second.lookup_key) == (None, "standard")
    assert await changes(merchant, "price.updated") == [{"lookup_key": "standard"}]


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"product": "prod_none"}, "resource_missing", "product"),
        ({"product": None}, "parameter_missing", "product"),
        ({"currency": None}, "parameter_missing", "currency"),
        ({"unit_amount": None}, "parameter_missing", "unit_amount"),
        ({"unit_amount": "-1"}, "parameter_invalid_integer", "unit_amount"),
        ({"unit_amount_decimal": "1"}, "parameters_exclusive", "unit_amount"),
        ({"product_data[name]": "x"}, "parameters_exclusive", "product"),
        ({"recurring[interval]": "hour"}, None, "recurring[interval]"),
        ({"recurring[interval]": "year", "recurring[interval_count]": "4"}, None,
         "recurring[interval_count]"),
        ({"tiers[0][up_to]": "inf"}, None, "tiers"),
        ({"amount": "1"}, "parameter_unknown", "amount"),
    ],
)  # fmt: skip
async def test_a_bad_price_is_refused(
    merchant: Merchant, change: dict[str, str | None], code: str | None, param: str
) -> None:
    mug = await product(merchant)
    wanted = {"product": mug.id, "currency": "usd", "unit_amount": "100", **change}
    body = {name: value for name, value in wanted.items() if value is not None}
    status, answer, _ = await merchant.post("/v1/prices", body)
    assert status == 400
    assert (answer["error"].get("code"), answer["error"].get("param")) == (code, param)


async def sell(merchant: Merchant, price_id: str, quantity: str = "2", **more: str) -> Any:
    body = {
        "mode": "payment",
        "line_items[0][price]": price_id,
        "line_items[0][quantity]": quantity,
        "success_url": SUCCESS_URL,
        **more,
    }
    return (await merchant.post("/v1/checkout/sessions", body))[1]


async def test_a_session_sells_a_kept_price(merchant: Merchant) -> None:
    mug = await product(merchant, description="Stoneware")
    usual = await price(merchant, mug.id)
    session = await sell(merchant, usual.id, **{"expand[]": "line_items.data.price.product"})
    assert (session["amount_total"], session["currency"]) == (3000, "usd")
    (item,) = session["line_items"]["data"]
    assert (item["price"]["id"], item["price"]["active"]) == (usual.id, True)
    assert (item["price"]["product"]["id"], item["description"]) == (mug.id, "Mug")
    page = await merchant.confirm(session["id"], "pm_card_visa", expected_amount="3000")
    assert page["payment_status"] == "paid"


async def test_a_session_sells_a_kept_product_at_its_own_price(merchant: Merchant) -> None:
    mug = await product(merchant)
    item = {"price_data": {"currency": "usd", "unit_amount": 700, "product": mug.id}, "quantity": 1}
    session = await merchant.order(line_items=[item], expand=["line_items"])
    (line,) = session.line_items.data
    assert (line.price.product, line.price.active, line.amount_total) == (mug.id, False, 700)
    await merchant.stripe.v1.products.update_async(mug.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        await merchant.order(line_items=[item])


async def test_what_is_not_for_sale_is_refused(merchant: Merchant) -> None:
    mug = await product(merchant)
    old, monthly = (
        await price(merchant, mug.id),
        await price(merchant, mug.id, recurring={"interval": "month"}),
    )
    await merchant.stripe.v1.prices.update_async(old.id, {"active": False})
    refused = (await sell(merchant, old.id))["error"]
    assert refused["param"] == "line_items[0][price]"
    assert refused["message"] == (
        "The price specified is inactive. This field only accepts active prices."
    )
    refused = (await sell(merchant, monthly.id))["error"]
    assert "passed a recurring price" in refused["message"]
    missing = (await sell(merchant, "price_none"))["error"]
    assert (missing["code"], missing["param"]) == ("resource_missing", "line_items[0][price]")
    usual = await price(merchant, mug.id)
    await merchant.stripe.v1.products.update_async(mug.id, {"active": False})
    assert "product" in (await sell(merchant, usual.id))["error"]["message"]


async def test_a_product_that_an_item_made_says_all_that_was_said(merchant: Merchant) -> None:
    data = {"name": "Mug", "unit_label": "piece", "tax_code": "txcd_1", "metadata": {"a": "1"}}
    price = {"currency": "usd", "unit_amount": 700, "product_data": data}
    path = "line_items.data.price.product"
    session = await merchant.order(line_items=[{"price_data": price, "quantity": 1}], expand=[path])
    made = session.line_items.data[0].price.product
    assert (made.unit_label, made.tax_code, made.metadata.to_dict()) == (
        "piece", "txcd_1", {"a": "1"},
    )  # fmt: skip


async def test_a_price_that_an_item_made_is_found_by_its_id(merchant: Merchant) -> None:
    session = await merchant.order(1999, expand=["line_items"])
    (item,) = session.line_items.data
    found = await merchant.stripe.v1.prices.retrieve_async(item.price.id, {"expand": ["product"]})
    made: Any = found.product
    assert (found.unit_amount, found.active, made.name) == (1999, False, "Blue mug")
    products = merchant.stripe.v1.products
    assert (await products.retrieve_async(made.id)).description == "Stoneware"
    assert [one.id for one in (await products.list_async()).data] == []
    await products.update_async(made.id, {"active": True, "name": "Green mug"})
    assert (await products.retrieve_async(made.id)).name == "Green mug"
    stranger = Merchant(merchant.url, merchant.http)
    with pytest.raises(stripe.InvalidRequestError) as hidden:
        await stranger.stripe.v1.prices.retrieve_async(item.price.id)
    assert hidden.value.code == "resource_missing"
