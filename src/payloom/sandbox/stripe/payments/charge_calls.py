"""Charges over the API: described, and captured without naming their payment intent."""

from typing import Any

from payloom.sandbox.stripe.catalog.currencies import MAXIMUM
from payloom.sandbox.stripe.catalog.money import money
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.payments import captures
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, no_such, wrong_state
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "charge"
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_SHIPPING = params.hash_of(
    {
        "address": params.hash_of(dict.fromkeys(_ADDRESS, params.text(may_be_empty=True))),
        "carrier": params.text(may_be_empty=True),
        "name": params.text(),
        "phone": params.text(may_be_empty=True),
        "tracking_number": params.text(may_be_empty=True),
    },
    required=("address", "name"),
)


def _report(value: Any, name: str) -> str | None:
    return None if value == "" else params.one_of("fraudulent", "safe")(value, name)


_UPDATE: dict[str, params.Check] = {
    "customer": params.text(),
    "description": params.text(may_be_empty=True),
    "expand": params.EXPAND,
    "fraud_details": params.hash_of({"user_report": _report}, required=("user_report",)),
    "metadata": params.metadata,
    "receipt_email": params.text(may_be_empty=True),
    "shipping": _SHIPPING,
    "transfer_group": params.text(),
}


def _no_connect(_: Any, name: str) -> None:
    raise invalid("This sandbox has no connected accounts yet.", param=name)


_CAPTURE: dict[str, params.Check] = {
    "amount": params.integer(1),
    "application_fee": _no_connect,
    "application_fee_amount": _no_connect,
    "expand": params.EXPAND,
    "receipt_email": params.text(),
    "statement_descriptor": params.text(22),
    "statement_descriptor_suffix": params.text(22),
    "transfer_data": _no_connect,
    "transfer_group": params.text(),
}


def update(call: Call) -> Json:
    asked = params.read(call.form, _UPDATE)
    charge = _find(call)
    before = render(KIND, charge)
    _check_is_free(call, before, asked)
    metadata = params.merged(before["metadata"], asked.pop("metadata", {}))
    wanted = {name: value for name, value in asked.items() if name != "expand"}
    if "fraud_details" in wanted:
        wanted["fraud_details"] = before["fraud_details"] | wanted["fraud_details"]
    if "shipping" in wanted:
        wanted["shipping"] = _shipping(wanted["shipping"])
    wanted["metadata"] = metadata
    was = {name: before[name] for name, value in wanted.items() if before[name] != value}
    if was:
        charge |= wanted
        call.tx.save(charge)
        emit(call.tx, "charge.updated", KIND, charge, previous=was)
    call.expand = asked.get("expand", [])
    return render(KIND, charge)


def capture(call: Call) -> Json:
    """The older twin of capturing the payment intent."""
    asked = params.read(call.form, _CAPTURE)
    charge = _find(call)
    intent = call.tx.load("payment_intent", charge["payment_intent"])
    _check_is_held(charge, intent)
    assert intent is not None  # or it would not be held
    held: int = charge["amount"]
    amount: int = asked.get("amount", held)
    if amount > held:
        currency = charge["currency"]
        raise wrong_state(
            f"The amount to capture ({money(min(amount, MAXIMUM), currency)}) is greater than the"
            f" charge's amount ({money(held, currency)}).",
            param="amount",
            code="amount_too_large",
        )
    names = ("receipt_email", "statement_descriptor", "statement_descriptor_suffix")
    charge |= {name: asked[name] for name in (*names, "transfer_group") if name in asked}
    call.tx.save(charge)
    captures.capture(call.tx, intent, amount)
    call.expand = asked.get("expand", [])
    return render(KIND, _find(call))


def _find(call: Call) -> Json:
    charge = call.tx.load(KIND, call.ids[0])
    if charge is None:
        raise no_such(KIND, call.ids[0], param="charge")
    return charge


def _check_is_free(call: Call, charge: Json, asked: Json) -> None:
    """A customer or a group may be set once."""
    for name in ("customer", "transfer_group"):
        if name in asked and charge[name] not in (None, asked[name]):
            raise invalid(f"This charge already has a {name}.", param=name)
    if "customer" in asked and call.tx.load("customer", asked["customer"]) is None:
        raise no_such("customer", asked["customer"], param="customer", status=400)


def _check_is_held(charge: Json, intent: Json | None) -> None:
    if charge.get("captured"):
        message = f"Charge {charge['id']} has already been captured."
        raise wrong_state(message, code="charge_already_captured")
    if charge["status"] != "succeeded":
        message = f"Charge {charge['id']} is {charge['status']}: there is nothing to capture."
        raise wrong_state(message, code="capture_unauthorized_payment")
    if intent is None or intent["status"] != "requires_capture":
        message = f"Charge {charge['id']} was let go and can be captured no more."
        raise wrong_state(message, code="charge_expired_for_capture")


def _shipping(given: Json) -> Json:
    address = {name: given["address"].get(name) for name in _ADDRESS}
    names = ("carrier", "name", "phone", "tracking_number")
    return {"address": address, **{name: given.get(name) for name in names}}
