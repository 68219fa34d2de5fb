"""What is answered of the balance, of refunds, disputes and payouts."""

from payloom.sandbox.stripe.balance import (
    funds,
    refunds,
    repay,
    transactions,
)
from payloom.sandbox.stripe.protocol.resources import retriever
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

ROUTES: Routes = (
    ("GET", "/v1/balance", funds.retrieve),
    ("GET", "/v1/balance_transactions", transactions.list_),
    ("GET", "/v1/balance_transactions/{}", transactions.retrieve),
    ("GET", "/v1/charges/{}/refunds", refunds.list_of_charge),
    ("POST", "/v1/refunds", refunds.create),
    ("GET", "/v1/refunds", refunds.list_),
    ("GET", "/v1/refunds/{}", retriever("refund", "id")),
    ("POST", "/v1/refunds/{}", refunds.update),
    ("POST", "/v1/refunds/{}/cancel", refunds.cancel),
)
TIMERS: Timers = {
    funds.ARRIVE: funds.arrive,
    repay.FAIL: repay.fail,
    repay.SUCCEED: repay.succeed,
}
OPENERS: Openers = {
    ("charge", "refunds"): refunds.latest,
    **transactions.opener_of(
        ("charge", "balance_transaction"),
        ("refund", "balance_transaction"),
        ("refund", "failure_balance_transaction"),
        ("payout", "balance_transaction"),
        ("payout", "failure_balance_transaction"),
    ),
}
