"""What is answered of the balance, of refunds, disputes and payouts."""

from payloom.sandbox.stripe.balance import (
    disputes,
    fraud_warnings,
    funds,
    payout_settings,
    payouts,
    quarrels,
    refunds,
    repay,
    sending,
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
    ("POST", "/v1/payouts", payouts.create),
    ("GET", "/v1/payouts", payouts.list_),
    ("GET", "/v1/payouts/{}", payouts.retrieve),
    ("POST", "/v1/payouts/{}", payouts.update),
    ("POST", "/v1/payouts/{}/cancel", payouts.cancel),
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
    payout_settings.DAILY: sending.pay_out_daily,
    quarrels.DECIDE: quarrels.decide,
    quarrels.EXPIRE: quarrels.expire,
    repay.FAIL: repay.fail,
    repay.SUCCEED: repay.succeed,
    sending.ARRIVE: sending.arrive,
    sending.SEND: sending.send,
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
