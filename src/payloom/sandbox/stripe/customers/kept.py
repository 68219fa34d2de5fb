"""Customers as they are kept: found, made, changed; one that was deleted leaves its id."""

import secrets
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.events.emit import emit, emit_update
from payloom.sandbox.stripe.protocol.errors import no_such
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

KIND = "customer"


def make(tx: Tx, given: Json) -> Json:
    customer = {
        "id": new_id("cus", length=14),
        "created": int(tx.now),
        "invoice_prefix": secrets.token_hex(4).upper(),
        "livemode": tx.tenant.livemode,
        "metadata": {},
        **given,
    }
    tx.insert(KIND, customer)
    emit(tx, "customer.created", KIND, customer)
    return customer


def find(tx: Tx, id_: str, *, param: str = "customer", status: int = 400) -> Json:
    """A customer that is there: one that was deleted is not."""
    customer = tx.load(KIND, id_)
    if customer is None or customer.get("deleted"):
        raise no_such(KIND, id_, param=param, status=status)
    return customer


def change(tx: Tx, customer: Json, given: Json) -> Json:
    after = {**customer, **given}
    tx.save(after)
    emit_update(tx, "customer.updated", KIND, customer, after)
    return after


def default_method(customer: Json) -> str | None:
    return (customer.get("invoice_settings") or {}).get("default_payment_method")


def with_default(customer: Json, method_id: str | None) -> Json:
    """The customer's invoice settings, with this as the usual method of payment."""
    blank = dict.fromkeys(("custom_fields", "footer", "rendering_options"))
    settings = customer.get("invoice_settings") or blank
    return {"invoice_settings": {**settings, "default_payment_method": method_id}}
