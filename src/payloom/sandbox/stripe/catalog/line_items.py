"""The line items of a checkout session: read, added up, shown."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.catalog import inline, price_params, prices, products
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.errors import invalid, missing_parameter, no_such
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

_PRODUCT_DATA = params.hash_of(
    {
        "name": params.text(250),
        "description": params.text(40_000),
        "images": params.list_of(params.url, most=8),
        "metadata": params.new_metadata,
        "tax_code": params.text(),
        "tax_details": params.hash_of(price_params.TAX_DETAILS),
        "unit_label": params.text(12),
    },
    required=("name",),
)
_PRICE_DATA = params.hash_of(
    {**price_params.PRICE, "product": params.text(), "product_data": _PRODUCT_DATA},
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


def kept(tx: Tx, asked: list[Json], session_id: str) -> list[Json]:
    """What the session keeps of each item, all in one currency."""
    items = [_kept_one(tx, item, at, session_id) for at, item in enumerate(asked)]
    if len({item["currency"] for item in items}) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")
    return items


def _kept_one(tx: Tx, item: Json, at: int, session_id: str) -> Json:
    name = f"line_items[{at}]"
    if "price" in item and "price_data" in item:
        raise invalid(
            "You may only specify one of these parameters: price, price_data.",
            param=f"{name}[price]",
            code="parameters_exclusive",
        )
    if "price" not in item and "price_data" not in item:
        raise missing_parameter(f"{name}[price_data]")
    if item.get("quantity", 0) < 1:
        message = "Quantity is required. Add `quantity` (at least 1) to the line item."
        raise invalid(message, param=f"{name}[quantity]")
    if "price" in item:
        sold = _of_kept_price(tx, item["price"], f"{name}[price]")
    else:
        sold = {"price": inline.make_id("price", session_id, at)}
        sold |= _of_data(tx, item["price_data"], f"{name}[price_data]")
        sold.setdefault("product", inline.make_id("prod", session_id, at))
    return {
        "id": new_id("li"),
        **sold,
        "metadata": item.get("metadata", {}),
        "quantity": item["quantity"],
    }


def _of_kept_price(tx: Tx, id_: str, name: str) -> Json:
    price, product = prices.for_sale(tx, id_, param=name)
    _check_price(price, name)
    if price.get("transform_quantity"):
        raise invalid("This sandbox has no `transform_quantity` in sessions yet.", param=name)
    return {
        "price": price["id"],
        "is_kept": True,  # the price is an object of its own
        **_of_product(product),
        "currency": price["currency"],
        "unit_amount": price["unit_amount"],
    }


def _of_data(tx: Tx, data: Json, name: str) -> Json:
    if "product" in data and "product_data" in data:
        raise invalid(
            "You may only specify one of these parameters: product, product_data.",
            param=f"{name}[product]",
            code="parameters_exclusive",
        )
    if "product" in data:
        product = products.find(tx, data["product"], param=f"{name}[product]")
        if not product["active"]:
            message = "The product specified is inactive. This field only accepts active products."
            raise invalid(message, param=f"{name}[product]")
        about = _of_product(product)
    elif "product_data" in data:
        given = data["product_data"]
        about = {
            "name": given["name"],
            "description": given.get("description"),
            "images": given.get("images", []),
            "product_metadata": given.get("metadata", {}),
            **{name: given[name] for name in inline.MORE if name in given},
        }
    else:
        raise missing_parameter(f"{name}[product_data]")
    amounts = price_params.amounts(data, name)
    _check_price({**data, **amounts}, name)
    return {
        **about,
        "currency": data["currency"],
        "unit_amount": amounts["unit_amount"],
        "tax_behavior": data.get("tax_behavior", "unspecified"),
    }


def _of_product(product: Json) -> Json:
    return {
        "product": product["id"],
        "name": product["name"],
        "description": product.get("description"),
        "images": product.get("images", []),
    }


def _check_price(price: Json, name: str) -> None:
    """In payment mode something is paid once, in whole units."""
    if price.get("recurring"):
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to"
            " `subscription` mode or use only one-time prices.",
            param=name,
        )
    if price["unit_amount"] is None:
        raise invalid(
            "This sandbox charges whole minor units: `unit_amount_decimal` has parts of one.",
            param=name,
        )


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
    if ending_before is not None:
        end = _index(items, ending_before, "ending_before")
        chosen, has_more = items[max(0, end - limit) : end], end > limit
    else:
        start = 0 if starting_after is None else _index(items, starting_after, "starting_after") + 1
        chosen, has_more = items[start : start + limit], len(items) > start + limit
    return {
        "object": "list",
        "data": [_shown(tx, item, session) for item in chosen],
        "has_more": has_more,
        "url": f"/v1/checkout/sessions/{session['id']}/line_items",
    }


def _index(items: list[Json], id_: str, name: str) -> int:
    for at, item in enumerate(items):
        if item["id"] == id_:
            return at
    raise no_such("line item", id_, param=name, status=400)


def _shown(tx: Tx, item: Json, session: Json) -> Json:
    amount = item["unit_amount"] * item["quantity"]
    price = tx.load("price", item["price"]) if "is_kept" in item else None
    return render(
        "item",
        {
            "id": item["id"],
            "amount_subtotal": amount,
            "amount_total": amount,
            "currency": item["currency"],
            "description": item["name"],
            "metadata": item["metadata"],
            "price": render("price", price or inline.price_of(item, session)),
            "quantity": item["quantity"],
        },
    )
