"""One try to pay a payment intent: by whom it is made is all the same.

A card is decided here and now, after a challenge where one is asked for. What a bank or a counter
decides later is in `delayed.py`, what the shopper approves elsewhere in `approvals.py`, what the
merchant does with an authorization in `captures.py`.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.methods.cards import Card
from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from payloom.sandbox.stripe.payments import approvals, captures, charges, delayed, intents
from payloom.sandbox.stripe.payments.card_charges import card_details, card_outcome
from payloom.sandbox.stripe.protocol.errors import Failure
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

AUTHENTICATION_FAILED = Failure(
    code="payment_intent_authentication_failure",
    message=(
        "We are unable to authenticate your payment method. Please choose a different payment"
        " method and try again."
    ),
)
AUTHENTICATION_REQUIRED = Failure(
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This transaction requires authentication.",
)


@dataclass(frozen=True, slots=True)
class How:
    """What a try needs besides the intent and the method."""

    secret: bytes  # the store's, by which a card is known again
    action_url: str  # of the page where the shopper authenticates or approves
    voucher_url: str
    return_url: str | None = None  # where that page leads; None: the client has to look again
    off_session: bool = False  # the shopper is not there to be asked
    no_action: bool = False  # rather fail than ask the shopper
    by_page: bool = False  # the shopper stands before the hosted page


class Outcome(Enum):
    DONE = auto()  # on the shopper's side: paid, authorized, or left to a bank
    DECLINED = auto()
    ACTION = auto()  # the shopper must authenticate or approve first


@dataclass(frozen=True, slots=True)
class Tried:
    outcome: Outcome
    intent: Json
    failure: Failure | None = None  # of what was declined


def attempt(tx: Tx, intent: Json, method: Json, how: How) -> Tried:
    """Try to pay by this kept payment method."""
    if intent.pop("_pending", None):
        approvals.forget(tx, intent)
    if method["type"] in REDIRECTS:
        if how.no_action:
            return refuse(tx, intent, method, AUTHENTICATION_REQUIRED)
        approvals.ask(tx, intent, method, url=how.action_url, return_url=how.return_url)
        return Tried(Outcome.ACTION, intent)
    if method["type"] != "card":
        delayed.submit(tx, intent, method, voucher_url=how.voucher_url, by_page=how.by_page)
        return Tried(Outcome.DONE, intent)
    card = payment_methods.card_of(method, how.secret)
    if not asks(card, method, intent, off_session=how.off_session):
        return _charge(tx, intent, method, card, flow=_silent_flow(card, intent))
    if how.no_action:
        return _decline(tx, intent, method, card, AUTHENTICATION_REQUIRED)
    return _ask(tx, intent, method, how)


def resume(tx: Tx, intent: Json, secret: bytes, *, passed: bool) -> Tried | None:
    """Go on after the shopper was asked; None when nobody is."""
    method = tx.load("payment_method", intent.pop("_pending", ""))
    if method is None:
        return None
    intent["next_action"] = None
    approvals.forget(tx, intent)
    if not passed:
        return refuse(tx, intent, method, AUTHENTICATION_FAILED)
    if method["type"] in REDIRECTS:
        charge = approvals.begin(tx, intent, method)
        return _take(tx, intent, method, charge, approvals.outcome())
    card = payment_methods.card_of(method, secret)
    return _charge(tx, intent, method, card, flow="challenge")


def refuse(tx: Tx, intent: Json, method: Json, failure: Failure) -> Tried:
    """The try ends before a bank is asked."""
    intents.refuse(tx, intent, method, failure, charge=None)
    return Tried(Outcome.DECLINED, intent, failure)


def is_waiting(intent: Json) -> bool:
    """Whether the shopper is to authenticate or approve."""
    return "_pending" in intent


def asks(card: Card, method: Json, intent: Json, *, off_session: bool) -> bool:
    """Whether the bank wants the shopper to authenticate."""
    if card.three_d_secure == "optional":
        return intents.three_d_secure(intent) == "challenge"
    if card.three_d_secure == "unless_set_up":
        return not (off_session and method.get("_set_up"))
    if card.three_d_secure == "on_session":
        return not off_session
    return card.three_d_secure == "required"


def _silent_flow(card: Card, intent: Json) -> str:
    """How the bank knew the shopper without asking, where the merchant wished for 3-D Secure."""
    wished = intents.three_d_secure(intent) in ("any", "challenge")
    if not wished or card.brand == "amex":  # docs.stripe.com/testing: the Amex test cards lack it
        return ""
    return "frictionless" if card.three_d_secure == "optional" else "not_enrolled"


def next_action(how: How) -> Json:
    """Where the shopper authenticates: by a redirect, or as the client sees fit."""
    if how.return_url is None:
        challenge = {"type": "three_d_secure_redirect", "stripe_js": how.action_url}
        return {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {**challenge, "source": new_id("src")},
        }
    redirect = {"return_url": how.return_url, "url": how.action_url}
    return {"type": "redirect_to_url", "redirect_to_url": redirect}


def _ask(tx: Tx, intent: Json, method: Json, how: How) -> Tried:
    intent |= {"next_action": next_action(how), "_pending": method["id"]}
    intents.wait(tx, intent, method, "requires_action")
    return Tried(Outcome.ACTION, intent)


def _charge(tx: Tx, intent: Json, method: Json, card: Card, *, flow: str) -> Tried:
    if card.decline is not None:
        return _decline(tx, intent, method, card, card.decline, flow=flow)
    details = card_details(intent, method, card, flow=flow)
    charge = charges.begin(tx, intent, method, details)
    if card.aftermath:
        charge["_after"] = card.aftermath
    return _take(tx, intent, method, charge, card_outcome(card))


def _take(tx: Tx, intent: Json, method: Json, charge: Json, outcome: Json) -> Tried:
    """The money is there: taken at once, or held for the merchant to capture."""
    if captures.is_manual(intent, method["type"]):
        captures.hold(tx, intent, method, charge, outcome)
    else:
        charges.succeed(tx, charge, outcome)
        intents.succeed(tx, intent, method, charge)
    return Tried(Outcome.DONE, intent)


def _decline(
    tx: Tx, intent: Json, method: Json, card: Card, failure: Failure, *, flow: str = ""
) -> Tried:
    """The bank was asked and said no."""
    details = card_details(intent, method, card, flow=flow)
    charge = charges.begin(tx, intent, method, details)
    charges.fail(tx, charge, failure, card_outcome(card, failure))
    intents.refuse(tx, intent, method, failure, charge=charge["id"])
    return Tried(Outcome.DECLINED, intent, failure)
