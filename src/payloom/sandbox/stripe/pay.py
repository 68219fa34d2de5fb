"""Paying a checkout session: what the shopper's card does to session, payment intent and charge.

The same flow serves the hosted page and the API's payment pages. Every step takes an open session
and a kept payment method, writes, tells, and answers what happened.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe import charges, payment_methods
from payloom.sandbox.stripe.cards import Card, Decline
from payloom.sandbox.stripe.errors import DOCS
from payloom.sandbox.stripe.events import emit
from payloom.sandbox.stripe.ids import new_id
from payloom.sandbox.stripe.shapes import intent_card_options, render

Json = dict[str, Any]

EXPIRE = "stripe.expire_session"

AUTHENTICATION_FAILED = Decline(
    code="payment_intent_authentication_failure",
    decline_code="",
    message=(
        "We are unable to authenticate your payment method. Please choose a different payment"
        " method and try again."
    ),
    advice_code="",
)


class Outcome(Enum):
    PAID = auto()
    DECLINED = auto()
    CHALLENGE = auto()  # the shopper must authenticate first


@dataclass(frozen=True, slots=True)
class Paid:
    outcome: Outcome
    intent: Json | None = None
    decline: Decline | None = None
    completed_event: str | None = None


def pay(tx: Tx, session: Json, method: Json, secret: bytes, *, challenge_url: str) -> Paid:
    """Try to pay an open session with this payment method."""
    intent = _intent(tx, session)
    card = payment_methods.card_of(method, secret)
    if _needs_challenge(session, card):
        return _challenge(tx, intent, method, challenge_url)
    return _charge(tx, session, intent, method, card=card, challenged=False)


def pay_nothing(tx: Tx, session: Json, billing: Json) -> Paid:
    """Complete a session whose total is nothing: no payment is made."""
    _complete(session, billing, payment_status="no_payment_required")
    return Paid(Outcome.PAID, completed_event=_tell_complete(tx, session))


def authenticate(tx: Tx, session: Json, secret: bytes, *, passed: bool) -> Paid | None:
    """Go on after the challenge; None when no challenge is waiting."""
    intent = tx.load("payment_intent", session.get("payment_intent") or "")
    if intent is None or intent["status"] != "requires_action":
        return None
    method = tx.load("payment_method", intent.pop("_pending"))
    if method is None:
        return None
    intent["next_action"] = None
    card = payment_methods.card_of(method, secret)
    if not passed:
        return _refuse(tx, intent, method, AUTHENTICATION_FAILED, charge=None)
    return _charge(tx, session, intent, method, card=card, challenged=True)


def challenge_waits(tx: Tx, session: Json) -> bool:
    intent = tx.load("payment_intent", session.get("payment_intent") or "")
    return intent is not None and intent["status"] == "requires_action"


def _intent(tx: Tx, session: Json) -> Json:
    """The session's payment intent: it exists from the first try on."""
    if session.get("payment_intent"):
        intent = tx.load("payment_intent", session["payment_intent"])
        if intent is None:
            raise LookupError(f"session {session['id']} names a payment intent that is not there")
        return intent
    id_ = new_id("pi")
    data = session["_intent"]
    intent = {
        "id": id_,
        "amount": session["amount_total"],
        "client_secret": f"{id_}_secret_{new_id('x')[2:]}",
        "created": int(tx.now),
        "currency": session["currency"],
        "livemode": session["livemode"],
        "status": "requires_payment_method",
        **{name: data.get(name) for name in _FROM_DATA},
        "metadata": data.get("metadata", {}),
        "capture_method": data.get("capture_method", "automatic_async"),
    }
    if _three_d_secure(session) != "automatic":
        intent["payment_method_options"] = intent_card_options(_three_d_secure(session))
    tx.insert("payment_intent", intent)
    session["payment_intent"] = id_
    tx.save(session)
    tx.set_parent(session["id"], id_)
    emit(tx, "payment_intent.created", "payment_intent", intent)
    return intent


_FROM_DATA = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def _needs_challenge(session: Json, card: Card) -> bool:
    wanted = _three_d_secure(session)
    return card.three_d_secure == "required" or (
        card.three_d_secure == "optional" and wanted in ("any", "challenge")
    )


def _three_d_secure(session: Json) -> str:
    """When the merchant wants to have the shopper authenticated."""
    options = session.get("payment_method_options", {}).get("card", {})
    return str(options.get("request_three_d_secure", "automatic"))


def _challenge(tx: Tx, intent: Json, method: Json, url: str) -> Paid:
    intent |= {
        "status": "requires_action",
        "payment_method": method["id"],
        "next_action": {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": None, "url": url},
        },
        "_pending": method["id"],
    }
    tx.save(intent)
    emit(tx, "payment_intent.requires_action", "payment_intent", intent)
    return Paid(Outcome.CHALLENGE, intent)


def _charge(
    tx: Tx, session: Json, intent: Json, method: Json, *, card: Card, challenged: bool
) -> Paid:
    if card.decline is not None:
        charge = charges.fail(tx, intent, method, card, challenged=challenged)
        return _refuse(tx, intent, method, card.decline, charge=charge["id"])
    charge = charges.succeed(tx, intent, method, card, challenged=challenged)
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
    emit(tx, "payment_intent.succeeded", "payment_intent", intent)
    _complete(session, method["billing_details"], payment_status="paid")
    return Paid(Outcome.PAID, intent, completed_event=_tell_complete(tx, session))


def _complete(session: Json, billing: Json, *, payment_status: str) -> None:
    session |= {
        "status": "complete",
        "payment_status": payment_status,
        "url": None,
        "customer_details": {
            "address": billing["address"],
            "business_name": None,
            "email": session.get("customer_email") or billing["email"],
            "individual_name": None,
            "name": billing["name"],
            "phone": billing["phone"],
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }


def _tell_complete(tx: Tx, session: Json) -> str:
    tx.save(session)
    agenda.cancel(tx, EXPIRE, session["id"])
    return emit(tx, "checkout.session.completed", "checkout.session", session)


def _refuse(tx: Tx, intent: Json, method: Json, decline: Decline, *, charge: str | None) -> Paid:
    """The try failed; the session stays open for another."""
    intent |= {
        "last_payment_error": {
            "advice_code": decline.advice_code or None,
            "charge": charge,
            "code": decline.code,
            "decline_code": decline.decline_code or None,
            "doc_url": DOCS + decline.code.replace("_", "-"),
            "message": decline.message,
            "network_advice_code": None,
            "network_decline_code": None,
            "param": None,
            "payment_intent": None,
            "payment_method": render("payment_method", method),
            "payment_method_type": "card",
            "request_log_url": None,
            "setup_intent": None,
            "source": None,
            "type": "card_error" if charge else "invalid_request_error",
        },
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    if charge:
        intent["latest_charge"] = charge
    intent.pop("_pending", None)
    tx.save(intent)
    emit(tx, "payment_intent.payment_failed", "payment_intent", intent)
    return Paid(Outcome.DECLINED, intent, decline)
