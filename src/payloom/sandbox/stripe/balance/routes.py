"""What is answered of the balance, of refunds, disputes and payouts."""

from payloom.sandbox.stripe.balance import (
    disputes,
    fraud_warnings,
    funds,
    quarrels,
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
    ("GET", "/v1/disputes", disputes.list_),
    ("GET", "/v1/disputes/{}", disputes.retrieve),
    ("POST", "/v1/disputes/{}", disputes.update),
    ("POST", "/v1/disputes/{}/close", disputes.close),
    ("GET", "/v1/radar/early_fraud_warnings", fraud_warnings.list_),
    (
        "GET",
        "/v1/radar/early_fraud_warnings/{}",
        retriever(fraud_warnings.KIND, "early_fraud_warning"),
    ),
    ("POST", "/v1/refunds", refunds.create),
    ("GET", "/v1/refunds", refunds.list_),
    ("GET", "/v1/refunds/{}", retriever("refund", "id")),
    ("POST", "/v1/refunds/{}", refunds.update),
    ("POST", "/v1/refunds/{}/cancel", refunds.cancel),
)
TIMERS: Timers = {
    funds.ARRIVE: funds.arrive,
    quarrels.DECIDE: quarrels.decide,
    quarrels.EXPIRE: quarrels.expire,
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
