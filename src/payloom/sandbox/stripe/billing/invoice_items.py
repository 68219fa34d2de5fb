"""Invoice items: what a customer owes, until an invoice takes it up."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.catalog.currencies import MAXIMUM, check_currency
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import (
    invalid,
    missing_parameter,
    no_such,
    wrong_state,
)
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.resources import row_shown
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "invoiceitem"
ITEMS_MAX = 250  # docs.stripe.com/api/invoices/create: of one invoice

_PRICED: dict[str, params.Check] = {
    "amount": params.integer(-MAXIMUM, MAXIMUM),
    "description": params.text(may_be_empty=True),
    "discountable": params.boolean,
    "expand": params.EXPAND,
    "metadata": params.metadata,
    "period": params.hash_of(
        {"end": params.integer(0), "start": params.integer(0)}, required=("end", "start")
    ),
    "pricing": params.hash_of({"price": params.text()}),
    "quantity": params.integer(0),
    "unit_amount_decimal": params.integer(-MAXIMUM, MAXIMUM),
}
_CREATE: dict[str, params.Check] = {
    **_PRICED,
    "currency": check_currency,
    "customer": params.text(),
    "invoice": params.text(),
    "metadata": params.new_metadata,
}
_LIST: dict[str, params.Check] = {
    **lists.PAGING,
    **lists.CREATED,
    "customer": params.text(),
    "invoice": params.text(),
    "pending": params.boolean,
}


def create(call: Call) -> Json:
    asked = params.read(call.form, _CREATE, required=("customer",))
    customer = asked["customer"]
    if call.tx.load("customer", customer) is None:
        raise no_such("customer", customer, param="customer", status=400)
    if "invoice" in asked:
        message = "This sandbox adds items to an invoice when it is created only."
        raise invalid(message, param="invoice")
    item = {
        "id": new_id("ii"),
        "created": call.now,
        "customer": customer,
        "date": call.now,
        "description": asked.get("description"),
        "discountable": asked.get("discountable", True),
        "livemode": call.tx.tenant.livemode,
        "metadata": asked.get("metadata", {}),
        "period": asked.get("period", {"end": call.now, "start": call.now}),
        **_priced(call.tx, asked),
    }
    call.tx.insert(KIND, item, parent=customer)
    emit(call.tx, "invoiceitem.created", KIND, item)
    call.expand = asked.get("expand", [])
    return render(KIND, item)


def update(call: Call) -> Json:
    asked = params.read(call.form, _PRICED)
    item = _find(call)
    _check_is_pending(call.tx, item)
    item |= {
        name: asked[name] for name in ("description", "discountable", "period") if name in asked
    }
    item["metadata"] = params.merged(item["metadata"], asked.get("metadata", {}))
    if any(name in asked for name in ("amount", "pricing", "unit_amount_decimal", "quantity")):
        item |= _priced(call.tx, _unit(item, asked) | asked)
    call.tx.save(item)
    call.expand = asked.get("expand", [])
    return render(KIND, item)


def delete(call: Call) -> Json:
    item = _find(call)
    _check_is_pending(call.tx, item)
    call.tx.delete(item["id"])
    emit(call.tx, "invoiceitem.deleted", KIND, item)
    return {"id": item["id"], "object": KIND, "deleted": True}


def list_(call: Call) -> Json:
    asked = params.read(call.form, _LIST)
    selection = lists.of_kind(call, KIND, asked)
    for name in ("customer", "invoice"):
        if name in asked:
            selection.add(f"body ->> '$.{name}' = ?", asked[name])
    if "pending" in asked:
        selection.add(f"body ->> '$.invoice' IS {'' if asked['pending'] else 'NOT '}NULL")
    call.expand = asked.get("expand", [])
    return lists.page(call, selection, asked, kind=KIND, show=row_shown)


def pending(tx: Tx, customer: str, currency: str | None) -> list[Json]:
    """What the customer owes in this currency (None: whichever comes first), oldest first."""
    rows = tx.db.execute(
        "SELECT id FROM objects WHERE parent = ? AND kind = ? ORDER BY seq LIMIT ?",
        (customer, KIND, ITEMS_MAX),
    ).fetchall()
    items = [item for (id_,) in rows if (item := tx.load(KIND, id_)) is not None]
    wanted = currency or (items[0]["currency"] if items else None)
    return [item for item in items if item["currency"] == wanted]


def take_up(tx: Tx, item: Json, invoice: str) -> None:
    item["invoice"] = invoice
    tx.save(item)
    tx.set_parent(item["id"], invoice)


def let_go(tx: Tx, invoice: str) -> None:
    """The invoice is no more: its items are owed as before."""
    rows = tx.db.execute(
        "SELECT id FROM objects WHERE parent = ? AND kind = ?", (invoice, KIND)
    ).fetchall()
    for (id_,) in rows:
        if (item := tx.load(KIND, id_)) is not None:
            item["invoice"] = None
            tx.save(item)
            tx.set_parent(id_, item["customer"])


def _unit(item: Json, asked: Json) -> Json:
    """What an update leaves as it was: the price of one, unless the sum itself is new."""
    kept: Json = {"currency": item["currency"]}
    if "amount" not in asked and "pricing" not in asked:
        unit = int(item["pricing"]["unit_amount_decimal"])
        kept |= {"unit_amount_decimal": unit, "quantity": item["quantity"]}
    return kept


def _priced(tx: Tx, asked: Json) -> Json:
    """Amount, currency and price: of a kept price, of a unit amount, or as a sum."""
    quantity: int = asked.get("quantity", 1)
    details = None
    if "price" in asked.get("pricing", {}):
        id_ = asked["pricing"]["price"]
        price = tx.load("price", id_)
        if price is None:
            raise no_such("price", id_, param="pricing[price]", status=400)
        unit, currency = price["unit_amount"], price["currency"]
        details = {"price": id_, "product": price["product"]}
    else:
        if "currency" not in asked:
            raise missing_parameter("currency")
        if "amount" in asked and "quantity" in asked:
            message = "You may only specify one of these parameters: amount, quantity."
            raise invalid(message, param="amount", code="parameters_exclusive")
        if "amount" not in asked and "unit_amount_decimal" not in asked:
            raise missing_parameter("amount")
        unit = asked.get("unit_amount_decimal", asked.get("amount"))
        currency = asked["currency"]
    amount = unit * quantity
    return {
        "amount": amount,
        "currency": currency,
        "net_amount": amount,
        "pricing": {
            "price_details": details,
            "type": "price_details",
            "unit_amount_decimal": str(unit),
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
    }


def _find(call: Call) -> Json:
    item = call.tx.load(KIND, call.ids[0])
    if item is None:
        raise no_such(KIND, call.ids[0], param="invoiceitem")
    return item


def _check_is_pending(tx: Tx, item: Json) -> None:
    invoice = tx.load("invoice", item.get("invoice") or "")
    if invoice is not None:
        raise wrong_state(
            f"This invoice item is on invoice {invoice['id']} and can no longer be changed."
        )
