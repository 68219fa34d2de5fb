"""Paying a checkout session: its payment intent is tried, and the page ends when that is done.

The same flow serves the hosted page and the API's payment pages.
"""

from dataclasses import dataclass
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.checkout.completion import complete, customer_of
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.methods import options
from payloom.sandbox.stripe.payments import confirm, intents, setups
from payloom.sandbox.stripe.payments.confirm import How, Outcome, Tried
from payloom.sandbox.stripe.payments.owners import Later, owner_of
from payloom.sandbox.stripe.protocol.errors import Failure

Json = dict[str, Any]

KIND = "checkout.session"


@dataclass(frozen=True, slots=True)
class Paid:
    outcome: Outcome
    intent: Json | None = None
    failure: Failure | None = None
    completed_event: str | None = None


def pay(tx: Tx, session: Json, method: Json, secret: bytes, *, url: str, by_page: bool) -> Paid:
    """Try to pay an open session with this payment method. `url`: of its hosted page.

    In setup mode the method is set up instead.
    """
    customer = customer_of(tx, session, method["billing_details"])
    how = How(
        secret,
        action_url=f"{url}/authenticate",
        voucher_url=f"{url}/voucher",
        return_url=url,
        by_page=by_page,
    )
    if session["mode"] == "setup":
        setup = tried_of(tx, session) | {"customer": customer}
        return _after(tx, session, setups.attempt(tx, setup, method, how))
    return _after(tx, session, confirm.attempt(tx, _intent(tx, session), method, how))


def pay_nothing(tx: Tx, session: Json, billing: Json) -> Paid:
    """Complete a session whose total is nothing: no payment is made."""
    event = complete(tx, session, billing, payment_status="no_payment_required")
    return Paid(Outcome.DONE, completed_event=event)


def resume(tx: Tx, session: Json, secret: bytes, *, passed: bool) -> Paid | None:
    """Go on after the challenge; None when no challenge is waiting."""
    tried = tried_of(tx, session)
    if session["mode"] == "setup":
        done = setups.resume(tx, tried, passed=passed)
    else:
        done = confirm.resume(tx, tried, secret, passed=passed)
    return _after(tx, session, done) if done else None


def is_waiting(tx: Tx, session: Json) -> bool:
    """Whether the shopper is to authenticate or approve."""
    return confirm.is_waiting(tried_of(tx, session))


def tried_of(tx: Tx, session: Json) -> Json:
    """The payment intent or setup intent of the session; empty before the first try to pay."""
    if session["mode"] == "setup":
        return tx.load(setups.KIND, session["setup_intent"]) or {}
    return tx.load(intents.KIND, session.get("payment_intent") or "") or {}


def follow(tx: Tx, intent: Json, later: Later) -> None:
    """What became of the payment after the page had ended."""
    session = owner_of(tx, intent, KIND)
    if session is None or session["status"] != "complete":
        return
    if later is Later.SUCCEEDED:
        session["payment_status"] = "paid"
        tx.save(session)
    if intent.get("_delayed") and later is not Later.CANCELED:
        word = "succeeded" if later is Later.SUCCEEDED else "failed"
        emit(tx, f"checkout.session.async_payment_{word}", KIND, session)


def _after(tx: Tx, session: Json, tried: Tried) -> Paid:
    if tried.outcome is not Outcome.DONE:
        return Paid(tried.outcome, tried.intent, tried.failure)
    method = tx.load("payment_method", tried.intent["payment_method"])
    if method is None:
        raise LookupError(f"payment intent {tried.intent['id']} names a method that is not there")
    status = "paid" if tried.intent["status"] == "succeeded" else "unpaid"
    if session["mode"] == "setup":
        status = "no_payment_required"
    event = complete(tx, session, method["billing_details"], payment_status=status)
    return Paid(Outcome.DONE, tried.intent, completed_event=event)


def _intent(tx: Tx, session: Json) -> Json:
    """The session's payment intent: it exists from the first try on."""
    if session.get("payment_intent"):
        intent = tx.load(intents.KIND, session["payment_intent"])
        if intent is None:
            raise LookupError(f"session {session['id']} names a payment intent that is not there")
        return intent
    intent = intents.make(tx, _given(session))
    session["payment_intent"] = intent["id"]
    tx.save(session)
    tx.set_parent(session["id"], intent["id"])
    return intent


def _given(session: Json) -> Json:
    data: Json = session["_intent"]
    return {
        "amount": session["amount_total"],
        "currency": session["currency"],
        "payment_method_types": session["payment_method_types"],
        **{name: data[name] for name in intents.BLANK if name in data},
        "metadata": data.get("metadata", {}),
        "capture_method": data.get("capture_method", "automatic_async"),
        **options.of_intent(
            session["payment_method_types"], session.get("payment_method_options", {})
        ),
        **({"customer": session["customer"]} if session.get("customer") else {}),
        "_owner": KIND,
    }
