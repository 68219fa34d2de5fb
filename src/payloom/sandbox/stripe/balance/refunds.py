"""Refunds: money back to the shopper, asked for by charge or payment intent."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.balance import fraud_warnings, quarrels, repay
from payloom.sandbox.stripe.catalog.currencies import MAXIMUM, check_unit
from payloom.sandbox.stripe.catalog.money import money
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, no_such, wrong_state
from payloom.sandbox.stripe.protocol.resources import row_shown
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "refund"
REASONS = ("duplicate", "fraudulent", "requested_by_customer")

_CREATE: dict[str, params.Check] = {
    "amount": params.integer(1),
    "charge": params.text(),
    "currency": params.text(),
    "customer": params.text(),
    "expand": params.EXPAND,
    "instructions_email": params.text(800),
    "metadata": params.new_metadata,
    "origin": params.one_of("customer_balance"),
    "payment_intent": params.text(),
    "reason": params.one_of(*REASONS),
    "refund_application_fee": params.boolean,
    "reverse_transfer": params.boolean,
}
_LIST: dict[str, params.Check] = {
    **lists.PAGING,
    **lists.CREATED,
    "charge": params.text(),
    "payment_intent": params.text(),
}
_UPDATE: dict[str, params.Check] = {"expand": params.EXPAND, "metadata": params.metadata}


def create(call: Call) -> Json:
    asked = params.read(call.form, _CREATE)
    _check_what_is_built(asked)
    charge = _charge(call, asked)
    amount = _amount(charge, asked)
    method = call.tx.load("payment_method", charge["payment_method"])
    if method is None:
        raise LookupError(f"charge {charge['id']} names a payment method that is not there")
    given: Json = {"metadata": asked.get("metadata", {})}
    given |= {name: asked[name] for name in ("reason", "instructions_email") if name in asked}
    course = _course(method, call.secret)
    call.expand = asked.get("expand", [])
    refund = repay.give_back(call.tx, charge, method, amount, course, given)
    quarrels.end_by_refund(call.tx, charge)
    fraud_warnings.settle_by_refund(call.tx, charge)
    return render(KIND, refund)


def list_(call: Call) -> Json:
    asked = params.read(call.form, _LIST)
    return _listed(call, asked, asked.get("charge"))


def list_of_charge(call: Call) -> Json:
    asked = params.read(call.form, lists.PAGING)
    return _listed(call, asked, call.ids[0])


def latest(tx: Tx, shown: Json) -> Json:
    """The list that a charge shows of its refunds when it is expanded."""
    charge = shown["id"]
    rows = tx.db.execute(
        "SELECT kind, body FROM objects WHERE parent = ? AND kind = ? AND tenant = ?"
        " ORDER BY created DESC, seq DESC LIMIT ?",
        (charge, KIND, tx.tenant.id, lists.LIMIT_USUAL + 1),
    ).fetchall()
    data = [row_shown(row) for row in rows[: lists.LIMIT_USUAL]]
    return lists.envelope(f"/v1/charges/{charge}/refunds", data, has_more=len(rows) > len(data))


def update(call: Call) -> Json:
    asked = params.read(call.form, _UPDATE)
    refund = _find(call)
    if "metadata" in asked:
        repay.describe(call.tx, refund, params.merged(refund["metadata"], asked["metadata"]))
    call.expand = asked.get("expand", [])
    return render(KIND, refund)


def cancel(call: Call) -> Json:
    asked = params.read(call.form, {"expand": params.EXPAND})
    refund = _find(call)
    if refund["status"] != "requires_action":
        raise wrong_state(
            f"You cannot cancel this refund because it has a status of {refund['status']}. Only a"
            " refund with one of the following statuses may be canceled: requires_action."
        )
    repay.cancel(call.tx, refund)
    call.expand = asked.get("expand", [])
    return render(KIND, refund)


def _listed(call: Call, asked: Json, charge: str | None) -> Json:
    selection = lists.of_kind(call, KIND, asked)
    if charge is not None:
        selection.add("parent = ?", charge)
    if "payment_intent" in asked:
        charges = "SELECT id FROM objects WHERE parent = ? AND kind = 'charge'"
        selection.add(f"parent IN ({charges})", asked["payment_intent"])
    call.expand = asked.get("expand", [])
    return lists.page(call, selection, asked, kind=KIND, show=row_shown)


def _find(call: Call) -> Json:
    refund = call.tx.load(KIND, call.ids[0])
    if refund is None:
        raise no_such(KIND, call.ids[0], param="id")
    return refund


def _course(method: Json, secret: bytes) -> str:
    """What becomes of a refund: cards say, banks take a day, vouchers ask where to send it."""
    if method["type"] == "card":
        return payment_methods.card_of(method, secret).refund
    if method["type"] in REDIRECTS:
        return "at_once"
    return "asks" if method["type"] in VOUCHERS else "pending"


def _check_what_is_built(asked: Json) -> None:
    """Refuse plainly what this stand-in does not play yet."""
    for name in ("currency", "customer", "origin"):
        if name in asked:
            raise invalid("This sandbox has no customer balances yet.", param=name)
    for name in ("refund_application_fee", "reverse_transfer"):
        if asked.get(name):
            raise invalid("This sandbox has no connected accounts yet.", param=name)


def _charge(call: Call, asked: Json) -> Json:
    """The charge to give back from, if there is anything that may be given back."""
    charge = _named(call, asked)
    if not charge.get("captured"):
        raise wrong_state(
            f"You must cancel the PaymentIntent {charge['payment_intent']} instead: its charge"
            f" {charge['id']} has not been captured, so there is nothing to refund."
        )
    dispute = quarrels.of_charge(call.tx, charge)
    if dispute and not dispute["is_charge_refundable"]:
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise wrong_state(message, code="charge_disputed")
    return charge


def _named(call: Call, asked: Json) -> Json:
    """The charge by its own id or its payment intent's."""
    if "charge" in asked and "payment_intent" in asked:
        message = "You may only specify one of these parameters: charge, payment_intent."
        raise invalid(message, param="charge", code="parameters_exclusive")
    if "charge" in asked:
        charge = call.tx.load("charge", asked["charge"])
        if charge is None:
            raise no_such("charge", asked["charge"], param="charge")
        if charge["status"] != "succeeded":
            message = f"Charge {charge['id']} is {charge['status']} and cannot be refunded."
            raise wrong_state(message, code="charge_not_refundable")
        return charge
    if "payment_intent" not in asked:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or"
            " charge."
        )
    intent = call.tx.load("payment_intent", asked["payment_intent"])
    if intent is None:
        raise no_such("payment_intent", asked["payment_intent"], param="payment_intent")
    charge = call.tx.load("charge", intent.get("latest_charge") or "")
    if charge is None or charge["status"] != "succeeded":
        raise wrong_state(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        )
    return charge


def _amount(charge: Json, asked: Json) -> int:
    """What is asked for, or all that is left; never more than that."""
    refunded = charge.get("amount_refunded", 0)
    left = charge["amount_captured"] - refunded
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise wrong_state(message, code="charge_already_refunded")
    amount: int = asked.get("amount", left)
    if amount > left:
        currency = charge["currency"]
        limit = "unrefunded amount on charge" if refunded else "charge amount"
        raise wrong_state(
            f"Refund amount ({money(min(amount, MAXIMUM), currency)}) is greater than {limit}"
            f" ({money(left, currency)})",
            param="amount",
        )
    check_unit(amount, charge["currency"], "amount")
    return amount
