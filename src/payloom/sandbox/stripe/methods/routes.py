"""What is answered of payment methods."""

from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

ROUTES: Routes = (
    ("POST", "/v1/payment_methods", payment_methods.create),
    ("GET", "/v1/payment_methods/{}", payment_methods.retrieve),
)
TIMERS: Timers = {}
OPENERS: Openers = {}
