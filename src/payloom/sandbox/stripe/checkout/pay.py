"""Paying a checkout session: what the shopper's method does to session, payment intent and charge.

The same flow serves the hosted page and the API's payment pages. Every step takes an open session
and a kept payment method, writes, tells, and answers what happened. Cards are decided here and
now; what a bank or a counter decides later is in `delayed.py`.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.checkout.completion import complete
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.methods.cards import Card
from payloom.sandbox.stripe.payments import charges, delayed, intents
from payloom.sandbox.stripe.payments.card_charges import card_details, card_outcome
from payloom.sandbox.stripe.protocol.errors import Failure

Json = dict[str, Any]

AUTHENTICATION_FAILED = Failure(
    code="payment_intent_authentication_failure",
    message=(
        "We are unable to authenticate your payment method. Please choose a different payment"
        " method and try again."
    ),
)


class Outcome(Enum):
    COMPLETED = auto()  # on the shopper's side: paid, or left to a bank
    DECLINED = auto()
    CHALLENGE = auto()  # the shopper must authenticate first


@dataclass(frozen=True, slots=True)
class Paid:
    outcome: Outcome
    intent: Json | None = None
    failure: Failure | None = None
    completed_event: str | None = None


def pay(tx: Tx, session: Json, method: Json, secret: bytes, *, page_url: str) -> Paid:
    """Try to pay an open session with this payment method."""
    intent = intents.of_session(tx, session)
    if method["type"] != "card":
        intent.pop("_pending", None)
        event = delayed.submit(tx, session, intent, method, page_url=page_url)
        return Paid(Outcome.COMPLETED, intent, completed_event=event)
    card = payment_methods.card_of(method, secret)
    if _needs_challenge(session, card):
        return _challenge(tx, intent, method, f"{page_url}/authenticate")
    return _charge(tx, session, intent, method, card=card, challenged=False)


def pay_nothing(tx: Tx, session: Json, billing: Json) -> Paid:
    """Complete a session whose total is nothing: no payment is made."""
    event = complete(tx, session, billing, payment_status="no_payment_required")
    return Paid(Outcome.COMPLETED, completed_event=event)


def authenticate(tx: Tx, session: Json, secret: bytes, *, passed: bool) -> Paid | None:
    """Go on after the challenge; None when no challenge is waiting."""
    intent = _challenged(tx, session)
    method = tx.load("payment_method", intent.pop("_pending")) if intent else None
    if intent is None or method is None:
        return None
    intent["next_action"] = None
    if not passed:
        return _refuse(tx, intent, method, AUTHENTICATION_FAILED, charge=None)
    card = payment_methods.card_of(method, secret)
    return _charge(tx, session, intent, method, card=card, challenged=True)


def challenge_waits(tx: Tx, session: Json) -> bool:
    return _challenged(tx, session) is not None


def _challenged(tx: Tx, session: Json) -> Json | None:
    """The payment intent, if its shopper is to authenticate."""
    intent = tx.load("payment_intent", session.get("payment_intent") or "")
    return intent if intent is not None and "_pending" in intent else None


def _needs_challenge(session: Json, card: Card) -> bool:
    wanted = intents.three_d_secure(session)
    return card.three_d_secure == "required" or (
        card.three_d_secure == "optional" and wanted in ("any", "challenge")
    )


def _challenge(tx: Tx, intent: Json, method: Json, url: str) -> Paid:
    action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}}
    intent |= {"next_action": action, "_pending": method["id"]}
    intents.wait(tx, intent, method, "requires_action")
    return Paid(Outcome.CHALLENGE, intent)


def _charge(
    tx: Tx, session: Json, intent: Json, method: Json, *, card: Card, challenged: bool
) -> Paid:
    details = card_details(intent["amount"], method, card, challenged=challenged)
    charge = charges.begin(tx, intent, method, details)
    if card.decline is not None:
        charges.fail(tx, charge, card.decline, card_outcome(card))
        return _refuse(tx, intent, method, card.decline, charge=charge["id"])
    charges.succeed(tx, charge, card_outcome(card))
    intents.succeed(tx, intent, method, charge)
    event = complete(tx, session, method["billing_details"], payment_status="paid")
    return Paid(Outcome.COMPLETED, intent, completed_event=event)


def _refuse(tx: Tx, intent: Json, method: Json, failure: Failure, *, charge: str | None) -> Paid:
    """The try failed; the session stays open for another."""
    intents.refuse(tx, intent, method, failure, charge=charge)
    return Paid(Outcome.DECLINED, intent, failure)
