"""The routes of the hosted page: show it, take the payment, let the shopper authenticate."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from payloom.sandbox.runtime import Runtime
from payloom.sandbox.stripe.checkout import pay
from payloom.sandbox.stripe.checkout.completion import given_email
from payloom.sandbox.stripe.checkout.pay import Paid
from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.offers import TITLES
from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.page import approve, authorize, voucher, wallets
from payloom.sandbox.stripe.page import submit as sent
from payloom.sandbox.stripe.page.closed import closed, success_url
from payloom.sandbox.stripe.page.order import facts
from payloom.sandbox.stripe.page.render import page, problem_texts
from payloom.sandbox.stripe.page.visit import INTENTS, SESSION, Action, Visit, answer
from payloom.sandbox.stripe.payments.confirm import Outcome

Json = dict[str, Any]


def routes(rt: Runtime) -> list[Route]:
    def route(path: str, method: str, action: Action, kinds: tuple[str, ...] = (SESSION,)) -> Route:
        async def endpoint(request: Request) -> Response:
            return await answer(rt, request, action, kinds)

        return Route(path, endpoint, methods=[method])

    return [
        route("/c/pay/{id}", "GET", show),
        route("/c/pay/{id}", "POST", submit),
        route("/c/pay/{id}/authenticate", "GET", show_challenge),
        route("/c/pay/{id}/authenticate", "POST", end_challenge),
        route("/c/pay/{id}/authenticate/app", "GET", show_app),
        route("/c/pay/{id}/authenticate/code.{form:str}", "GET", approve.image),
        route("/c/pay/{id}/wallet/{wallet}", "GET", show_wallet),
        route("/c/pay/{id}/wallet/{wallet}", "POST", pay_by_wallet),
        route("/c/pay/{id}/voucher", "GET", show_voucher),
        route("/c/authorize/{id}", "GET", authorize.show, INTENTS),
        route("/c/authorize/{id}", "POST", authorize.decide, INTENTS),
        route("/c/authorize/{id}/app", "GET", approve.in_app, INTENTS),
        route("/c/authorize/{id}/code.{form:str}", "GET", approve.image, INTENTS),
        route("/c/authorize/{id}/voucher", "GET", authorize.show_voucher, INTENTS),
    ]


def show(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    return _pay_page(visit, message=_last_decline(visit) if "declined" in visit.sent.query else "")


def submit(visit: Visit) -> Response:
    if visit.session["status"] != "open" and not sent.is_late(visit):
        return _closed(visit)
    if not visit.is_ours():
        return _pay_page(visit, status=403, message="This page is out of date. Please try again.")
    try:
        paid = sent.submit(visit)
    except sent.Retry as again:
        return _pay_page(visit, status=again.status, message=again.message, problems=again.problems)
    return _after(visit, paid)


def show_challenge(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    if not pay.is_waiting(visit.tx, visit.session):
        return _start_again(visit)
    return approve.ask(visit, visit.intent())


def show_app(visit: Visit) -> Response:
    return _closed(visit) if visit.session["status"] != "open" else approve.in_app(visit)


def end_challenge(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    decided = approve.decision(visit)
    if not decided:
        return RedirectResponse(f"{visit.path}/authenticate", 303)
    paid = pay.resume(visit.tx, visit.session, visit.secret, passed=decided == "complete")
    return _after(visit, paid) if paid else _start_again(visit)


def show_wallet(visit: Visit) -> Response:
    return _closed(visit) if visit.session["status"] != "open" else wallets.show(visit)


def pay_by_wallet(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    paid = wallets.decide(visit)
    return _after(visit, paid) if paid else wallets.show(visit)


def show_voucher(visit: Visit) -> Response:
    shown = None
    if visit.session["status"] == "complete":
        shown = voucher.show(visit, visit.intent(), link=success_url(visit.session))
    return shown or RedirectResponse(visit.path, 303)


def _after(visit: Visit, paid: Paid) -> Response:
    if paid.outcome is Outcome.DONE:
        visit.awaited_event = paid.completed_event
        return RedirectResponse(success_url(visit.session), 303)
    if paid.outcome is Outcome.ACTION:
        return RedirectResponse(f"{visit.path}/authenticate", 303)
    return RedirectResponse(f"{visit.path}?declined=1", 303)


def _start_again(visit: Visit) -> Response:
    """Nobody waits for a decision: it was taken, or came too late."""
    query = "?declined=1" if _last_decline(visit) else ""
    return RedirectResponse(visit.path + query, 303)


def _last_decline(visit: Visit) -> str:
    tried = visit.intent()
    error = tried.get("last_payment_error") or tried.get("last_setup_error")
    return str(error["message"]) if error else ""


def _pay_page(
    visit: Visit, *, status: int = 200, problems: dict[str, str] | None = None, message: str = ""
) -> Response:
    session = visit.session
    shopper = session.get("_shopper", {})
    locked_email = given_email(session)
    values = {**shopper, "email": locked_email or shopper.get("email", "")}
    values["billingCountry"] = shopper.get("billingCountry") or "US"
    more = {
        "session": session,
        "items": session["_items"],
        "cancel_url": session.get("cancel_url"),
        "verb": _VERBS.get(session.get("submit_type") or "pay", "Pay"),
        "values": values,
        "email_is_locked": bool(locked_email),
        "problems": problem_texts(problems or {}, visit.language),
        "message": visit.language.say(message) if message else "",
        "methods": [_method(type_) for type_ in session["payment_method_types"]],
        "wallets": wallets.offered(session),
        "chosen": sent.chosen(visit),
    }
    return page("pay.html", status, {**facts(visit), **more}, visit.language)


_VERBS = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}
_PARTS = (
    (DEBITS, "account.html"),
    (VOUCHERS, "voucher_form.html"),
    (REDIRECTS, "redirect_form.html"),
)


def _method(type_: str) -> Json:
    """What the page says of a method: its name, and the table's row that its part is made from."""
    for table, part in _PARTS:
        if type_ in table:
            return {"type": type_, "title": TITLES[type_], "part": part, "row": table[type_]}
    return {"type": type_, "title": TITLES[type_], "part": "card.html", "row": None}


def _closed(visit: Visit) -> Response:
    status, notice = closed(visit.session, visit.intent(), visit.path)
    spoken = {name: visit.language.say(notice[name]) for name in ("title", "text", "link_text")}
    return page("notice.html", status, {**facts(visit), **notice, **spoken}, visit.language)
