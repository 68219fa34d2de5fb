"""Products: what a merchant sells, by itself or with the price it usually has."""

from decimal import Decimal, InvalidOperation
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.catalog import inline, price_params
from payloom.sandbox.stripe.events.emit import emit, emit_update
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, no_such, wrong_state
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.resources import Filters, of_field
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "product"


def _measure(value: Any, name: str) -> float:
    """An inch or an ounce, to two decimals."""
    try:
        number = Decimal(params.text(20)(value, name))
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise invalid(f"Invalid decimal: {str(value)[:20]}", param=name)
    return float(round(number, 2))


_PACKAGE = ("height", "length", "weight", "width")
# what a product is, whether it is made by itself or with its price
DATA: dict[str, params.Check] = {
    "active": params.boolean,
    "id": params.text(),
    "metadata": params.new_metadata,
    "name": params.text(5000),
    "statement_descriptor": params.text(22),
    "tax_code": params.text(),
    "tax_details": params.hash_of(price_params.TAX_DETAILS),
    "unit_label": params.text(12),
}
_DESCRIBING: dict[str, params.Check] = {
    "description": params.text(40_000, may_be_empty=True),
    "images": params.list_of(params.url, most=8),
    "marketing_features": params.list_of(
        params.hash_of({"name": params.text(5000)}, required=("name",)), most=15
    ),
    "package_dimensions": params.hash_of(dict.fromkeys(_PACKAGE, _measure), required=_PACKAGE),
    "shippable": params.boolean,
}
_CREATE: dict[str, params.Check] = {
    **DATA,
    **_DESCRIBING,
    "expand": params.EXPAND,
    "default_price_data": params.hash_of(
        {
            **price_params.PRICE,
            "currency_options": params.anything,
            "custom_unit_amount": params.anything,
            "metadata": params.new_metadata,
        },
        required=("currency",),
    ),
    "type": params.one_of("good", "service"),
    "url": params.text(),
}
_UPDATE: dict[str, params.Check] = {
    **{name: check for name, check in DATA.items() if name != "id"},
    **_DESCRIBING,
    "default_price": params.text(),
    "expand": params.EXPAND,
    "metadata": params.metadata,
    "tax_code": params.text(may_be_empty=True),
    "unit_label": params.text(12, may_be_empty=True),
    "url": params.text(may_be_empty=True),
}
FILTERS: Filters = {
    "active": of_field("active", params.boolean),
    "ids": (params.list_of(params.text()), "id IN (SELECT value FROM json_each(?))"),
    "shippable": of_field("shippable", params.boolean),
    "type": of_field("type", params.one_of("good", "service")),
    "url": of_field("url", params.text()),
}


def read_new(call: Call) -> Json:
    """The parameters of a product that is to be made."""
    return params.read(call.form, _CREATE, required=("name",))


def make(tx: Tx, asked: Json) -> Json:
    """A new product, told of once it is as it will be shown: see `keep`."""
    if "id" in asked and tx.load(KIND, asked["id"]) is not None:
        raise invalid("Product already exists.", param="id", code="resource_already_exists")
    given = {name: asked[name] for name in (*DATA, *_DESCRIBING, "type", "url") if name in asked}
    return {
        "id": new_id("prod", length=14),
        "active": True,
        "created": int(tx.now),
        "default_price": None,
        "livemode": tx.tenant.livemode,
        "metadata": {},
        "type": "service",
        "updated": int(tx.now),
        **_shown(given),
    }


def keep(tx: Tx, product: Json) -> None:
    tx.insert(KIND, product)
    emit(tx, "product.created", KIND, product)


def retrieve(call: Call) -> Json:
    call.expand = params.read(call.form, {"expand": params.EXPAND}).get("expand", [])
    return render(KIND, find(call.tx, call.ids[0], param="id", status=404))


def update(call: Call) -> Json:
    asked = params.read(call.form, _UPDATE)
    before = find(call.tx, call.ids[0], param="id", status=404)
    call.expand = asked.pop("expand", [])
    if "default_price" in asked:
        _check_default(call.tx, before, asked["default_price"])
    metadata = params.merged(before["metadata"], asked.pop("metadata", {}))
    after = {**before, **_shown(asked), "metadata": metadata}
    if after != before:
        after["updated"] = call.now
    call.tx.put(KIND, after)
    emit_update(call.tx, "product.updated", KIND, before, after)
    return render(KIND, after)


def delete(call: Call) -> Json:
    params.read(call.form, {})
    product = find(call.tx, call.ids[0], param="id", status=404)
    if _has_prices(call.tx, product["id"]):
        raise wrong_state(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    call.tx.delete(product["id"])
    emit(call.tx, "product.deleted", KIND, product)
    return {"id": product["id"], "object": KIND, "deleted": True}


def find(tx: Tx, id_: str, *, param: str, status: int = 400) -> Json:
    """A product, also one that a line item made for itself."""
    product = tx.load(KIND, id_) or inline.product(tx, id_)
    if product is None:
        raise no_such(KIND, id_, param=param, status=status)
    return product


def of_price(tx: Tx, price: Json) -> Json:
    """What an expanded price shows as its product."""
    id_: str = price["product"]
    gone = {"id": id_, "deleted": True}
    return render(KIND, tx.load(KIND, id_) or inline.product(tx, id_) or gone)


def _shown(asked: Json) -> Json:
    """The parameters as the product shows them; an empty hash takes away what was there."""
    given = dict(asked)
    if "package_dimensions" in given:
        given["package_dimensions"] = given["package_dimensions"] or None
    if details := given.pop("tax_details", None):
        given["tax_details"] = {name: details.get(name) for name in price_params.TAX_DETAILS}
    elif details is not None:
        given["tax_details"] = None
    return given


def _check_default(tx: Tx, product: Json, price_id: str) -> None:
    price = tx.load("price", price_id)
    if price is None or price["product"] != product["id"]:
        raise no_such("price", price_id, param="default_price", status=400)
    if not price["active"]:
        message = "The price specified is inactive. This field only accepts active prices."
        raise invalid(message, param="default_price")


def _has_prices(tx: Tx, product_id: str) -> bool:
    found = tx.db.execute(
        "SELECT 1 FROM objects WHERE parent = ? AND kind = 'price' LIMIT 1", (product_id,)
    )
    return found.fetchone() is not None or inline.product(tx, product_id) is not None
