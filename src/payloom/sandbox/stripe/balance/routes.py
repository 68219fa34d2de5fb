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
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.resources import lister, of_field, retriever
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

_BY_INTENT = {"payment_intent": of_field("payment_intent", params.text())}
_DISPUTES = lister(quarrels.KIND, by_parent="charge", filters=_BY_INTENT)
_WARNINGS = lister(fraud_warnings.KIND, by_parent="charge", filters=_BY_INTENT)

ROUTES: Routes = (
    ("GET", "/v1/balance", funds.retrieve),
    ("GET", "/v1/balance_transactions", transactions.list_),
    ("GET", "/v1/balance_transactions/{}", transactions.retrieve),
    ("GET", "/v1/charges/{}/refunds", refunds.list_of_charge),
    ("GET", "/v1/disputes", _DISPUTES),
    ("GET", "/v1/disputes/{}", retriever(quarrels.KIND, "dispute")),
    ("POST", "/v1/disputes/{}", disputes.update),
    ("POST", "/v1/disputes/{}/close", disputes.close),
    ("POST", "/v1/payouts", payouts.create),
    ("GET", "/v1/payouts", payouts.list_),
    ("GET", "/v1/payouts/{}", retriever(sending.KIND, "payout")),
    ("POST", "/v1/payouts/{}", payouts.update),
    ("POST", "/v1/payouts/{}/cancel", payouts.cancel),
    ("GET", "/v1/radar/early_fraud_warnings", _WARNINGS),
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
