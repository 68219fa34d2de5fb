"""Payment intents as they are kept: made once, moved by each try, by a bank, or by the merchant."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.payments import saving
from payloom.sandbox.stripe.protocol.errors import DOCS, Failure
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "payment_intent"
BLANK: Json = dict.fromkeys(
    (
        "description",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_group",
    )
)


def make(tx: Tx, given: Json) -> Json:
    """A new intent: `amount`, `currency`, `payment_method_types`, and what else was given."""
    id_ = new_id("pi")
    intent = {
        "id": id_,
        "client_secret": f"{id_}_secret_{new_id('x')[2:]}",
        "created": int(tx.now),
        "livemode": tx.tenant.livemode,
        "status": "requires_payment_method",
        **BLANK,
        "metadata": {},
        "capture_method": "automatic_async",
        **given,
    }
    tx.insert(KIND, intent)
    emit(tx, "payment_intent.created", KIND, intent)
    return intent


def three_d_secure(intent: Json) -> str:
    """When the merchant wants to have the shopper authenticated."""
    options = intent.get("payment_method_options", {}).get("card", {})
    return str(options.get("request_three_d_secure") or "automatic")


def wait(tx: Tx, intent: Json, method: Json, status: str) -> None:
    """The shopper, or a bank, has something to do now: `requires_action` or `processing`."""
    intent |= {"payment_method": method["id"], "status": status}
    tx.save(intent)
    emit(tx, f"payment_intent.{status}", KIND, intent)


def hold(tx: Tx, intent: Json, method: Json, charge: Json) -> None:
    """The money is authorized, and waits for the merchant to capture it."""
    _settle(tx, intent, method, charge)
    intent |= {"amount_capturable": intent["amount"], "status": "requires_capture"}
    tx.save(intent)
    emit(tx, "payment_intent.amount_capturable_updated", KIND, intent)


def succeed(tx: Tx, intent: Json, method: Json, charge: Json) -> None:
    _settle(tx, intent, method, charge)
    intent |= {
        "amount_capturable": 0,
        "amount_received": charge["amount_captured"],
        "status": "succeeded",
    }
    tx.save(intent)
    emit(tx, "payment_intent.succeeded", KIND, intent)


def cancel(tx: Tx, intent: Json, reason: str | None) -> None:
    intent |= {
        "amount_capturable": 0,
        "canceled_at": int(tx.now),
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    intent.pop("_pending", None)
    tx.save(intent)
    emit(tx, "payment_intent.canceled", KIND, intent)


def refuse(tx: Tx, intent: Json, method: Json, failure: Failure, *, charge: str | None) -> None:
    """This try failed; of which charge, if it came as far as a bank."""
    intent |= {
        "last_payment_error": error_of(method, failure, charge=charge),
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    if charge:
        intent["latest_charge"] = charge
    intent.pop("_pending", None)
    tx.save(intent)
    emit(tx, "payment_intent.payment_failed", KIND, intent)


def error_of(method: Json, failure: Failure, *, charge: str | None) -> Json:
    """Why a try failed, as an intent remembers it."""
    is_card_error = method["type"] == "card" and charge is not None
    return {
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
    }


def _settle(tx: Tx, intent: Json, method: Json, charge: Json) -> None:
    if saving.is_wanted(intent, method["type"]):
        saving.save(tx, intent, method)
    elif not method.get("customer"):
        saving.use_up(tx, method)
    intent |= {
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "payment_method": method["id"],
    }
    intent.pop("_pending", None)
