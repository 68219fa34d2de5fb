"""Methods that take days: the shopper is done at once, a bank or a counter decides later.

A debit goes to the bank, which pays, refuses, or keeps silent. A voucher is paid at a counter or
expires. Which of these it will be stands in the tables of `bank_accounts.py` and `vouchers.py`;
here it is put on the agenda, and done when its day has come.
"""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.checkout.completion import complete
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.methods import bank_accounts, debits, vouchers
from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.payments import charges, intents
from payloom.sandbox.stripe.protocol.errors import Failure

Json = dict[str, Any]

PAY = "stripe.delayed_payment_succeeds"
FAIL = "stripe.delayed_payment_fails"
_FIRST = {"pays": PAY, "fails": FAIL}  # what comes first; of an account that `stays`, nothing
DAY = 86_400
PAYS_AFTER_FAILING_S = DAY

EXPIRED = Failure(
    code="payment_intent_payment_attempt_expired",
    message="The time to pay was over before the customer paid.",
)


def submit(tx: Tx, session: Json, intent: Json, method: Json, *, page_url: str) -> str:
    """The shopper has done what the page asks for; the event of the session's completion."""
    intent["_delayed"] = method["id"]
    if method["type"] in DEBITS:
        _debit(tx, session, intent, method)
    else:
        _issue(tx, session, intent, method, url=f"{page_url}/voucher")
    return complete(tx, session, method["billing_details"], payment_status="unpaid")


def _debit(tx: Tx, session: Json, intent: Json, method: Json) -> None:
    charge = charges.begin(tx, intent, method, debits.charged(method))
    charges.wait(tx, charge)
    intent |= {"last_payment_error": None, "latest_charge": charge["id"], "next_action": None}
    intents.wait(tx, intent, method, "processing")
    debit, course = DEBITS[method["type"]], bank_accounts.behind(method).course
    days = debit.days_late if course.endswith("_late") else debit.days
    if kind := _FIRST.get(course.partition("_")[0]):
        agenda.schedule(tx, kind, session["id"], tx.now + days * DAY)


def _issue(tx: Tx, session: Json, intent: Json, method: Json, *, url: str) -> None:
    course = vouchers.course_of(method["billing_details"]["email"])
    options = session.get("payment_method_options", {}).get(method["type"], {})
    days = options.get("expires_after_days") or VOUCHERS[method["type"]].days
    expires_at = int(tx.now) + (course.expires_after_s or days * DAY)
    intent["next_action"] = vouchers.action(method["type"], url, expires_at)
    intents.wait(tx, intent, method, "requires_action")
    if course.paid_after_s is None:
        agenda.schedule(tx, FAIL, session["id"], expires_at)
    else:
        agenda.schedule(tx, PAY, session["id"], tx.now + course.paid_after_s)


def pay(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the money is there, even where the bank had said that it would not be."""
    agenda.finish(tx, timer)
    session, intent, method = _parties(tx, timer.ref)
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
    session["payment_status"] = "paid"
    tx.save(session)
    emit(tx, "checkout.session.async_payment_succeeded", "checkout.session", session)


def fail(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the bank refuses, or nobody came to pay the voucher."""
    agenda.finish(tx, timer)
    session, intent, method = _parties(tx, timer.ref)
    if method["type"] in VOUCHERS:
        intents.refuse(tx, intent, method, EXPIRED, charge=None)
    else:
        _bounce(tx, session, intent, method)
    emit(tx, "checkout.session.async_payment_failed", "checkout.session", session)


def _bounce(tx: Tx, session: Json, intent: Json, method: Json) -> None:
    account = bank_accounts.behind(method)
    failure = Failure(account.failure, bank_accounts.FAILURES[account.failure])
    charge = tx.load("charge", intent["latest_charge"])
    if charge is None:
        raise LookupError(f"payment intent {intent['id']} names a charge that is not there")
    outcome = charges.outcome("issuer_declined", "declined_by_network", failure.message)
    charges.fail(tx, charge, failure, {**outcome, "reason": failure.code})
    intents.refuse(tx, intent, method, failure, charge=charge["id"])
    if account.course == "fails_then_pays":
        agenda.schedule(tx, PAY, session["id"], tx.now + PAYS_AFTER_FAILING_S)


def _parties(tx: Tx, session_id: str) -> tuple[Json, Json, Json]:
    """The session, its payment intent, and the method that it was submitted with."""
    session = tx.load("checkout.session", session_id)
    intent = tx.load("payment_intent", session["payment_intent"]) if session else None
    method = tx.load("payment_method", intent["_delayed"]) if intent else None
    if session is None or intent is None or method is None:
        raise LookupError(f"session {session_id} waits for a payment that is not there")
    return session, intent, method
