"""Charges: one per try that reached a bank, what becomes of it, and its balance transaction."""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.balance import aftermath, fees, transactions
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol.errors import Failure
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

SETTLE = "stripe.settle"
SETTLE_AFTER_S = 2  # the first events still have no balance transaction


def begin(tx: Tx, intent: Json, method: Json, details: Json) -> Json:
    """A charge on its way to the bank; not kept before its outcome or its waiting is known."""
    type_ = method["type"]
    return {
        "id": new_id("ch" if type_ == "card" else "py"),
        "amount": intent["amount"],
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "PAYLOOM SANDBOX",
        "created": int(tx.now),
        "currency": intent["currency"],
        "description": intent["description"],
        "livemode": intent["livemode"],
        "metadata": intent["metadata"],
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {type_: details, "type": type_},
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_group": intent["transfer_group"],
        **({"customer": intent["customer"]} if intent.get("customer") else {}),
    }


def wait(tx: Tx, charge: Json) -> None:
    """The bank has it, and will take its time."""
    tx.put("charge", charge, parent=charge["payment_intent"])
    emit(tx, "charge.pending", "charge", charge)


def succeed(tx: Tx, charge: Json, outcome: Json) -> None:
    """The money is taken; the balance transaction follows."""
    charge |= {
        "amount_captured": charge["amount"],
        "captured": True,
        "outcome": outcome,
        "paid": True,
        "receipt_url": None,
        "status": "succeeded",
    }
    tx.put("charge", charge, parent=charge["payment_intent"])
    emit(tx, "charge.succeeded", "charge", charge)
    _settle_soon(tx, charge)


def authorize(tx: Tx, charge: Json, outcome: Json) -> None:
    """The bank holds the money; nothing moves before it is captured."""
    charge |= {"outcome": outcome, "paid": True, "status": "succeeded"}
    tx.put("charge", charge, parent=charge["payment_intent"])
    emit(tx, "charge.succeeded", "charge", charge)


def capture(tx: Tx, charge: Json, amount: int) -> None:
    """Take what was held, or a part of it; the balance transaction follows."""
    charge |= {"amount_captured": amount, "captured": True}
    tx.save(charge)
    emit(tx, "charge.captured", "charge", charge)
    _settle_soon(tx, charge)


def expire(tx: Tx, charge: Json) -> None:
    """The bank lets go of what was never captured."""
    emit(tx, "charge.expired", "charge", charge)


def fail(tx: Tx, charge: Json, failure: Failure, outcome: Json) -> None:
    charge |= {
        "failure_code": failure.code,
        "failure_message": failure.message,
        "outcome": outcome,
        "status": "failed",
    }
    tx.put("charge", charge, parent=charge["payment_intent"])
    emit(tx, "charge.failed", "charge", charge)


def settle(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the balance transaction comes a moment after the payment."""
    agenda.finish(tx, timer)
    charge = tx.load("charge", timer.ref)
    if charge is not None and not charge.get("balance_transaction"):
        _settle(tx, charge)


def _settle_soon(tx: Tx, charge: Json) -> None:
    """What a card does next it does at once: the official CLI looks for it in its next call."""
    if charge.get("_after"):
        _settle(tx, charge)
    else:
        agenda.schedule(tx, SETTLE, charge["id"], tx.now + SETTLE_AFTER_S)


def _settle(tx: Tx, charge: Json) -> None:
    transaction = transactions.book(
        tx,
        "charge" if charge["payment_method_details"]["type"] == "card" else "payment",
        charge,
        charge["amount_captured"],
        fee=fees.of_charge(charge),
        description=charge["description"],
        waits=charge.get("_after") != aftermath.AVAILABLE,
    )
    charge["balance_transaction"] = transaction["id"]
    tx.save(charge)
    emit(tx, "charge.updated", "charge", charge, previous={"balance_transaction": None})
    aftermath.follow(tx, charge)


def outcome(type_: str, network: str, seller_message: str, **more: Any) -> Json:
    """What the bank or Stripe itself decided, in the words of the dashboard."""
    blank = dict.fromkeys(("advice_code", "network_advice_code", "network_decline_code", "reason"))
    risk = {"risk_level": "not_assessed", "risk_score": None, "rule": None}
    said = {"network_status": network, "seller_message": seller_message, "type": type_}
    return {**blank, **risk, **said, **more}
