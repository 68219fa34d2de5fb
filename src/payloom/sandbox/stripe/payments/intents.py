"""Payment intents: one per session, made at its first try, moved by each."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol.errors import DOCS, Failure
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render
from payloom.sandbox.stripe.protocol.shapes.payments import intent_card_options

Json = dict[str, Any]

KIND = "payment_intent"
_FROM_DATA = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def of_session(tx: Tx, session: Json) -> Json:
    """The session's payment intent: it exists from the first try on."""
    if session.get("payment_intent"):
        intent = tx.load(KIND, session["payment_intent"])
        if intent is None:
            raise LookupError(f"session {session['id']} names a payment intent that is not there")
        return intent
    intent = _new(tx, session)
    tx.insert(KIND, intent)
    session["payment_intent"] = intent["id"]
    tx.save(session)
    tx.set_parent(session["id"], intent["id"])
    emit(tx, "payment_intent.created", KIND, intent)
    return intent


def _new(tx: Tx, session: Json) -> Json:
    id_ = new_id("pi")
    data = session["_intent"]
    intent = {
        "id": id_,
        "amount": session["amount_total"],
        "client_secret": f"{id_}_secret_{new_id('x')[2:]}",
        "created": int(tx.now),
        "currency": session["currency"],
        "livemode": session["livemode"],
        "payment_method_types": session["payment_method_types"],
        "status": "requires_payment_method",
        **{name: data.get(name) for name in _FROM_DATA},
        "metadata": data.get("metadata", {}),
        "capture_method": data.get("capture_method", "automatic_async"),
    }
    if "card" not in session["payment_method_types"]:
        intent["payment_method_options"] = {}
    elif three_d_secure(session) != "automatic":
        intent["payment_method_options"] = intent_card_options(three_d_secure(session))
    return intent


def three_d_secure(session: Json) -> str:
    """When the merchant wants to have the shopper authenticated."""
    options = session.get("payment_method_options", {}).get("card", {})
    return str(options.get("request_three_d_secure", "automatic"))


def wait(tx: Tx, intent: Json, method: Json, status: str) -> None:
    """The shopper, or a bank, has something to do now: `requires_action` or `processing`."""
    intent |= {"payment_method": method["id"], "status": status}
    tx.save(intent)
    emit(tx, f"payment_intent.{status}", KIND, intent)


def succeed(tx: Tx, intent: Json, method: Json, charge: Json) -> None:
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "payment_method": method["id"],
        "status": "succeeded",
    }
    intent.pop("_pending", None)
    tx.save(intent)
    emit(tx, "payment_intent.succeeded", KIND, intent)


def refuse(tx: Tx, intent: Json, method: Json, failure: Failure, *, charge: str | None) -> None:
    """This try failed; of which charge, if it came as far as a bank."""
    is_card_error = method["type"] == "card" and charge is not None
    intent |= {
        "last_payment_error": {
            "advice_code": failure.advice_code or None,
            "charge": charge,
            "code": failure.code,
            "decline_code": failure.decline_code or None,
            "doc_url": DOCS + failure.code.replace("_", "-"),
            "message": failure.message,
            "network_advice_code": None,
            "network_decline_code": None,
            "param": None,
            "payment_intent": None,
            "payment_method": render("payment_method", method),
            "payment_method_type": method["type"],
            "request_log_url": None,
            "setup_intent": None,
            "source": None,
            "type": "card_error" if is_card_error else "invalid_request_error",
        },
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    if charge:
        intent["latest_charge"] = charge
    intent.pop("_pending", None)
    tx.save(intent)
    emit(tx, "payment_intent.payment_failed", KIND, intent)
