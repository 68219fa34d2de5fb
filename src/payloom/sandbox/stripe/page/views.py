"""The routes of the hosted page: show it, take the payment, let the shopper authenticate."""

import hmac
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from payloom.sandbox.runtime import Runtime
from payloom.sandbox.stripe.checkout import pay
from payloom.sandbox.stripe.checkout.completion import given_email
from payloom.sandbox.stripe.checkout.pay import Paid
from payloom.sandbox.stripe.methods import vouchers
from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.offers import TITLES
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.page import submit as sent
from payloom.sandbox.stripe.page.closed import closed, success_url
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.stripe.page.visit import Action, Visit, answer
from payloom.sandbox.stripe.payments.confirm import Outcome

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
        route("/c/pay/{id}/voucher", "GET", show_voucher),
    ]


def show(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    return _pay_page(visit, message=_last_decline(visit) if "declined" in visit.query else "")


def submit(visit: Visit) -> Response:
    if visit.session["status"] != "open" and not sent.is_late(visit):
        return _closed(visit)
    if not _is_ours(visit):
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
        return RedirectResponse(visit.path, 303)
    return page("authenticate.html", 200, _common(visit))


def end_challenge(visit: Visit) -> Response:
    if visit.session["status"] != "open":
        return _closed(visit)
    if not _is_ours(visit) or visit.form.get("action") not in ("complete", "fail"):
        return RedirectResponse(f"{visit.path}/authenticate", 303)
    passed = visit.form["action"] == "complete"
    paid = pay.resume(visit.tx, visit.session, visit.secret, passed=passed)
    return _after(visit, paid) if paid else RedirectResponse(visit.path, 303)


def show_voucher(visit: Visit) -> Response:
    """What to tell at the counter, for as long as it can be paid there."""
    intent = _intent(visit)
    action = intent.get("next_action") or {}
    if visit.session["status"] != "complete" or "display_details" not in action.get("type", ""):
        return RedirectResponse(visit.path, 303)
    type_ = action["type"].removesuffix("_display_details")
    given = action[action["type"]]
    more = {
        "title": VOUCHERS[type_].title,
        "counter": VOUCHERS[type_].counter,
        "facts": vouchers.facts(action),
        "until": _day(given.get("expires_at") or given["expires_after"]),
        "link": success_url(visit.session),
    }
    return page("voucher.html", 200, _common(visit) | more)


def _is_ours(visit: Visit) -> bool:
    token = visit.form.get("token", "")
    return isinstance(token, str) and hmac.compare_digest(
        token.encode("utf-8", "replace"), visit.token().encode()
    )


def _after(visit: Visit, paid: Paid) -> Response:
    if paid.outcome is Outcome.DONE:
        visit.awaited_event = paid.completed_event
        return RedirectResponse(success_url(visit.session), 303)
    if paid.outcome is Outcome.ACTION:
        return RedirectResponse(f"{visit.path}/authenticate", 303)
    return RedirectResponse(f"{visit.path}?declined=1", 303)


def _intent(visit: Visit) -> Json:
    return pay.tried_of(visit.tx, visit.session)


def _last_decline(visit: Visit) -> str:
    intent = _intent(visit)
    error = intent.get("last_payment_error") or intent.get("last_setup_error")
    return str(error["message"]) if error else ""


def _day(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%-d %B %Y}"


def _pay_page(
    visit: Visit, *, status: int = 200, problems: dict[str, str] | None = None, message: str = ""
) -> Response:
    shopper = visit.session.get("_shopper", {})
    locked_email = given_email(visit.session)
    values = {**shopper, "email": locked_email or shopper.get("email", "")}
    values["billingCountry"] = shopper.get("billingCountry") or "US"
    more = {
        "values": values,
        "email_is_locked": bool(locked_email),
        "problems": problems or {},
        "message": message,
        "methods": [_method(type_) for type_ in visit.session["payment_method_types"]],
        "chosen": sent.chosen(visit),
    }
    return page("pay.html", status, _common(visit) | more)


def _method(type_: str) -> Json:
    """What the page says of a method: its name, and the table's row that its part is made from."""
    part = "account" if type_ in DEBITS else "voucher_form" if type_ in VOUCHERS else "card"
    row = DEBITS.get(type_) or VOUCHERS.get(type_)
    return {"type": type_, "title": TITLES[type_], "part": f"{part}.html", "row": row}


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
    status, notice = closed(visit.session, _intent(visit), visit.path)
    return page("notice.html", status, _common(visit) | notice)
