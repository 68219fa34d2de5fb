"""Where the shopper decides on a payment: a bank's challenge, another site, an app, or a code.

The same pages serve sessions and payment intents without one; the stand-in of each shows what it
asks for, and two buttons.
"""

import io
from typing import Any

import segno
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from payloom.sandbox.stripe.methods import redirects
from payloom.sandbox.stripe.methods.offers import TITLES
from payloom.sandbox.stripe.page.order import facts
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.stripe.page.visit import Visit
from payloom.sandbox.stripe.payments import confirm

Json = dict[str, Any]

DECISIONS = ("complete", "fail")


def challenge_path(visit: Visit) -> str:
    """Where the decision is asked for, and taken."""
    return f"{visit.path}/authenticate" if visit.is_session else visit.path


def ask(visit: Visit, intent: Json) -> Response:
    """The page of a payment that waits for its shopper."""
    method = _pending(visit, intent)
    if redirects.shows_code(method):
        return _code(visit, intent, method)
    return _decide(visit, method)


def in_app(visit: Visit) -> Response:
    """What the shopper's phone would show after scanning the code."""
    intent = visit.intent()
    if not confirm.is_waiting(intent):
        return RedirectResponse(challenge_path(visit), 303)
    return _decide(visit, _pending(visit, intent))


def image(visit: Visit) -> Response:
    """The code by itself, as the API's `image_url_…` name it."""
    intent = visit.intent()
    if not confirm.is_waiting(intent):
        return Response(status_code=404)
    code = segno.make(_payload(visit), micro=False)
    form = visit.sent.names["form"]
    if form not in _IMAGES:
        return Response(status_code=404)
    return Response(_image(code, form), media_type=_IMAGES[form])


def decision(visit: Visit) -> str:
    """`complete` or `fail`; empty where the form says neither, or is not ours."""
    wanted = visit.form.get("action")
    return wanted if visit.is_ours() and wanted in DECISIONS else ""


def _decide(visit: Visit, method: Json) -> Response:
    more = {"action": challenge_path(visit), "back": visit.path if visit.is_session else None}
    if method["type"] == "card":
        return page("authenticate.html", 200, {**facts(visit), **more}, visit.language)
    more["method"] = TITLES[method["type"]]
    return page("approve.html", 200, {**facts(visit), **more}, visit.language)


def _code(visit: Visit, intent: Json, method: Json) -> Response:
    code = segno.make(_payload(visit), micro=False)
    svg = code.svg_inline(scale=6, border=2, omitsize=True, svgclass="qr", lineclass=None)
    until = _expires_at(intent)
    more = {
        "method": TITLES[method["type"]],
        "code": Markup(svg),  # noqa: S704 made of our own address
        "app": f"{challenge_path(visit)}/app",
        "check": challenge_path(visit),
        "until": visit.language.hour(until) if until else None,
        "back": visit.path if visit.is_session else None,
    }
    return page("code.html", 200, {**facts(visit), **more}, visit.language)


def _payload(visit: Visit) -> str:
    """What the code says: where the stand-in for the app is."""
    return f"{visit.sent.base_url}{challenge_path(visit)}/app"


_IMAGES = {"png": "image/png", "svg": "image/svg+xml"}


def _image(code: segno.QRCode, kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "svg":
        code.save(out, kind="svg", scale=8, xmldecl=False)
    else:
        code.save(out, kind="png", scale=8)
    return out.getvalue()


def _expires_at(intent: Json) -> int | None:
    action = intent["next_action"]
    given = action[action["type"]]
    until: int | None = given.get("expires_at") or given.get("qr_code", {}).get("expires_at")
    return until


def _pending(visit: Visit, intent: Json) -> Json:
    method = visit.tx.load("payment_method", intent["_pending"])
    if method is None:
        raise LookupError(f"payment intent {intent['id']} waits for a method that is not there")
    return method
