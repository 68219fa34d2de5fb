"""What is answered of products and prices."""

from payloom.sandbox.stripe.catalog import line_items
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

ROUTES: Routes = ()
TIMERS: Timers = {}
OPENERS: Openers = {("price", "product"): line_items.product}
