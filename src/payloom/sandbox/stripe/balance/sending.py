"""Payouts as they go: made by hand or at midnight, on their way, arrived or sent back.

An automatic payout takes all that is available in its currency, and knows which transactions that
was: those between the end of the payout before and its own, in the order in which they became
available. So the transactions of a payout, itself included, add up to nothing, and none of them
costs a payment anything. What a bank sent back is part of the next payout.
"""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.balance import (
    funds,
    payout_accounts,
    payout_settings,
    transactions,
)
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

KIND = "payout"
SEND = "stripe.payout_sent"
ARRIVE = "stripe.payout_arrives"
SENT_AFTER_S = 3_600  # until then it may be canceled
ARRIVES_AFTER_DAYS = 2
DAY = 86_400


def pay_out_daily(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: one payout per currency that has anything."""
    agenda.finish(tx, timer)
    settings = payout_settings.load(tx)
    if not settings["automatic"]:
        return
    for currency, available in sorted(funds.available_now(tx).items()):
        if available > 0:  # or there is nothing to add up
            _pay_all_out(tx, settings, currency)
    payout_settings.save(tx, settings)


def _pay_all_out(tx: Tx, settings: Json, currency: str) -> None:
    after = settings["paid_up_to"].get(currency, transactions.BEFORE_ALL)
    amount = transactions.total(tx, currency, after, transactions.here(tx))
    if amount <= 0:
        return
    account = payout_accounts.account(tx, settings["account"], currency)
    if account["status"] == payout_accounts.ERRORED:
        return
    given = {"automatic": True, "description": "STRIPE PAYOUT", "metadata": {}}
    payout = _new(tx, account, amount, {**given, "reconciliation_status": "in_progress"})
    _book(tx, payout)
    payout["_from"] = after
    payout["_upto"] = settings["paid_up_to"][currency] = transactions.here(tx)
    _begin(tx, payout)


def make(tx: Tx, amount: int, account: Json, given: Json) -> Json:
    """One by hand."""
    payout = _new(tx, account, amount, given)
    _book(tx, payout)
    _begin(tx, payout)
    return payout


def send(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: it is with the bank."""
    agenda.finish(tx, timer)
    if payout := tx.load(KIND, timer.ref):
        payout["status"] = "in_transit"
        tx.save(payout)
        emit(tx, "payout.updated", KIND, payout, previous={"status": "pending"})


def arrive(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the bank has taken it, or sends it back."""
    agenda.finish(tx, timer)
    payout = tx.load(KIND, timer.ref)
    if payout is None:
        return
    if code := payout_accounts.failure_of(tx, payout["destination"]):
        send_back(tx, payout, code)
        return
    trace = {"status": "supported", "value": new_id("x")[2:]}
    payout |= {"status": "paid", "trace_id": trace}
    tx.save(payout)
    emit(tx, "payout.paid", KIND, payout)
    _reconcile(tx, payout)


def send_back(tx: Tx, payout: Json, code: str) -> None:
    """The bank does not take it after all, be it days after it said that it had."""
    agenda.cancel(tx, ARRIVE, payout["id"])
    if payout["status"] != "paid":
        payout["trace_id"] = _NO_TRACE
    failure = {"failure_code": code, "failure_message": payout_accounts.FAILURES[code]}
    payout |= {"status": "failed", **failure}
    _return(tx, payout, "payout_failure")
    payout_accounts.put_aside(tx, payout["destination"])
    tx.save(payout)
    emit(tx, "payout.failed", KIND, payout)
    _reconcile(tx, payout)


def cancel(tx: Tx, payout: Json) -> None:
    for kind in (SEND, ARRIVE):
        agenda.cancel(tx, kind, payout["id"])
    payout |= {"status": "canceled", "trace_id": _NO_TRACE}
    _return(tx, payout, "payout_cancel")
    tx.save(payout)
    emit(tx, "payout.canceled", KIND, payout)


_NO_TRACE = {"status": "unsupported", "value": None}


def _reconcile(tx: Tx, payout: Json) -> None:
    """From now on it says what it consists of, if it knows."""
    if payout.get("reconciliation_status") == "in_progress":
        payout["reconciliation_status"] = "completed"
        tx.save(payout)
        emit(tx, "payout.reconciliation_completed", KIND, payout)


def _new(tx: Tx, account: Json, amount: int, given: Json) -> Json:
    now = int(tx.now)
    return {
        "id": new_id("po"),
        "amount": amount,
        "arrival_date": now - now % DAY + ARRIVES_AFTER_DAYS * DAY,
        "created": now,
        "currency": account["currency"],
        "destination": account["id"],
        "livemode": tx.tenant.livemode,
        "status": "pending",
        **given,
    }


def _book(tx: Tx, payout: Json) -> None:
    moved = transactions.book(
        tx, "payout", payout, -payout["amount"], description=payout.get("description")
    )
    payout["balance_transaction"] = moved["id"]


def _begin(tx: Tx, payout: Json) -> None:
    tx.insert(KIND, payout, parent=payout["destination"])
    emit(tx, "payout.created", KIND, payout)
    agenda.schedule(tx, SEND, payout["id"], tx.now + SENT_AFTER_S)
    agenda.schedule(tx, ARRIVE, payout["id"], payout["arrival_date"])


def _return(tx: Tx, payout: Json, type_: str) -> None:
    """Its money is in the balance again."""
    back = transactions.book(
        tx, type_, payout, payout["amount"], description=payout.get("description")
    )
    payout["failure_balance_transaction"] = back["id"]
