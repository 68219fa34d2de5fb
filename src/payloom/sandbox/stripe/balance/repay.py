"""Giving money back: what a refund does to its charge, to the balance, and in events.

Refunds of cards succeed at once and stay so, but for two test cards: one of theirs waits for the
bank, and one that had succeeded fails, whereupon its money returns. Refunds to bank accounts wait
a day. A voucher was paid in cash, so the shopper is asked by email where the money should go;
until they say so, the refund may be canceled. Here they say so after a day.
"""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.balance import transactions
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

SUCCEED = "stripe.refund_succeeds"
FAIL = "stripe.refund_fails"
SUCCEEDS_AFTER_S = 86_400
FAILS_AFTER_S = 3 * 86_400
ASKS_FOR_S = 45 * 86_400
_STATUS = {
    "at_once": "succeeded",
    "fails": "succeeded",
    "pending": "pending",
    "asks": "requires_action",
}
_TRANSFERS = {
    "boleto": "br_bank_transfer",
    "konbini": "jp_bank_transfer",
    "oxxo": "mx_bank_transfer",
}


def give_back(tx: Tx, charge: Json, method: Json, amount: int, course: str, given: Json) -> Json:
    """A refund of this much. `course`: `at_once`, `fails` (later), `pending` or `asks`."""
    by_card = method["type"] == "card"
    refund = {
        "id": new_id("re" if by_card else "pyr"),
        "amount": amount,
        "charge": charge["id"],
        "created": int(tx.now),
        "currency": charge["currency"],
        "destination_details": _destination(method["type"], course),
        "next_action": None,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": "processing" if course == "pending" else None,
        "status": _STATUS[course],
        **given,
    }
    if course == "asks":
        refund["next_action"] = _ask(tx, refund, method)
    moved = transactions.book(
        tx,
        "refund" if by_card else "payment_refund",
        refund,
        -amount,
        description=_described("REFUND FOR CHARGE", charge),
    )
    refund["balance_transaction"] = moved["id"]
    tx.insert("refund", refund, parent=charge["id"])
    emit(tx, "refund.created", "refund", refund)
    if given.get("reason") == "fraudulent":
        charge["fraud_details"] = {"stripe_report": None, "user_report": "fraudulent"}
    _count(tx, charge, amount)
    if course == "fails":
        agenda.schedule(tx, FAIL, refund["id"], tx.now + FAILS_AFTER_S)
    elif course != "at_once":
        agenda.schedule(tx, SUCCEED, refund["id"], tx.now + SUCCEEDS_AFTER_S)
    return refund


def succeed(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the bank has taken the refund that it was waiting for."""
    agenda.finish(tx, timer)
    if refund := tx.load("refund", timer.ref):
        change: Json = {"next_action": None, "pending_reason": None, "status": "succeeded"}
        if "card" in refund["destination_details"]:
            change["destination_details"] = _destination("card", "at_once")
        _update(tx, refund, change)


def fail(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the bank sends a refund back that had succeeded."""
    agenda.finish(tx, timer)
    if refund := tx.load("refund", timer.ref):
        bounce(tx, refund, "expired_or_canceled_card")


def bounce(tx: Tx, refund: Json, reason: str) -> None:
    """A refund that had succeeded, or was about to, comes back."""
    agenda.cancel(tx, SUCCEED, refund["id"])
    refund |= {"failure_reason": reason, "pending_reason": None, "status": "failed"}
    _return(tx, refund)
    emit(tx, "charge.refund.updated", "refund", refund)
    emit(tx, "refund.failed", "refund", refund)


def cancel(tx: Tx, refund: Json) -> None:
    agenda.cancel(tx, SUCCEED, refund["id"])
    _return(tx, refund)
    change = {"failure_reason": "merchant_request", "next_action": None, "status": "canceled"}
    _update(tx, refund, change)


def describe(tx: Tx, refund: Json, metadata: dict[str, str]) -> None:
    _update(tx, refund, {"metadata": metadata})


def _update(tx: Tx, refund: Json, change: Json) -> None:
    """Change it and tell, if anything is different."""
    was = {name: refund.get(name) for name, new in change.items() if refund.get(name) != new}
    if was:
        refund |= change
        tx.save(refund)
        emit(tx, "charge.refund.updated", "refund", refund, previous=was)  # its older name
        emit(tx, "refund.updated", "refund", refund, previous=was)


def _return(tx: Tx, refund: Json) -> None:
    """Its money is ours again, and may be refunded anew."""
    charge = tx.load("charge", refund["charge"])
    description = _described("REFUND FAILURE FOR CHARGE", charge or {})
    back = transactions.book(
        tx, "refund_failure", refund, refund["amount"], description=description
    )
    refund["failure_balance_transaction"] = back["id"]
    tx.save(refund)
    if charge:
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


def _described(what: str, charge: Json) -> str:
    return f"{what} ({charge['description']})" if charge.get("description") else what


def _destination(type_: str, course: str) -> Json:
    if type_ != "card":
        return {"type": _TRANSFERS.get(type_, type_)}
    # the bank's reference comes days later, or never
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number"}
    kind = "pending" if course == "pending" else "refund"
    return {"card": {"reference": None, **card, "type": kind}, "type": "card"}


def _ask(tx: Tx, refund: Json, method: Json) -> Json:
    email = refund.get("instructions_email") or method["billing_details"]["email"] or ""
    sent = {"email_sent_at": int(tx.now), "email_sent_to": email}
    details = {"email_sent": sent, "expires_at": int(tx.now) + ASKS_FOR_S}
    return {"type": "display_details", "display_details": details}
