"""Giving money back: what a refund does to its charge, to the balance, and in events.

Most refunds succeed at once and stay so. Two test cards do otherwise, a day or three later: a
refund may wait for the bank, and one that had succeeded may fail, whereupon its money returns.
"""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe import balance
from payloom.sandbox.stripe.events import emit
from payloom.sandbox.stripe.ids import new_id

Json = dict[str, Any]

SUCCEED = "stripe.refund_succeeds"
FAIL = "stripe.refund_fails"
SUCCEEDS_AFTER_S = 86_400
FAILS_AFTER_S = 3 * 86_400


def give_back(tx: Tx, charge: Json, amount: int, course: str, given: Json) -> Json:
    """A refund of this much. `course`: `at_once`, `pending` (later succeeds) or `fails` (later)."""
    pending = course == "pending"
    refund = {
        "id": new_id("re"),
        "amount": amount,
        "charge": charge["id"],
        "created": int(tx.now),
        "currency": charge["currency"],
        "destination_details": _to_card("pending" if pending else "refund"),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": "processing" if pending else None,
        "status": "pending" if pending else "succeeded",
        **given,
    }
    refund["balance_transaction"] = balance.book(tx, "refund", refund, -amount)["id"]
    tx.insert("refund", refund, parent=charge["id"])
    emit(tx, "refund.created", "refund", refund)
    _count(tx, charge, amount)
    if pending:
        agenda.schedule(tx, SUCCEED, refund["id"], tx.now + SUCCEEDS_AFTER_S)
    elif course == "fails":
        agenda.schedule(tx, FAIL, refund["id"], tx.now + FAILS_AFTER_S)
    return refund


def succeed(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the bank has taken a pending refund."""
    agenda.finish(tx, timer)
    if refund := tx.load("refund", timer.ref):
        was = {name: refund[name] for name in ("destination_details", "pending_reason", "status")}
        change = {"destination_details": _to_card("refund"), "pending_reason": None}
        refund |= {**change, "status": "succeeded"}
        tx.save(refund)
        emit(tx, "refund.updated", "refund", refund, previous=was)


def fail(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the bank sends a refund back that had succeeded."""
    agenda.finish(tx, timer)
    if refund := tx.load("refund", timer.ref):
        refund |= {"failure_reason": "expired_or_canceled_card", "status": "failed"}
        _return(tx, refund)
        emit(tx, "refund.failed", "refund", refund)


def cancel(tx: Tx, refund: Json) -> None:
    was = {name: refund[name] for name in ("next_action", "status")}
    refund |= {"failure_reason": "merchant_request", "next_action": None, "status": "canceled"}
    _return(tx, refund)
    emit(tx, "refund.updated", "refund", refund, previous=was)


def describe(tx: Tx, refund: Json, metadata: dict[str, str]) -> None:
    was = refund["metadata"]
    if metadata != was:
        refund["metadata"] = metadata
        tx.save(refund)
        emit(tx, "refund.updated", "refund", refund, previous={"metadata": was})


def _return(tx: Tx, refund: Json) -> None:
    """Its money is ours again, and may be refunded anew."""
    back = balance.book(tx, "refund_failure", refund, refund["amount"])
    refund["failure_balance_transaction"] = back["id"]
    tx.save(refund)
    if charge := tx.load("charge", refund["charge"]):
        _set_refunded(tx, charge, charge["amount_refunded"] - refund["amount"])


def _count(tx: Tx, charge: Json, amount: int) -> None:
    was = {"amount_refunded": charge.get("amount_refunded", 0)}
    _set_refunded(tx, charge, was["amount_refunded"] + amount)
    if charge["refunded"]:
        was["refunded"] = False
    emit(tx, "charge.refunded", "charge", charge, previous=was)


def _set_refunded(tx: Tx, charge: Json, amount: int) -> None:
    charge |= {"amount_refunded": amount, "refunded": amount == charge["amount_captured"]}
    tx.save(charge)


def _to_card(type_: str) -> Json:
    # the bank's reference comes days later, or never
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number"}
    return {"card": {"reference": None, **card, "type": type_}, "type": "card"}
