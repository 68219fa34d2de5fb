"""The routes of the hosted page: show it, take the card, let the shopper authenticate."""

import hmac
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from payloom.sandbox.runtime import Runtime
from payloom.sandbox.stripe import pay
from payloom.sandbox.stripe.cards import CARDS, NOT_A_TEST_CARD
from payloom.sandbox.stripe.page import card_form
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.stripe.page.visit import Action, Visit, answer
from payloom.sandbox.stripe.pay import Outcome, Paid
from payloom.sandbox.stripe.payment_methods import CardDetails, billing_details, keep

Json = dict[str, Any]


def routes(rt: Runtime) -> list[Route]:
    def route(path: str, method: str, action: Action) -> Route:
        async def endpoint(request: Request) -> Response:
            return await answer(rt, request, action)

        return Route(path, endpoint, methods=[method])

    return [
        route("/c/pay/{id}", "GET", show),
        route("/c/pay/{id}", "POST", submit),
        route("/c/pay/{id}/authenticate", "GET", show_challenge),
        route("/c/pay/{id}/authenticate", "POST", end_challenge),
    ]


def show(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    return _pay_page(visit, message=_last_decline(visit) if "declined" in visit.query else "")


def submit(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    if not _is_ours(visit):
        return _pay_page(visit, status=403, message="This page is out of date. Please try again.")
    typed = card_form.read(visit.form)
    free = visit.session["amount_total"] == 0
    _remember_shopper(visit, typed)
    if found := card_form.problems(typed, visit.today, with_card=not free):
        return _pay_page(visit, status=422, problems=found)
    billing = billing_details(
        {"email": typed.email, "name": typed.name or None, "address": {"country": typed.country}}
    )
    if free:
        return _after(visit, pay.pay_nothing(visit.tx, visit.session, billing))
    card = CARDS.get(typed.number)
    if card is None:
        return _pay_page(visit, status=402, message=NOT_A_TEST_CARD.message)
    details = CardDetails(card, *typed.month_and_year(), cvc_given=True)
    method = keep(visit.tx, details, billing, visit.secret)
    challenge_url = f"{visit.session['url']}/authenticate"
    paid = pay.pay(visit.tx, visit.session, method, visit.secret, challenge_url=challenge_url)
    return _after(visit, paid)


def show_challenge(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    if not pay.challenge_waits(visit.tx, visit.session):
        return RedirectResponse(visit.path, 303)
    return page("authenticate.html", 200, _common(visit))


def end_challenge(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    if not _is_ours(visit) or visit.form.get("action") not in ("complete", "fail"):
        return RedirectResponse(f"{visit.path}/authenticate", 303)
    passed = visit.form["action"] == "complete"
    paid = pay.authenticate(visit.tx, visit.session, visit.secret, passed=passed)
    return _after(visit, paid) if paid else RedirectResponse(visit.path, 303)


def _is_ours(visit: Visit) -> bool:
    token = visit.form.get("token", "")
    return isinstance(token, str) and hmac.compare_digest(
        token.encode("utf-8", "replace"), visit.token().encode()
    )


def _after(visit: Visit, paid: Paid) -> Response:
    if paid.outcome is Outcome.PAID:
        visit.awaited_event = paid.completed_event
        return RedirectResponse(_success_url(visit.session), 303)
    if paid.outcome is Outcome.CHALLENGE:
        return RedirectResponse(f"{visit.path}/authenticate", 303)
    return RedirectResponse(f"{visit.path}?declined=1", 303)


def _success_url(session: Json) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _last_decline(visit: Visit) -> str:
    intent = visit.tx.load("payment_intent", visit.session.get("payment_intent") or "") or {}
    error = intent.get("last_payment_error")
    return str(error["message"]) if error else ""


def _remember_shopper(visit: Visit, typed: card_form.CardForm) -> None:
    """What need not be typed again after a decline; nothing of the card."""
    visit.session["_shopper"] = {
        "email": typed.email,
        "billingName": typed.name,
        "billingCountry": typed.country,
    }
    visit.tx.save(visit.session)


def _pay_page(
    visit: Visit, *, status: int = 200, problems: dict[str, str] | None = None, message: str = ""
) -> Response:
    shopper = visit.session.get("_shopper", {})
    locked_email = visit.session.get("customer_email")
    values = {
        "email": locked_email or shopper.get("email", ""),
        "billingName": shopper.get("billingName", ""),
        "billingCountry": shopper.get("billingCountry") or "US",
        "cardExpiry": "",
    }
    more = {
        "values": values,
        "email_is_locked": bool(locked_email),
        "problems": problems or {},
        "message": message,
    }
    return page("pay.html", status, _common(visit) | more)


def _common(visit: Visit) -> Json:
    session = visit.session
    return {
        "session": session,
        "items": session["_items"],
        "shop": (session.get("branding_settings") or {}).get("display_name") or "Sandbox shop",
        "cancel_url": session.get("cancel_url"),
        "path": visit.path,
        "token": visit.token(),
        "livemode": session["livemode"],
        "verb": _VERBS.get(session.get("submit_type") or "pay", "Pay"),
    }


_VERBS = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}


def _closed(visit: Visit) -> Response:
    session = visit.session
    if session["status"] == "complete":
        notice = {
            "title": "Already paid",
            "text": "This payment is complete. You have not been charged again.",
            "link": _success_url(session),
            "link_text": "Continue to the shop",
            "tone": "good",
        }
        return page("notice.html", 200, _common(visit) | notice)
    expired: Json = {
        "title": "This page has expired",
        "text": "The time to pay is over. Nothing was charged. Go back to the shop to try again.",
        "link": session.get("cancel_url"),
        "link_text": "Back to the shop",
        "tone": "over",
    }
    return page("notice.html", 410, _common(visit) | expired)
