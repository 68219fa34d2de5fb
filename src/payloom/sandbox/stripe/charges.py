"""Charges: one per try that reached the card's bank, and the transaction that settles it."""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe import balance
from payloom.sandbox.stripe.cards import Card
from payloom.sandbox.stripe.events import emit
from payloom.sandbox.stripe.ids import new_id

Json = dict[str, Any]

SETTLE = "stripe.settle"
SETTLE_AFTER_S = 2  # the first events still have no balance transaction

_OFF = {"status": "unavailable"}


def succeed(tx: Tx, intent: Json, method: Json, card: Card, *, challenged: bool) -> Json:
    """The charge that took the money; its balance transaction follows."""
    charge = _charge(tx, intent, method, card, challenged=challenged) | {
        "amount_captured": intent["amount"],
        "captured": True,
        "outcome": _outcome(card),
        "paid": True,
        "receipt_url": None,
        "status": "succeeded",
    }
    tx.insert("charge", charge, parent=intent["id"])
    agenda.schedule(tx, SETTLE, charge["id"], tx.now + SETTLE_AFTER_S)
    emit(tx, "charge.succeeded", "charge", charge)
    return charge


def fail(tx: Tx, intent: Json, method: Json, card: Card, *, challenged: bool) -> Json:
    decline = card.decline
    if decline is None:
        raise ValueError(f"card ending {card.number[-4:]} does not decline")
    charge = _charge(tx, intent, method, card, challenged=challenged) | {
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _outcome(card),
        "status": "failed",
    }
    tx.insert("charge", charge, parent=intent["id"])
    emit(tx, "charge.failed", "charge", charge)
    return charge


def settle(tx: Tx, timer: Timer) -> None:
    """Attach the balance transaction, as Stripe does a moment after the payment."""
    agenda.finish(tx, timer)
    charge = tx.load("charge", timer.ref)
    if charge is None or charge.get("balance_transaction"):
        return
    amount = charge["amount_captured"]
    transaction = balance.book(tx, "charge", charge, amount, fee=fee_of(amount))
    charge["balance_transaction"] = transaction["id"]
    tx.save(charge)
    emit(tx, "charge.updated", "charge", charge, previous={"balance_transaction": None})


def fee_of(amount: int) -> int:
    """2.9 % and 30 minor units, half units rounded up."""
    return (amount * 29 + 500) // 1000 + 30


def _charge(tx: Tx, intent: Json, method: Json, card: Card, *, challenged: bool) -> Json:
    return {
        "id": new_id("ch"),
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
        "payment_method_details": {
            "card": _card_details(intent["amount"], method, card, challenged=challenged),
            "type": "card",
        },
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "transfer_group": intent["transfer_group"],
    }


def _card_details(amount: int, method: Json, card: Card, *, challenged: bool) -> Json:
    kept = method["card"]
    cvc_failed = card.decline is not None and card.decline.code == "incorrect_cvc"
    cvc_check = None if kept["checks"]["cvc_check"] is None else "fail" if cvc_failed else "pass"
    return {
        "amount_authorized": amount,
        "authorization_code": None if card.decline else "S00000",
        "brand": kept["brand"],
        "capture_before": None,
        "checks": {**kept["checks"], "cvc_check": cvc_check},
        "country": kept["country"],
        "description": None,
        "electronic_commerce_indicator": None,
        "exp_month": kept["exp_month"],
        "exp_year": kept["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": kept["fingerprint"],
        "funding": kept["funding"],
        "iin": None,
        "incremental_authorization": _OFF,
        "installments": None,
        "issuer": None,
        "last4": kept["last4"],
        "mandate": None,
        "moto": None,
        "multicapture": _OFF,
        "network": kept["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": amount, **_OFF},
        "regulated_status": kept["regulated_status"],
        "setup_credential_usage": None,
        "stored_credential_usage": None,
        "three_d_secure": _three_d_secure() if challenged else None,
        "transaction_link_id": None,
        "wallet": None,
    }


def _three_d_secure() -> Json:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "exemption_indicator_applied": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }


def _outcome(card: Card) -> Json:
    decline = card.decline
    blocked = decline is not None and decline.decline_code == "fraudulent"
    if decline is None:
        type_, network, seller = "authorized", "approved_by_network", "Payment complete."
    elif blocked:
        type_, network = "blocked", "not_sent_to_network"
        seller = "Stripe blocked this payment as too risky."
    else:
        type_, network = "issuer_declined", "declined_by_network"
        seller = "The bank returned a decline code."
    return {
        "advice_code": decline.advice_code if decline else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": "highest_risk_level" if blocked else decline.decline_code if decline else None,
        "risk_level": card.risk,
        "risk_score": {"normal": 12, "elevated": 70, "highest": 95}[card.risk],
        "rule": None,
        "seller_message": seller,
        "type": type_,
    }
