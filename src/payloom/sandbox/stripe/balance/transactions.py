"""The account's balance: one transaction per movement of money, for the object that moved it."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

AVAILABLE_AFTER_S = 2 * 86_400

# type → the category that reports gather it under; `payment…` is for all that is no card
_CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "payment_refund": "refund",
    "refund": "refund",
    "refund_failure": "refund_failure",
}


def book(tx: Tx, type_: str, source: Json, amount: int, *, fee: int = 0) -> Json:
    """Move this much for `source`; what comes in is available later, what goes out is gone."""
    currency = source["currency"]
    comes_in = _CATEGORIES[type_] == "charge"
    transaction = {
        "id": new_id("txn"),
        "amount": amount,
        "available_on": int(tx.now) + (AVAILABLE_AFTER_S if comes_in else 0),
        "created": int(tx.now),
        "currency": currency,
        "description": source.get("description"),
        "fee": fee,
        "fee_details": [_fee(fee, currency)] if fee else [],
        "net": amount - fee,
        "reporting_category": _CATEGORIES[type_],
        "source": source["id"],
        "status": "pending" if comes_in else "available",
        "type": type_,
    }
    tx.insert("balance_transaction", transaction, parent=source["id"])
    return transaction


def _fee(amount: int, currency: str) -> Json:
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
