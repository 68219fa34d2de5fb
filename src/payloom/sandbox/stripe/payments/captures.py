"""Authorizations: held for the merchant, who captures all or a part, cancels, or lets them expire.

Since basil neither a partial capture nor a cancellation makes a refund
(docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow).
"""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.payments import charges, delayed, intents
from payloom.sandbox.stripe.payments.owners import Later, tell

Json = dict[str, Any]

EXPIRE = "stripe.authorization_expires"
HELD_S = 7 * 86_400  # docs.stripe.com/payments/place-a-hold-on-a-payment-method


def is_manual(intent: Json, type_: str = "card") -> bool:
    """Whether what this kind of method pays is only held at first."""
    options = intent.get("payment_method_options", {}).get(type_, {})
    return "manual" in (intent["capture_method"], options.get("capture_method"))


def hold(tx: Tx, intent: Json, method: Json, charge: Json, outcome: Json) -> None:
    """The bank keeps the money for the merchant, for as long as it does."""
    details = charge["payment_method_details"]
    if "card" in details:  # of all methods, only a card's charge says until when
        details["card"]["capture_before"] = int(tx.now) + HELD_S
    charges.authorize(tx, charge, outcome)
    intents.hold(tx, intent, method, charge)
    agenda.schedule(tx, EXPIRE, intent["id"], tx.now + HELD_S)


def capture(tx: Tx, intent: Json, amount: int) -> None:
    """Take this much of what is held; the rest is let go."""
    charge, method = _held(tx, intent)
    agenda.cancel(tx, EXPIRE, intent["id"])
    charges.capture(tx, charge, amount)
    intents.succeed(tx, intent, method, charge)
    tell(tx, intent, Later.SUCCEEDED)


def cancel(tx: Tx, intent: Json, reason: str | None) -> None:
    """End an intent in any state but its last ones; what is held, or under way, is let go."""
    agenda.cancel(tx, EXPIRE, intent["id"])
    delayed.forget(tx, intent)
    intents.cancel(tx, intent, reason)
    tell(tx, intent, Later.CANCELED)


def expire(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: nobody captured, and the bank lets the money go."""
    agenda.finish(tx, timer)
    intent = tx.load(intents.KIND, timer.ref)
    if intent is None or intent["status"] != "requires_capture":
        return
    charge, _ = _held(tx, intent)
    charges.expire(tx, charge)
    intents.cancel(tx, intent, "expired")
    tell(tx, intent, Later.CANCELED)


def _held(tx: Tx, intent: Json) -> tuple[Json, Json]:
    charge = tx.load("charge", intent["latest_charge"])
    method = tx.load("payment_method", intent["payment_method"])
    if charge is None or method is None:
        raise LookupError(f"payment intent {intent['id']} names an object that is not there")
    return charge, method
