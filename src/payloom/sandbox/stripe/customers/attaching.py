"""Payment methods of customers: attached, detached, listed.

A card that declines at once cannot be attached; one that declines later (4000 0000 0000 0341)
can (docs.stripe.com/testing). What was detached is of no use to anyone
(docs.stripe.com/api/payment_methods/detach).
"""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.customers import kept
from payloom.sandbox.stripe.events.emit import emit, emit_update
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.options import METHOD_TYPES
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import card_error, invalid, no_such, wrong_state
from payloom.sandbox.stripe.protocol.resources import Filters, lister, of_field
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "payment_method"
SAVABLE = ("card", *DEBITS)  # what a customer can keep: a voucher is paid once
_SPENT = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer"
    " attachment, shared with a connected account without Customer attachment, or was detached"
    " from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must"
    " attach it to a Customer first."
)
_ATTACH: dict[str, params.Check] = {"customer": params.text(), "expand": params.EXPAND}
_FILTERS: Filters = {
    "allow_redisplay": (
        params.one_of("always", "limited", "unspecified"),
        "coalesce(body ->> '$.allow_redisplay', 'unspecified') = ?",
    ),
    "type": of_field("type", params.one_of(*METHOD_TYPES)),
}
list_all = lister(KIND, by_parent="customer", never=("customer_account",), filters=_FILTERS)
_list_of_customer = lister(KIND, by_parent="customer", filters=_FILTERS)


def attach(call: Call) -> Json:
    asked = params.read(call.form, _ATTACH, required=("customer",))
    call.expand = asked.get("expand", [])
    customer = kept.find(call.tx, asked["customer"])
    method = payment_methods.find(
        call.tx, call.ids[0], call.secret, param="payment_method", status=404
    )
    if method.get("customer"):
        message = "The payment method you provided has already been attached to a customer."
        raise wrong_state(message, param="payment_method")
    return render(KIND, save(call.tx, method, customer["id"], call.secret))


def save(tx: Tx, method: Json, customer: str, secret: bytes) -> Json:
    """Attach it to the customer, if it may be."""
    check_is_usable(method)
    if method["type"] not in SAVABLE:
        raise invalid(
            f"Payment methods of type {method['type']} cannot be saved to a customer.",
            param="payment_method",
        )
    if method["type"] == "card":
        card = payment_methods.card_of(method, secret)
        if card.decline is not None and not card.can_be_saved:
            raise card_error(card.decline)
    return put(tx, method, customer)


def put(tx: Tx, method: Json, customer: str) -> Json:
    """Attach what was found fit by the payment or setup that it was used for."""
    method["customer"] = customer
    tx.save(method)
    tx.set_parent(method["id"], customer)
    emit(tx, "payment_method.attached", KIND, method)
    return method


def detach(call: Call) -> Json:
    asked = params.read(call.form, {"expand": params.EXPAND})
    call.expand = asked.get("expand", [])
    method = call.tx.load(KIND, call.ids[0])
    if method is None:
        raise no_such("PaymentMethod", call.ids[0], param="payment_method")
    if not method.get("customer"):
        raise wrong_state(
            "The payment method you provided is not attached to a customer so detachment is"
            " impossible.",
            param="payment_method",
        )
    customer = call.tx.load(kept.KIND, method["customer"])
    after = _let_go(call.tx, method)
    previous = {"customer": method["customer"]}
    emit(call.tx, "payment_method.detached", KIND, after, previous=previous)
    if customer and kept.default_method(customer) == method["id"]:
        kept.change(call.tx, customer, kept.with_default(customer, None))
    return render(KIND, after)


def let_all_go(tx: Tx, customer: str) -> None:
    """What a deleted customer had is attached to nobody."""
    rows = tx.db.execute("SELECT id FROM objects WHERE parent = ? AND kind = ?", (customer, KIND))
    for (id_,) in rows.fetchall():
        if method := tx.load(KIND, id_):
            _let_go(tx, method)


def update(call: Call) -> Json:
    asked = params.read(call.form, payment_methods.UPDATE)
    call.expand = asked.get("expand", [])
    before = call.tx.load(KIND, call.ids[0])
    if before is None:
        raise no_such("PaymentMethod", call.ids[0], param="payment_method")
    if not before.get("customer"):
        message = "You must save this PaymentMethod to a customer before you can update it."
        raise wrong_state(message)
    after = payment_methods.changed(before, asked)
    call.tx.save(after)
    emit_update(call.tx, "payment_method.updated", KIND, before, after)
    return render(KIND, after)


def list_of_customer(call: Call) -> Json:
    kept.find(call.tx, call.ids[0], status=404)
    call.form = {**call.form, "customer": call.ids[0]}
    listed = _list_of_customer(call)
    assert isinstance(listed, dict)  # a list is never a reply to a decline
    return listed


def retrieve_of_customer(call: Call) -> Json:
    asked = params.read(call.form, {"expand": params.EXPAND})
    call.expand = asked.get("expand", [])
    customer, id_ = call.ids
    kept.find(call.tx, customer, status=404)
    method = call.tx.load(KIND, id_)
    if method is None or method.get("customer") != customer:
        raise no_such("PaymentMethod", id_, param="payment_method")
    return render(KIND, method)


def check_is_usable(method: Json) -> None:
    if method.get("_spent"):
        raise invalid(_SPENT, param="payment_method")


def of_customer(tx: Tx, id_: str, customer: str, *, param: str) -> Json:
    """A method that is attached to this customer."""
    method = tx.load(KIND, id_)
    if method is None or method.get("customer") != customer:
        raise invalid(
            f"The customer does not have a payment method with the ID {id_[:200]}. The payment"
            " method must be attached to the customer.",
            param=param,
            code="resource_missing",
        )
    return method


def _let_go(tx: Tx, method: Json) -> Json:
    after = {**method, "customer": None, "_spent": True}
    after.pop("_set_up", None)
    tx.save(after)
    tx.set_parent(method["id"], None)
    return after
