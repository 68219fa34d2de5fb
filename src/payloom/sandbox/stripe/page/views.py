"""The routes of the hosted page: show it, take the card, let the shopper authenticate."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from payloom.sandbox import forms
from payloom.sandbox.log import Entry
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant, Tx
from payloom.sandbox.stripe import pay
from payloom.sandbox.stripe.cards import CARDS, NOT_A_TEST_CARD
from payloom.sandbox.stripe.page import card_form
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.stripe.pay import Outcome, Paid
from payloom.sandbox.stripe.payment_methods import CardDetails, billing_details, keep
from payloom.sandbox.wire import Dropped, broken

Json = dict[str, Any]

ANSWER_WAIT_S = 10  # for the merchant's answer to checkout.session.completed
FORM_MAX = 64 * 1024
LATE_S = 5.0


@dataclass(slots=True)
class Visit:
    """One request of a shopper, inside its transaction."""

    tx: Tx
    session: Json
    form: Json
    query: Json
    secret: bytes
    awaited_event: str | None = None  # to be answered before the shopper is sent on

    @property
    def path(self) -> str:
        return f"/c/pay/{self.session['id']}"

    @property
    def today(self) -> datetime:
        return datetime.fromtimestamp(self.tx.now, UTC)

    def token(self) -> str:
        """Proves that a form came from this session's page."""
        message = f"form:{self.session['id']}".encode()
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()


Action = Callable[[Visit], Response]


def routes(rt: Runtime) -> list[Route]:
    def route(path: str, method: str, action: Action) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answer(rt, request, action)

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
    return _after(visit, pay.pay(visit.tx, visit.session, method, visit.secret, challenge_url))


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


async def _answer(rt: Runtime, request: Request, action: Action) -> Response:
    session_id = request.path_params["id"]
    owner = rt.store.owner(session_id)
    if owner is None:
        return _missing()
    tenant = rt.tenants.get(owner)
    entry = Entry(time.time(), request.method, request.scope["path"], object=session_id)
    form = await _form(request) if request.method == "POST" else {}
    fault = rt.faults.take_for_request(tenant, request.method, entry.path)
    entry.effect = fault.effect if fault else None
    if fault and fault.effect == "late":
        await asyncio.sleep(LATE_S if fault.delay_s is None else fault.delay_s)
    if fault and fault.effect in ("drop", "status"):
        entry.status = fault.status
        _write(rt, tenant, entry)
        return Dropped() if fault.status is None else _failing(fault.status)
    query = dict(request.query_params)
    response = await _visit(rt, tenant, entry, action, form, query)
    return broken(response, entry.effect)


async def _visit(
    rt: Runtime, tenant: Tenant, entry: Entry, action: Action, form: Json, query: Json
) -> Response:
    with rt.transaction(tenant) as tx:
        session = tx.load("checkout.session", entry.object or "")
        if session is None or not (session.get("ui_mode") or "").startswith("hosted"):
            return _missing()
        visit = Visit(tx, session, form, query, rt.store.secret)
        response = action(visit)
        entry.status = response.status_code
        rt.log.write(tx, entry)
    if visit.awaited_event:
        await rt.deliveries.first_try(visit.awaited_event, ANSWER_WAIT_S)
    return response


async def _form(request: Request) -> Json:
    """The form, empty if it is not one: an empty form is refused by its missing token."""
    if not _same_origin(request):
        return {}
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MAX:
            return {}
    try:
        return forms.decode(bytes(body))
    except forms.BadForm:
        return {}


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _write(rt: Runtime, tenant: Tenant, entry: Entry) -> None:
    with rt.transaction(tenant) as tx:
        rt.log.write(tx, entry)


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


def _missing() -> Response:
    notice = {
        "title": "Page not found",
        "text": "There is no checkout under this address. Check the link, or go back to the shop.",
    }
    return page("notice.html", 404, _nothing_known() | notice)


def _failing(status: int) -> Response:
    notice = {"title": "Something went wrong", "text": "Please try again in a moment."}
    return page("notice.html", status, _nothing_known() | notice)


def _nothing_known() -> Json:
    return {"session": None, "livemode": False, "shop": "", "link": None, "tone": "over"}
