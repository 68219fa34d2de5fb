"""What is answered of checkout sessions and their pages."""

from payloom.sandbox.stripe.checkout import pay, payment_pages, sessions
from payloom.sandbox.stripe.checkout.completion import EXPIRE
from payloom.sandbox.stripe.payments.owners import Follower
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

ROUTES: Routes = (
    ("POST", "/v1/checkout/sessions", sessions.create),
    ("GET", "/v1/checkout/sessions", sessions.list_),
    ("GET", "/v1/checkout/sessions/{}", sessions.retrieve),
    ("POST", "/v1/checkout/sessions/{}", sessions.update),
    ("POST", "/v1/checkout/sessions/{}/expire", sessions.expire),
    ("GET", "/v1/checkout/sessions/{}/line_items", sessions.list_line_items),
    ("GET", "/v1/payment_pages/{}", payment_pages.retrieve),
    ("POST", "/v1/payment_pages/{}/confirm", payment_pages.confirm),
)
FOLLOWERS: dict[str, Follower] = {pay.KIND: pay.follow}
TIMERS: Timers = {EXPIRE: sessions.expire_due}
OPENERS: Openers = {("checkout.session", "line_items"): sessions.first_items}
