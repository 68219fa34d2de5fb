"""Prices: what a product costs, once or each month."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.catalog import inline, price_params, products
from payloom.sandbox.stripe.catalog.currencies import check_currency
from payloom.sandbox.stripe.events.emit import emit, emit_update
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import (
    invalid,
    missing_parameter,
    no_such,
    wrong_state,
)
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.resources import Filters, of_field
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "price"
# Stripe's, and refused here: what they make of a total is not played
_NOT_BUILT = ("currency_options", "custom_unit_amount", "tiers", "tiers_mode")
_CHANGEABLE: dict[str, params.Check] = {
    "active": params.boolean,
    "currency_options": params.anything,
    "expand": params.EXPAND,
    "lookup_key": params.text(200),
    "nickname": params.text(),
    "tax_behavior": params.one_of(*price_params.TAX_BEHAVIORS),
    "transfer_lookup_key": params.boolean,
}
_CREATE: dict[str, params.Check] = {
    **price_params.PRICE,
    **_CHANGEABLE,
    **dict.fromkeys(_NOT_BUILT, params.anything),
    "billing_scheme": params.one_of("per_unit", "tiered"),
    "metadata": params.new_metadata,
    "product": params.text(),
    "product_data": params.hash_of(products.DATA, required=("name",)),
    "transform_quantity": params.hash_of(
        {"divide_by": params.integer(1), "round": params.one_of("down", "up")},
        required=("divide_by", "round"),
    ),
}
_GIVEN = (
    "active",
    "billing_scheme",
    "lookup_key",
    "metadata",
    "nickname",
    "tax_behavior",
    "transform_quantity",
)
_UPDATE = {**_CHANGEABLE, "metadata": params.metadata}


_RECURRING_IS = (
    "NOT EXISTS (SELECT 1 FROM json_each(?) AS wanted"
    " WHERE wanted.value IS NOT body ->> ('$.recurring.' || wanted.key))"
)
FILTERS: Filters = {
    "active": of_field("active", params.boolean),
    "currency": of_field("currency", check_currency),
    "lookup_keys": (
        params.list_of(params.text(), most=10),
        "body ->> '$.lookup_key' IN (SELECT value FROM json_each(?))",
    ),
    "product": of_field("product", params.text()),
    "recurring": (
        params.hash_of(
            {
                "interval": params.one_of(*price_params.INTERVALS),
                "meter": params.text(),
                "usage_type": params.one_of("licensed", "metered"),
            }
        ),
        _RECURRING_IS,
    ),
    "type": of_field("type", params.one_of("one_time", "recurring")),
}


def create(call: Call) -> Json:
    asked = params.read(call.form, _CREATE, required=("currency",))
    _check_what_is_built(asked)
    call.expand = asked.get("expand", [])
    if "product" in asked and "product_data" in asked:
        raise invalid(
            "You may only specify one of these parameters: product, product_data.",
            param="product",
            code="parameters_exclusive",
        )
    if "product_data" in asked:
        product = products.make(call.tx, asked["product_data"])
        products.keep(call.tx, product)
    elif "product" in asked:
        product = products.find(call.tx, asked["product"], param="product")
    else:
        raise missing_parameter("product")
    return render(KIND, make(call.tx, asked, product["id"]))


def create_product(call: Call) -> Json:
    """A product, with its default price where one is given."""
    asked = products.read_new(call)
    call.expand = asked.get("expand", [])
    product = products.make(call.tx, asked)
    if "default_price_data" not in asked:
        products.keep(call.tx, product)
        return render(products.KIND, product)
    data = asked["default_price_data"]
    _check_what_is_built(data, "default_price_data")
    price = _price(call.tx, data, product["id"], "default_price_data")
    product["default_price"] = price["id"]
    products.keep(call.tx, product)
    _keep(call.tx, price)
    return render(products.KIND, product)


def make(tx: Tx, asked: Json, product: str) -> Json:
    price = _price(tx, asked, product)
    if "lookup_key" in asked:
        _take_lookup_key(tx, asked, price)
    _keep(tx, price)
    return price


def retrieve(call: Call) -> Json:
    call.expand = params.read(call.form, {"expand": params.EXPAND}).get("expand", [])
    price = call.tx.load(KIND, call.ids[0]) or inline.price(call.tx, call.ids[0])
    if price is None:
        raise no_such(KIND, call.ids[0], param="price")
    return render(KIND, price)


def update(call: Call) -> Json:
    asked = params.read(call.form, _UPDATE)
    _check_what_is_built(asked)
    before = call.tx.load(KIND, call.ids[0])
    if before is None:
        raise no_such(KIND, call.ids[0], param="price")
    _check_change(call.tx, before, asked)
    call.expand = asked.get("expand", [])
    if "lookup_key" in asked:
        _take_lookup_key(call.tx, asked, before)
    names = ("active", "lookup_key", "nickname", "tax_behavior")
    metadata = params.merged(before["metadata"], asked.get("metadata", {}))
    after = before | {name: asked[name] for name in names if name in asked}
    after["metadata"] = metadata
    call.tx.save(after)
    emit_update(call.tx, "price.updated", KIND, before, after)
    return render(KIND, after)


def for_sale(tx: Tx, id_: str, *, param: str) -> tuple[Json, Json]:
    """An active price, and its active product."""
    price = tx.load(KIND, id_)
    if price is None:
        raise no_such(KIND, id_, param=param, status=400)
    product = products.find(tx, price["product"], param=param)
    if not price["active"]:
        message = "The price specified is inactive. This field only accepts active prices."
        raise invalid(message, param=param)
    if not product["active"]:
        message = "The product of this price is inactive. Only active products can be sold."
        raise invalid(message, param=param)
    return price, product


def _price(tx: Tx, asked: Json, product: str, name: str = "") -> Json:
    given: Json = {field: asked[field] for field in _GIVEN if field in asked}
    if "recurring" in asked:
        inside = f"{name}[recurring]" if name else "recurring"
        given["recurring"] = price_params.recurring(asked["recurring"], inside)
        given["type"] = "recurring"
    return {
        "id": new_id("price"),
        "active": True,
        "created": int(tx.now),
        "currency": asked["currency"],
        "livemode": tx.tenant.livemode,
        "metadata": {},
        "product": product,
        "type": "one_time",
        **given,
        **price_params.amounts(asked, name),
    }


def _keep(tx: Tx, price: Json) -> None:
    tx.insert(KIND, price, parent=price["product"])
    emit(tx, "price.created", KIND, price)


def _take_lookup_key(tx: Tx, asked: Json, price: Json) -> None:
    """A lookup key names one price; it is given over to another only if that is asked for."""
    row = tx.db.execute(
        "SELECT id FROM objects WHERE tenant = ? AND kind = ? AND body ->> '$.lookup_key' = ?",
        (tx.tenant.id, KIND, asked["lookup_key"]),
    ).fetchone()
    holder = tx.load(KIND, row[0]) if row else None
    if holder is None or holder["id"] == price["id"]:
        return
    if not asked.get("transfer_lookup_key"):
        message = f"A price (`{holder['id']}`) already uses that lookup key."
        raise invalid(message, param="lookup_key")
    after = {**holder, "lookup_key": None}
    tx.save(after)
    emit_update(tx, "price.updated", KIND, holder, after)


def _check_what_is_built(asked: Json, name: str = "") -> None:
    for field in _NOT_BUILT:
        if field in asked:
            param = f"{name}[{field}]" if name else field
            raise invalid(f"This sandbox has no `{field}` of prices yet.", param=param)
    if asked.get("billing_scheme") == "tiered":
        raise invalid("This sandbox has no tiered prices yet.", param="billing_scheme")


def _check_change(tx: Tx, price: Json, asked: Json) -> None:
    if asked.get("active") is False:
        product = tx.load(products.KIND, price["product"])
        if product and product.get("default_price") == price["id"]:
            raise wrong_state(
                "This price cannot be archived because it is the default price of its product."
            )
    behavior = price.get("tax_behavior", "unspecified")
    if behavior != "unspecified" and asked.get("tax_behavior", behavior) != behavior:
        message = "The tax behavior of a price cannot be changed once it is specified."
        raise invalid(message, param="tax_behavior")
