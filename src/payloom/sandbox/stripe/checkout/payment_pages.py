"""The two paths by which a session is paid without its page: by the CLI, by a load generator."""

from typing import Any

from payloom.sandbox.stripe.checkout.pay import pay, pay_nothing
from payloom.sandbox.stripe.customers import attaching
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.methods.payment_methods import billing_details
from payloom.sandbox.stripe.payments import payment_intents, setup_intents
from payloom.sandbox.stripe.payments.confirm import Outcome, Tried
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call, Reply
from payloom.sandbox.stripe.protocol.errors import invalid, missing_parameter, no_such, wrong_state
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

_CONFIRM: dict[str, params.Check] = {
    "expand": params.EXPAND,
    "expected_amount": params.integer(0),
    "payment_method": params.text(),
}


def retrieve(call: Call) -> Json:
    params.read(call.form, {"expand": params.EXPAND})
    return _page(_find(call))


def confirm(call: Call) -> Json | Reply:
    asked = params.read(call.form, _CONFIRM)
    session = _find(call)
    if session["status"] != "open" and not _is_late(call, session, asked):
        raise wrong_state(
            f"This Checkout Session is {session['status']} and can no longer be paid.",
            code="payment_intent_unexpected_state",
        )
    total = session["amount_total"] if session["mode"] == "payment" else 0
    if asked.get("expected_amount", total) != total:
        raise invalid(
            "The expected amount does not match the total of this Checkout Session.",
            param="expected_amount",
            code="checkout_amount_mismatch",
        )
    if session["mode"] == "payment" and total == 0:
        pay_nothing(call.tx, session, billing_details({}))
        return _page(session)
    if "payment_method" not in asked:
        raise missing_parameter("payment_method")
    method = payment_methods.find(
        call.tx, asked["payment_method"], call.secret, param="payment_method"
    )
    attaching.check_is_usable(method)
    if method["type"] not in session["payment_method_types"]:
        raise invalid(
            f"This Checkout Session does not take a PaymentMethod of type {method['type']}. It"
            f" takes: {', '.join(session['payment_method_types'])}.",
            param="payment_method",
            code="payment_intent_incompatible_payment_method",
        )
    url = f"{call.base_url}/c/pay/{session['id']}"
    paid = pay(call.tx, session, method, call.secret, url=url, by_page=False)
    if paid.outcome is Outcome.DECLINED and paid.intent:
        answer = setup_intents.answer if session["mode"] == "setup" else payment_intents.answer
        return answer(Tried(paid.outcome, paid.intent, paid.failure), method)
    return _page(session, paid.intent)


def _is_late(call: Call, session: Json, asked: Json) -> bool:
    """Whether this card pays although the page has expired."""
    method = call.tx.load("payment_method", asked.get("payment_method", ""))
    if session["status"] != "expired" or method is None or method["type"] != "card":
        return False
    return payment_methods.card_of(method, call.secret).pays_late


def _find(call: Call) -> Json:
    session = call.tx.load("checkout.session", call.ids[0])
    if session is None:
        raise no_such("payment_page", call.ids[0], param="payment_page")
    return session


def _page(session: Json, intent: Json | None = None) -> Json:
    """The session under the page's id, with its payment or setup intent where there was a try."""
    page = render("checkout.session", session)
    page |= {"id": f"ppage_{session['id'][-24:]}", "session_id": session["id"]}
    if intent is not None:
        kind = "setup_intent" if session["mode"] == "setup" else "payment_intent"
        page[kind] = render(kind, intent)
    return page
