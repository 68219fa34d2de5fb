"""What is answered of payment intents and charges."""

from payloom.sandbox.stripe.payments import charges, delayed
from payloom.sandbox.stripe.protocol.resources import lister, retriever
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

_INTENTS = lister("payment_intent", never=("customer", "customer_account"))
_CHARGES = lister("charge", by_parent="payment_intent", never=("customer", "transfer_group"))

ROUTES: Routes = (
    ("GET", "/v1/payment_intents", _INTENTS),
    ("GET", "/v1/payment_intents/{}", retriever("payment_intent", "intent")),
    ("GET", "/v1/charges", _CHARGES),
    ("GET", "/v1/charges/{}", retriever("charge", "charge")),
)
TIMERS: Timers = {
    charges.SETTLE: charges.settle,
    delayed.PAY: delayed.pay,
    delayed.FAIL: delayed.fail,
}
OPENERS: Openers = {}
