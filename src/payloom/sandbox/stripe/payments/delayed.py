"""Methods that take days: the shopper is done at once, a bank or a counter decides later.

A debit goes to the bank, which pays, refuses, or keeps silent. A voucher is paid at a counter or
expires. Which of these it will be stands in the tables of `bank_accounts.py` and `vouchers.py`;
here it is put on the agenda, and done when its day has come.
"""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.methods import bank_accounts, debits, vouchers
from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.payments import approvals, charges, intents
from payloom.sandbox.stripe.payments.owners import Later, tell
from payloom.sandbox.stripe.protocol.errors import Failure

Json = dict[str, Any]

PAY = "stripe.delayed_payment_succeeds"
FAIL = "stripe.delayed_payment_fails"
_FIRST = {"pays": PAY, "fails": FAIL}  # what comes first; of an account that `stays`, nothing
DAY = 86_400
SOON_S, LATER_S = 5, 180  # docs.stripe.com/payments/sepa-debit: its test accounts
PAYS_AFTER_FAILING_S = DAY


def submit(tx: Tx, intent: Json, method: Json, *, voucher_url: str, by_page: bool) -> None:
    """The shopper has done their part; the bank, or a counter, has not.

    By the hosted page a bank takes its days. A client that confirms without one, as the official
    CLI does, is answered as soon as in Stripe's own sandbox: nobody there moves a clock.
    """
    intent["_delayed"] = method["id"]
    if method["type"] in DEBITS:
        _debit(tx, intent, method, by_page=by_page)
    else:
        _issue(tx, intent, method, url=voucher_url)


def forget(tx: Tx, intent: Json) -> None:
    """Whatever was still to be decided is not any more."""
    for kind in (PAY, FAIL, approvals.LAPSE):
        agenda.cancel(tx, kind, intent["id"])


def _debit(tx: Tx, intent: Json, method: Json, *, by_page: bool) -> None:
    charge = charges.begin(tx, intent, method, debits.charged(method))
    charges.wait(tx, charge)
    intent |= {"last_payment_error": None, "latest_charge": charge["id"], "next_action": None}
    intents.wait(tx, intent, method, "processing")
    course = bank_accounts.behind(method).course
    if kind := _FIRST.get(course.partition("_")[0]):
        is_late = course.endswith("_late")
        after_s = _decided_after_s(DEBITS[method["type"]], is_late=is_late, by_page=by_page)
        agenda.schedule(tx, kind, intent["id"], tx.now + after_s)


def _decided_after_s(debit: debits.Debit, *, is_late: bool, by_page: bool) -> int:
    if by_page:
        return (debit.days_late if is_late else debit.days) * DAY
    return SOON_S if not is_late else LATER_S


def _issue(tx: Tx, intent: Json, method: Json, *, url: str) -> None:
    course = vouchers.course_of(method["billing_details"]["email"])
    options = intent.get("payment_method_options", {}).get(method["type"], {})
    days = options.get("expires_after_days") or VOUCHERS[method["type"]].days
    expires_at = int(tx.now) + (course.expires_after_s or days * DAY)
    intent["next_action"] = vouchers.action(method["type"], url, expires_at)
    intents.wait(tx, intent, method, "requires_action")
    if course.paid_after_s is None:
        agenda.schedule(tx, FAIL, intent["id"], expires_at)
    else:
        agenda.schedule(tx, PAY, intent["id"], tx.now + course.paid_after_s)


def pay(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the money is there, even where the bank had said that it would not be."""
    agenda.finish(tx, timer)
    intent, method = _parties(tx, timer.ref)
    charge = tx.load("charge", intent.get("latest_charge") or "")
    if method["type"] in VOUCHERS:
        details = vouchers.charged(method, intent["next_action"])
        charge = charges.begin(tx, intent, method, details)
    elif charge is None or charge["status"] == "failed":
        charge = charges.begin(tx, intent, method, debits.charged(method))
    charges.succeed(
        tx, charge, charges.outcome("authorized", "approved_by_network", "Payment complete.")
    )
    intents.succeed(tx, intent, method, charge)
    tell(tx, intent, Later.SUCCEEDED)


def fail(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the bank refuses, or nobody came to pay the voucher."""
    agenda.finish(tx, timer)
    intent, method = _parties(tx, timer.ref)
    if method["type"] in VOUCHERS:
        intents.refuse(tx, intent, method, approvals.LAPSED, charge=None)
    else:
        _bounce(tx, intent, method)
    tell(tx, intent, Later.FAILED)


def _bounce(tx: Tx, intent: Json, method: Json) -> None:
    account = bank_accounts.behind(method)
    failure = Failure(account.failure, bank_accounts.FAILURES[account.failure])
    charge = tx.load("charge", intent["latest_charge"])
    if charge is None:
        raise LookupError(f"payment intent {intent['id']} names a charge that is not there")
    outcome = charges.outcome("issuer_declined", "declined_by_network", failure.message)
    charges.fail(tx, charge, failure, {**outcome, "reason": failure.code})
    intents.refuse(tx, intent, method, failure, charge=charge["id"])
    if account.course == "fails_then_pays":
        agenda.schedule(tx, PAY, intent["id"], tx.now + PAYS_AFTER_FAILING_S)


def _parties(tx: Tx, intent_id: str) -> tuple[Json, Json]:
    """The payment intent, and the method that it was submitted with."""
    intent = tx.load("payment_intent", intent_id)
    method = tx.load("payment_method", intent["_delayed"]) if intent else None
    if intent is None or method is None:
        raise LookupError(f"payment intent {intent_id} waits for what is not there")
    return intent, method
