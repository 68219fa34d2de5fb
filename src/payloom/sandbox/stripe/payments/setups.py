"""Setup intents as they are kept, and one try to set a method up.

A try is like one to pay (`confirm.py`), but that no bank is asked for money: a card that would
decline at once is refused, one that wants its owner to authenticate asks for that.
"""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.payments import confirm, intents, saving, setup_attempts
from payloom.sandbox.stripe.payments.confirm import How, Outcome, Tried
from payloom.sandbox.stripe.protocol.errors import Failure
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

KIND = "setup_intent"
AUTHENTICATION_FAILED = Failure(
    code="setup_intent_authentication_failure",
    message=(
        "The latest attempt to set up the payment method has failed because authentication failed."
    ),
)


def make(tx: Tx, given: Json) -> Json:
    """A new setup intent: `payment_method_types`, and what else was given."""
    id_ = new_id("seti")
    setup = {
        "id": id_,
        "client_secret": f"{id_}_secret_{new_id('x')[2:]}",
        "created": int(tx.now),
        "livemode": tx.tenant.livemode,
        "metadata": {},
        "status": "requires_payment_method",
        "usage": "off_session",
        **given,
    }
    tx.insert(KIND, setup)
    emit(tx, "setup_intent.created", KIND, setup)
    return setup


def attempt(tx: Tx, setup: Json, method: Json, how: How) -> Tried:
    """Try to set up this kept payment method."""
    setup.pop("_pending", None)
    setup_attempts.begin(tx, setup, method)
    if method["type"] == "card":
        card = payment_methods.card_of(method, how.secret)
        if card.decline is not None and not card.can_be_saved:
            return _refuse(tx, setup, method, card.decline)
        if confirm.asks(card, method, setup, off_session=False):
            return _ask(tx, setup, method, how)
    return _succeed(tx, setup, method)


def resume(tx: Tx, setup: Json, *, passed: bool) -> Tried | None:
    """Go on after the shopper was asked; None when nobody is."""
    method = tx.load("payment_method", setup.pop("_pending", ""))
    if method is None:
        return None
    if not passed:
        return _refuse(tx, setup, method, AUTHENTICATION_FAILED)
    return _succeed(tx, setup, method)


def cancel(tx: Tx, setup: Json, reason: str | None) -> None:
    setup.pop("_pending", None)
    setup |= {"cancellation_reason": reason, "next_action": None, "status": "canceled"}
    tx.save(setup)
    emit(tx, "setup_intent.canceled", KIND, setup)


def _succeed(tx: Tx, setup: Json, method: Json) -> Tried:
    saving.save(tx, setup, method)
    setup_attempts.end(tx, setup, "succeeded")
    setup |= {
        "last_setup_error": None,
        "mandate": saving.mandate(tx, method, setup.pop("_acceptance", {})),
        "next_action": None,
        "payment_method": method["id"],
        "status": "succeeded",
    }
    tx.save(setup)
    emit(tx, "setup_intent.succeeded", KIND, setup)
    return Tried(Outcome.DONE, setup)


def _ask(tx: Tx, setup: Json, method: Json, how: How) -> Tried:
    setup_attempts.end(tx, setup, "requires_action")
    setup |= {
        "next_action": confirm.next_action(how),
        "payment_method": method["id"],
        "status": "requires_action",
        "_pending": method["id"],
    }
    tx.save(setup)
    emit(tx, "setup_intent.requires_action", KIND, setup)
    return Tried(Outcome.ACTION, setup)


def _refuse(tx: Tx, setup: Json, method: Json, failure: Failure) -> Tried:
    error = intents.error_of(method, failure, charge=None)
    if failure.decline_code:
        error["type"] = "card_error"
    setup_attempts.end(tx, setup, "failed", error=error)
    setup |= {
        "last_setup_error": error,
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    tx.save(setup)
    emit(tx, "setup_intent.setup_failed", KIND, setup)
    return Tried(Outcome.DECLINED, setup, failure)
