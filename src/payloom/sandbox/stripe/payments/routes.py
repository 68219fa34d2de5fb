"""What is answered of payment intents, setup intents, mandates and charges."""

from payloom.sandbox.stripe.payments import (
    approvals,
    captures,
    charge_calls,
    charges,
    delayed,
    payment_intents,
    setup_attempts,
    setup_intents,
)
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.resources import lister, of_field, retriever
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

_CHARGES = lister(
    "charge",
    by_parent="payment_intent",
    filters={
        "customer": of_field("customer", params.text()),
        "transfer_group": of_field("transfer_group", params.text()),
    },
)

ROUTES: Routes = (
    ("POST", "/v1/payment_intents", payment_intents.create),
    ("GET", "/v1/payment_intents", payment_intents.list_),
    ("GET", "/v1/payment_intents/{}", retriever("payment_intent", "intent")),
    ("POST", "/v1/payment_intents/{}", payment_intents.update),
    ("POST", "/v1/payment_intents/{}/confirm", payment_intents.confirm_),
    ("POST", "/v1/payment_intents/{}/capture", payment_intents.capture),
    ("POST", "/v1/payment_intents/{}/cancel", payment_intents.cancel),
    ("POST", "/v1/setup_intents", setup_intents.create),
    ("GET", "/v1/setup_intents", setup_intents.list_),
    ("GET", "/v1/setup_intents/{}", setup_intents.retrieve),
    ("POST", "/v1/setup_intents/{}", setup_intents.update),
    ("POST", "/v1/setup_intents/{}/cancel", setup_intents.cancel),
    ("POST", "/v1/setup_intents/{}/confirm", setup_intents.confirm),
    ("GET", "/v1/setup_attempts", setup_attempts.list_),
    ("GET", "/v1/mandates/{}", retriever("mandate", "mandate")),
    ("GET", "/v1/charges", _CHARGES),
    ("GET", "/v1/charges/{}", retriever("charge", "charge")),
    ("POST", "/v1/charges/{}", charge_calls.update),
    ("POST", "/v1/charges/{}/capture", charge_calls.capture),
)
TIMERS: Timers = {
    approvals.LAPSE: approvals.lapse,
    captures.EXPIRE: captures.expire,
    charges.SETTLE: charges.settle,
    delayed.PAY: delayed.pay,
    delayed.FAIL: delayed.fail,
}
OPENERS: Openers = {}
