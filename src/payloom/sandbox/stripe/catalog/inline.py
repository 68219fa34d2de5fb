"""Products and prices that line items made for themselves (`price_data`).

They are no objects of their own: a session that is paid would cost more. Their ids begin as the
session's does, so that whoever asks for one finds it in its session.
"""

from typing import Any

from payloom.sandbox.store import Tx

Json = dict[str, Any]

MORE = ("tax_code", "tax_details", "unit_label")  # what is said of few products
_SHARED = 22  # digits that the ids of a session's products and prices begin with
_INDEX = 2  # digits that say of which item


def make_id(prefix: str, session_id: str, index: int) -> str:
    """`price_…` or `prod_…` of this item of the session."""
    return f"{prefix}_{_random_part(session_id)[:_SHARED]}{index:0{_INDEX}d}"


def price(tx: Tx, id_: str) -> Json | None:
    found = _item(tx, id_, "price")
    return price_of(*found) if found else None


def product(tx: Tx, id_: str) -> Json | None:
    found = _item(tx, id_, "product")
    return _product_of(*found) if found else None


def price_of(item: Json, session: Json) -> Json:
    return {
        "id": item["price"],
        "active": False,
        "created": session["created"],
        "currency": item["currency"],
        "livemode": session["livemode"],
        "metadata": {},
        "product": item["product"],
        "tax_behavior": item["tax_behavior"],
        "type": "one_time",
        "unit_amount": item["unit_amount"],
        "unit_amount_decimal": str(item["unit_amount"]),
    }


def _product_of(item: Json, session: Json) -> Json | None:
    if "product_metadata" not in item:
        return None  # the price was made for a product that is kept
    return {
        "id": item["product"],
        "active": False,
        "created": session["created"],
        "default_price": None,
        "description": item["description"],
        "images": item["images"],
        "livemode": session["livemode"],
        "metadata": item["product_metadata"],
        "name": item["name"],
        **{name: item[name] for name in MORE if name in item},
        "type": "service",
        "updated": session["created"],
    }


def _item(tx: Tx, id_: str, field: str) -> tuple[Json, Json] | None:
    """The item that made this, and its session."""
    shared = id_.partition("_")[2][:_SHARED]
    if len(id_.partition("_")[2]) != _SHARED + _INDEX:
        return None
    first = f"cs_{'live' if tx.tenant.livemode else 'test'}_a1{shared}"
    row = tx.db.execute(
        "SELECT id FROM objects WHERE id >= ? AND id < ? ORDER BY id LIMIT 1", (first, first + "~")
    ).fetchone()
    session = tx.load("checkout.session", row[0]) if row else None
    items = session["_items"] if session else []
    item = next((item for item in items if item[field] == id_), None)
    return (item, session) if item and session else None


def _random_part(session_id: str) -> str:
    return session_id.rpartition("_")[2][2:]
