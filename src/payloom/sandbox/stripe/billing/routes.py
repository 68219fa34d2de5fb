"""What is answered of invoices, their items and payments."""

from payloom.sandbox.stripe.billing import invoice, invoice_items, invoices
from payloom.sandbox.stripe.payments.owners import Follower
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.resources import Filters, lister, of_field, retriever
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

_PAYMENT = {name: params.text() for name in ("payment_intent", "payment_record", "type")}
_FILTERS: Filters = {
    # fits where putting in what is asked for changes nothing
    "payment": (
        params.hash_of(_PAYMENT, required=("type",)),
        "json_patch(body -> '$.payment', ?) = json(body -> '$.payment')",
    ),
    "status": of_field("status", params.one_of("canceled", "open", "paid")),
}
_PAYMENTS = lister("invoice_payment", by_parent="invoice", filters=_FILTERS)

ROUTES: Routes = (
    ("POST", "/v1/invoiceitems", invoice_items.create),
    ("GET", "/v1/invoiceitems", invoice_items.list_),
    ("GET", "/v1/invoiceitems/{}", retriever("invoiceitem", "invoiceitem")),
    ("POST", "/v1/invoiceitems/{}", invoice_items.update),
    ("DELETE", "/v1/invoiceitems/{}", invoice_items.delete),
    ("POST", "/v1/invoices", invoices.create),
    ("GET", "/v1/invoices", invoices.list_),
    ("GET", "/v1/invoices/{}", retriever("invoice", "invoice")),
    ("POST", "/v1/invoices/{}", invoices.update),
    ("DELETE", "/v1/invoices/{}", invoices.delete),
    ("GET", "/v1/invoices/{}/lines", invoices.list_lines),
    ("POST", "/v1/invoices/{}/finalize", invoices.finalize),
    ("POST", "/v1/invoices/{}/pay", invoices.pay),
    ("POST", "/v1/invoices/{}/send", invoices.send),
    ("POST", "/v1/invoices/{}/void", invoices.void),
    ("POST", "/v1/invoices/{}/mark_uncollectible", invoices.give_up),
    ("GET", "/v1/invoice_payments", _PAYMENTS),
    ("GET", "/v1/invoice_payments/{}", retriever("invoice_payment", "invoice_payment")),
)
TIMERS: Timers = {invoice.ADVANCE: invoice.advance}
OPENERS: Openers = {
    ("invoice", "confirmation_secret"): invoices.secret,
    ("invoice", "payments"): invoices.payments,
}
FOLLOWERS: dict[str, Follower] = {invoice.KIND: invoice.follow}
