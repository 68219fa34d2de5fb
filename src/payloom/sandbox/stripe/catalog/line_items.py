"""The line items of a checkout session: read, added up, shown."""

from decimal import Decimal, InvalidOperation
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.catalog.currencies import check_currency, check_unit
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.errors import invalid, missing_parameter, no_such
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

UNIT_AMOUNT_MAX = 999_999_999_999


def _decimal(value: Any, name: str) -> int:
    """`unit_amount_decimal`: here only whole minor units can be charged."""
    try:
        number = Decimal(params.text(40)(value, name))
    except InvalidOperation:
        raise invalid(f"Invalid decimal: {value[:40]}", param=name) from None
    if not number.is_finite() or number < 0 or number != number.to_integral_value():
        raise invalid(
            f"Invalid decimal: {value[:40]}; this sandbox takes whole minor units", param=name
        )
    return int(number)


_PRODUCT_DATA = params.hash_of(
    {
        "name": params.text(250),
        "description": params.text(40_000),
        "images": params.list_of(params.url, most=8),
        "metadata": params.new_metadata,
        "tax_code": params.text(),
        "tax_details": params.anything,
        "unit_label": params.text(12),
    },
    required=("name",),
)
_PRICE_DATA = params.hash_of(
    {
        "currency": check_currency,
        "product": params.text(),
        "product_data": _PRODUCT_DATA,
        "recurring": params.anything,
        "tax_behavior": params.one_of("exclusive", "inclusive", "unspecified"),
        "unit_amount": params.integer(0, UNIT_AMOUNT_MAX),
        "unit_amount_decimal": _decimal,
    },
    required=("currency",),
)
LINE_ITEMS = params.list_of(
    params.hash_of(
        {
            "adjustable_quantity": params.anything,
            "metadata": params.new_metadata,
            "price": params.text(),
            "price_data": _PRICE_DATA,
            "quantity": params.integer(0, 999_999),
            "tax_rates": params.anything,
        }
    ),
    most=100,
)


def kept(asked: list[Json]) -> list[Json]:
    """What the session keeps of each item, all in one currency."""
    items = [_kept_one(item, f"line_items[{at}]") for at, item in enumerate(asked)]
    if len({item["currency"] for item in items}) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")
    return items


def _kept_one(item: Json, name: str) -> Json:
    if "price" in item:
        raise no_such("price", item["price"], param=f"{name}[price]", status=400)
    if "price_data" not in item:
        raise missing_parameter(f"{name}[price_data]")
    if item.get("quantity", 0) < 1:
        message = "Quantity is required. Add `quantity` (at least 1) to the line item."
        raise invalid(message, param=f"{name}[quantity]")
    price = item["price_data"]
    if "product" in price:
        raise no_such("product", price["product"], param=f"{name}[price_data][product]", status=400)
    if "product_data" not in price:
        raise missing_parameter(f"{name}[price_data][product_data]")
    if "recurring" in price:
        message = "You cannot use recurring prices in `payment` mode."
        raise invalid(message, param=f"{name}[price_data][recurring]")
    return {
        "id": new_id("li"),
        "price": new_id("price"),
        "product": new_id("prod"),
        "name": price["product_data"]["name"],
        "description": price["product_data"].get("description"),
        "images": price["product_data"].get("images", []),
        "product_metadata": price["product_data"].get("metadata", {}),
        "metadata": item.get("metadata", {}),
        "currency": price["currency"],
        "unit_amount": _unit_amount(price, f"{name}[price_data]"),
        "tax_behavior": price.get("tax_behavior", "unspecified"),
        "quantity": item["quantity"],
    }


def _unit_amount(price: Json, name: str) -> int:
    if "unit_amount" in price and "unit_amount_decimal" in price:
        raise invalid(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
            param=f"{name}[unit_amount]",
            code="parameters_exclusive",
        )
    amount = price.get("unit_amount", price.get("unit_amount_decimal"))
    if amount is None:
        raise missing_parameter(f"{name}[unit_amount]")
    check_unit(amount, price["currency"], f"{name}[unit_amount]")
    return int(amount)


def total(items: list[Json]) -> int:
    return sum(item["unit_amount"] * item["quantity"] for item in items)


def listed(
    tx: Tx,
    session: Json,
    *,
    limit: int,
    starting_after: str | None = None,
    ending_before: str | None = None,
) -> Json:
    """A page of the session's items, in the order they were given."""
    items = session["_items"]
    tx.memo["products"] = {item["product"]: (item, session) for item in items}
    if ending_before is not None:
        end = _index(items, ending_before, "ending_before")
        chosen, has_more = items[max(0, end - limit) : end], end > limit
    else:
        start = 0 if starting_after is None else _index(items, starting_after, "starting_after") + 1
        chosen, has_more = items[start : start + limit], len(items) > start + limit
    return {
        "object": "list",
        "data": [_shown(item, session) for item in chosen],
        "has_more": has_more,
        "url": f"/v1/checkout/sessions/{session['id']}/line_items",
    }


def _index(items: list[Json], id_: str, name: str) -> int:
    for at, item in enumerate(items):
        if item["id"] == id_:
            return at
    raise no_such("line item", id_, param=name, status=400)


def _shown(item: Json, session: Json) -> Json:
    amount = item["unit_amount"] * item["quantity"]
    price = render(
        "price",
        {
            "id": item["price"],
            "created": session["created"],
            "currency": item["currency"],
            "livemode": session["livemode"],
            "product": item["product"],
            "tax_behavior": item["tax_behavior"],
            "unit_amount": item["unit_amount"],
            "unit_amount_decimal": str(item["unit_amount"]),
        },
    )
    return render(
        "item",
        {
            "id": item["id"],
            "amount_subtotal": amount,
            "amount_total": amount,
            "currency": item["currency"],
            "description": item["name"],
            "metadata": item["metadata"],
            "price": price,
            "quantity": item["quantity"],
        },
    )


def product(tx: Tx, price: Json) -> Json:
    """The product that a listed item made for itself."""
    id_ = price["product"]
    item, session = tx.memo["products"][id_]
    return render(
        "product",
        {
            "id": id_,
            "created": session["created"],
            "description": item["description"],
            "images": item["images"],
            "livemode": session["livemode"],
            "metadata": item["product_metadata"],
            "name": item["name"],
            "updated": session["created"],
        },
    )
