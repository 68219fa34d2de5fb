"""The pages of intents without a session: challenge, approval, code and voucher.

After the decision the shopper is led to the merchant's `return_url`, with what Stripe adds to it
(docs.stripe.com/payments/payment-intents/verifying-status, and the same of setup intents).
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from payloom.sandbox.stripe.page import approve, voucher
from payloom.sandbox.stripe.page.order import facts
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.stripe.page.visit import Visit
from payloom.sandbox.stripe.payments import confirm, setups
from payloom.sandbox.stripe.payments.confirm import Outcome, Tried
from payloom.sandbox.stripe.payments.owners import Later, tell

Json = dict[str, Any]


def show(visit: Visit) -> Response:
    if confirm.is_waiting(visit.subject):
        return approve.ask(visit, visit.subject)
    return _over(visit)


def decide(visit: Visit) -> Response:
    intent = visit.subject
    decided = approve.decision(visit)
    if not decided or not confirm.is_waiting(intent):
        return RedirectResponse(visit.path, 303)
    back = _return_url(intent)
    tried = _resume(visit, passed=decided == "complete")
    went_well = tried is not None and tried.outcome is Outcome.DONE
    _tell(visit, went_well=went_well)
    if back is None:
        return _over(visit)
    return RedirectResponse(_returned(back, visit, went_well=went_well), 303)


def show_voucher(visit: Visit) -> Response:
    return voucher.show(visit, visit.subject, link=None) or _over(visit)


def _resume(visit: Visit, *, passed: bool) -> Tried | None:
    if visit.kind == setups.KIND:
        return setups.resume(visit.tx, visit.subject, passed=passed)
    return confirm.resume(visit.tx, visit.subject, visit.secret, passed=passed)


def _tell(visit: Visit, *, went_well: bool) -> None:
    """What is paid here was begun by a call whose owner waits to hear of it."""
    status = visit.subject["status"]
    if went_well and status == "succeeded":
        tell(visit.tx, visit.subject, Later.SUCCEEDED)
    elif not went_well:
        tell(visit.tx, visit.subject, Later.FAILED)


def _return_url(intent: Json) -> str | None:
    action = intent.get("next_action") or {}
    url: str | None = action.get(action.get("type", ""), {}).get("return_url")
    return url


def _returned(url: str, visit: Visit, *, went_well: bool) -> str:
    added = {
        visit.kind: visit.subject["id"],
        f"{visit.kind}_client_secret": visit.subject["client_secret"],
        "redirect_status": "succeeded" if went_well else "failed",
    }
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *added.items()]
    return parts._replace(query=urlencode(query)).geturl()


_DONE = ("succeeded", "requires_capture", "processing")


def _over(visit: Visit) -> Response:
    """Nothing is asked of the shopper here, any more or yet."""
    text = "You can close this page and go back to the shop."
    notice = {"title": "Payment approved", "tone": "good"}
    if visit.subject["status"] not in _DONE:
        text = "Nothing was charged. Go back to the shop to try again."
        notice = {"title": "Nothing to approve", "tone": "over"}
    elif visit.saves:
        text = "Your payment method is saved. There is nothing more to do."
        notice = {"title": "Already saved", "tone": "good"}
    say = visit.language.say
    spoken = {"title": say(notice["title"]), "text": say(text), "link": None}
    return page("notice.html", 200, {**facts(visit), **notice, **spoken}, visit.language)
