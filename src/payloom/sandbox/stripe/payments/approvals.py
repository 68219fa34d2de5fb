"""Payments that the shopper approves elsewhere: where they are led, and what comes of it.

What leads there is the intent's `next_action`, in the shape that the SDK's classes have for the
method. Some methods give the shopper only so long; then the try has failed.
"""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.methods import redirects
from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from payloom.sandbox.stripe.payments import charges, intents
from payloom.sandbox.stripe.payments.owners import Later, tell
from payloom.sandbox.stripe.protocol.errors import Failure

Json = dict[str, Any]

LAPSE = "stripe.approval_lapses"
USUAL_LIFE_S = 3600  # of a code, where the method has no rule of its own

LAPSED = Failure(
    code="payment_intent_payment_attempt_expired",
    message="The time to pay was over before the customer paid.",
)
# what may lead away, and needs no `return_url` all the same: the shopper has a device of their own
BY_DEVICE = frozenset({"blik", "cashapp", "swish"})


def ask(tx: Tx, intent: Json, method: Json, *, url: str, return_url: str | None) -> None:
    """Send the shopper to `url` to approve; what they decide there is for `confirm.resume`."""
    life_s = REDIRECTS[method["type"]].life_s
    expires_at = int(tx.now) + (life_s or USUAL_LIFE_S)
    action = next_action(method["type"], url, return_url, expires_at)
    intent |= {"last_payment_error": None, "next_action": action, "_pending": method["id"]}
    intents.wait(tx, intent, method, "requires_action")
    if life_s is not None:
        agenda.schedule(tx, LAPSE, intent["id"], expires_at)


def forget(tx: Tx, intent: Json) -> None:
    """Nobody waits for the shopper any more."""
    agenda.cancel(tx, LAPSE, intent["id"])


def lapse(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the code is dead, and the shopper has to begin anew."""
    agenda.finish(tx, timer)
    intent = tx.load(intents.KIND, timer.ref)
    method = tx.load("payment_method", (intent or {}).get("_pending", ""))
    if intent is not None and method is not None:
        intents.refuse(tx, intent, method, LAPSED, charge=None)
        tell(tx, intent, Later.FAILED)


def begin(tx: Tx, intent: Json, method: Json) -> Json:
    """The charge of what the shopper approved."""
    return charges.begin(tx, intent, method, redirects.charged(method))


def outcome() -> Json:
    return charges.outcome("authorized", "approved_by_network", "Payment complete.")


def next_action(type_: str, url: str, return_url: str | None, expires_at: int) -> Json:
    images = {"image_url_png": f"{url}/code.png", "image_url_svg": f"{url}/code.svg"}
    hosted = {"hosted_instructions_url": url}
    code: Json = {**images, "expires_at": expires_at}
    data = {"data": f"{url}/app"}
    shapes: dict[str, tuple[str, Json]] = {
        "alipay": (
            "alipay_handle_redirect",
            {"native_data": None, "native_url": None, "return_url": return_url, "url": url},
        ),
        "blik": ("blik_authorize", {}),
        "cashapp": (
            "cashapp_handle_redirect_or_display_qr_code",
            {**hosted, "mobile_auth_url": url, "qr_code": code},
        ),
        "paynow": ("paynow_display_qr_code", {**data, **hosted, **images}),
        "pix": ("pix_display_qr_code", {**data, **hosted, **code}),
        "promptpay": ("promptpay_display_qr_code", {**data, **hosted, **images}),
        "swish": (
            "swish_handle_redirect_or_display_qr_code",
            {**hosted, "mobile_auth_url": url, "qr_code": {**code, **data}},
        ),
        "upi": ("upi_handle_redirect_or_display_qr_code", {**hosted, "qr_code": code}),
        "wechat_pay": (
            "wechat_pay_display_qr_code",
            {**data, **hosted, **images, "image_data_url": images["image_url_png"]},
        ),
    }
    redirect = {"return_url": return_url, "url": url}
    name, shape = shapes.get(type_, ("redirect_to_url", redirect))
    return {"type": name, name: shape}
