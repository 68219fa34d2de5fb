"""What the Stripe stand-in answers, and what it does later: each folder's own table, together."""

from payloom.sandbox.stripe.balance import routes as balance
from payloom.sandbox.stripe.billing import routes as billing
from payloom.sandbox.stripe.catalog import routes as catalog
from payloom.sandbox.stripe.checkout import routes as checkout
from payloom.sandbox.stripe.customers import routes as customers
from payloom.sandbox.stripe.events import routes as events
from payloom.sandbox.stripe.methods import routes as methods
from payloom.sandbox.stripe.payments import routes as payments
from payloom.sandbox.stripe.protocol import idempotency
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

_FOLDERS = (checkout, payments, customers, methods, balance, catalog, events, billing)

ROUTES: Routes = tuple(route for folder in _FOLDERS for route in folder.ROUTES)
TIMERS: Timers = {
    idempotency.FORGET: idempotency.forget,
    **{kind: turn for folder in _FOLDERS for kind, turn in folder.TIMERS.items()},
}
OPENERS: Openers = {
    field: opener for folder in _FOLDERS for field, opener in folder.OPENERS.items()
}
FOLLOWERS = checkout.FOLLOWERS | billing.FOLLOWERS
