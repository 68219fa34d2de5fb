"""What is answered of balance transactions and refunds."""

from payloom.sandbox.stripe.balance import refunds, repay
from payloom.sandbox.stripe.protocol.resources import lister, retriever
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

_TRANSACTIONS = lister("balance_transaction", by_parent="source", never=("payout",))

ROUTES: Routes = (
    ("GET", "/v1/charges/{}/refunds", refunds.list_of_charge),
    ("POST", "/v1/refunds", refunds.create),
    ("GET", "/v1/refunds", refunds.list_),
    ("GET", "/v1/refunds/{}", retriever("refund", "id")),
    ("POST", "/v1/refunds/{}", refunds.update),
    ("POST", "/v1/refunds/{}/cancel", refunds.cancel),
    ("GET", "/v1/balance_transactions", _TRANSACTIONS),
    ("GET", "/v1/balance_transactions/{}", retriever("balance_transaction", "id")),
)
TIMERS: Timers = {repay.SUCCEED: repay.succeed, repay.FAIL: repay.fail}
OPENERS: Openers = {("charge", "refunds"): refunds.latest}
