"""The customer's calls: create, retrieve, update, delete."""

import re
from collections.abc import Callable
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.customers import attaching, kept
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid
from payloom.sandbox.stripe.protocol.resources import lister, of_field
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = kept.KIND
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def _email(value: Any, name: str) -> str | None:
    address = params.text(512, may_be_empty=True)(value, name)
    if address and re.fullmatch(r"[^@\s]+@[^@\s]+", address) is None:
        message = f"Invalid email address: {address[:100]}"
        raise invalid(message, param=name, code="email_invalid")
    return str(address) if address else None


_ADDRESS = params.hash_of(dict.fromkeys(ADDRESS, params.text(may_be_empty=True)))
_SHIPPING = params.hash_of(
    {"address": _ADDRESS, "name": params.text(), "phone": params.text(may_be_empty=True)},
    required=("address", "name"),
)
_FIELD = params.hash_of({"name": params.text(40), "value": params.text(140)}, ("name", "value"))
_RENDERING: dict[str, params.Check] = {
    "amount_tax_display": params.one_of("exclude_tax", "include_inclusive_tax"),
    "template": params.text(),
}
_INVOICE_SETTINGS: dict[str, params.Check] = {
    "custom_fields": params.list_of(_FIELD, most=4),
    "default_payment_method": params.text(may_be_empty=True),
    "footer": params.text(may_be_empty=True),
    "rendering_options": params.hash_of(_RENDERING),
}
_WORDS = ("business_name", "description", "email", "individual_name", "name", "phone")
# Stripe's, and refused here
_NOT_BUILT = ("cash_balance", "default_source", "source", "tax", "tax_id_data", "test_clock")
_UPDATE: dict[str, params.Check] = {
    **dict.fromkeys(_WORDS, params.text(may_be_empty=True)),
    **dict.fromkeys(_NOT_BUILT, params.anything),
    "address": _ADDRESS,
    "balance": params.integer(),
    "email": _email,
    "expand": params.EXPAND,
    "invoice_prefix": params.text(12),
    "invoice_settings": params.hash_of(_INVOICE_SETTINGS),
    "metadata": params.metadata,
    "next_invoice_sequence": params.integer(1),
    "preferred_locales": params.list_of(params.text(20)),
    "shipping": _SHIPPING,
    "tax_exempt": params.one_of("exempt", "none", "reverse"),
    "validate": params.boolean,
}
_CREATE = {**_UPDATE, "metadata": params.new_metadata, "payment_method": params.text()}
_GIVEN = (
    *_WORDS, "balance", "invoice_prefix", "next_invoice_sequence", "preferred_locales", "tax_exempt"
)  # fmt: skip
list_ = lister(
    KIND,
    never=("test_clock",),
    filters={"email": of_field("email", params.text(512))},
    where="body ->> '$.deleted' IS NULL",
)


def create(call: Call) -> Json:
    asked = params.read(call.form, _CREATE)
    _check_what_is_built(asked)
    call.expand = asked.get("expand", [])
    settings = asked.get("invoice_settings", {})
    wanted = settings.pop("default_payment_method", None)
    given = _given(asked) | {"metadata": asked.get("metadata", {})}
    if "payment_method" not in asked:
        customer = kept.make(call.tx, given)
        if wanted is not None:
            _check_default(call, customer, wanted)
        return render(KIND, customer)
    method = payment_methods.find(
        call.tx, asked["payment_method"], call.secret, param="payment_method", status=400
    )
    if wanted in (asked["payment_method"], method["id"]):
        given |= kept.with_default(given, method["id"])
        wanted = None
    customer = kept.make(call.tx, given)
    if method.get("customer"):
        message = "The payment method you provided has already been attached to a customer."
        raise invalid(message, param="payment_method")
    attaching.save(call.tx, method, customer["id"], call.secret)
    if wanted is not None:
        _check_default(call, customer, wanted)
    return render(KIND, customer)


def retrieve(call: Call) -> Json:
    """Also of one that was deleted, who says no more than that."""
    asked = params.read(call.form, {"expand": params.EXPAND})
    customer = call.tx.load(KIND, call.ids[0])
    if customer is None:
        customer = kept.find(call.tx, call.ids[0], param="id", status=404)
    if not customer.get("deleted"):
        call.expand = asked.get("expand", [])
    return render(KIND, customer)


def update(call: Call) -> Json:
    asked = params.read(call.form, _UPDATE)
    _check_what_is_built(asked)
    call.expand = asked.get("expand", [])
    customer = kept.find(call.tx, call.ids[0], param="id", status=404)
    settings = asked.get("invoice_settings", {})
    if settings.get("default_payment_method") is not None:
        _check_default(call, customer, settings["default_payment_method"])
    given = _given(asked)
    if settings:
        before = kept.with_default(customer, kept.default_method(customer))["invoice_settings"]
        given["invoice_settings"] = {**before, **settings}
    if "metadata" in asked:
        given["metadata"] = params.merged(customer["metadata"], asked["metadata"])
    return render(KIND, kept.change(call.tx, customer, given))


def delete(call: Call) -> Json:
    params.read(call.form, {})
    customer = kept.find(call.tx, call.ids[0], param="id", status=404)
    attaching.let_all_go(call.tx, customer["id"])
    gone = {"id": customer["id"], "created": customer["created"], "deleted": True}
    call.tx.save(gone)
    emit(call.tx, "customer.deleted", KIND, customer)
    return render(KIND, gone)


def nothing(path: str) -> Callable[[Tx, Json], Json]:
    """A list that a customer shows when asked, and that holds nothing here."""

    def empty(_: Tx, customer: Json) -> Json:
        return lists.envelope(f"/v1/customers/{customer['id']}/{path}", [])

    return empty


def _given(asked: Json) -> Json:
    given = {name: asked[name] for name in _GIVEN if name in asked}
    if "address" in asked:
        given["address"] = _whole(asked["address"])
    if "shipping" in asked:
        shipping = asked["shipping"]
        blank = dict.fromkeys(("carrier", "phone", "tracking_number"))
        address = {"address": _whole(shipping.get("address", {}))}
        given["shipping"] = {**blank, **shipping, **address} if shipping else None
    if settings := asked.get("invoice_settings"):
        given["invoice_settings"] = {**dict.fromkeys(_INVOICE_SETTINGS), **settings}
        if rendering := settings.get("rendering_options"):
            rendering |= {name: rendering.get(name) for name in _RENDERING}
    return given


def _whole(address: Json) -> Json | None:
    return {name: address.get(name) for name in ADDRESS} if address else None


def _check_default(call: Call, customer: Json, method_id: str) -> None:
    param = "invoice_settings[default_payment_method]"
    attaching.of_customer(call.tx, method_id, customer["id"], param=param)


def _check_what_is_built(asked: Json) -> None:
    for name in _NOT_BUILT:
        if name in asked:
            raise invalid(f"This sandbox has no `{name}` of customers.", param=name)
