"""The bank accounts that payouts go to, why banks send payouts back, and which accounts always do.

Numbers: docs.stripe.com/connect/testing#account-numbers, of an account in the US. Here one number
serves every currency. Codes: docs.stripe.com/api/payouts/failures, those of banks.
"""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

KIND = "bank_account"
ROUTING_NUMBER = "110000000"
USUAL_NUMBER = "000123456789"
ERRORED = "errored"  # it sent a payout back: nothing more goes there by itself

FAILURES: dict[str, str] = {
    "account_closed": "The bank account has been closed.",
    "account_frozen": "The bank account has been frozen.",
    "bank_account_restricted": "The bank account does not take payouts of this type or number.",
    "bank_ownership_changed": "The bank account is no longer valid: its branch changed hands.",
    "could_not_process": "The bank could not process this payout.",
    "debit_not_authorized": "The bank does not allow debits from here.",
    "declined": "The bank has declined this payout.",
    "incorrect_account_holder_address": "The bank knows another address of the account's holder.",
    "incorrect_account_holder_name": "The bank knows another name of the account's holder.",
    "incorrect_account_holder_tax_id": "The bank knows another tax ID of the account's holder.",
    "insufficient_funds": "The account cannot cover this payout.",
    "invalid_account_number": "The bank has no account numbers like this one.",
    "invalid_account_number_length": "The account number is too long for this bank.",
    "invalid_currency": "The bank account does not take this currency.",
    "no_account": "The bank account details are not of an account.",
}
# number → why the bank sends a payout back; None: it does not
ACCOUNTS: dict[str, str | None] = {
    USUAL_NUMBER: None,
    "000111111116": "no_account",
    "000111111113": "account_closed",
    "000222222227": "insufficient_funds",
    "000333333335": "debit_not_authorized",
    "000444444440": "invalid_currency",
}


def account(tx: Tx, number: str, currency: str) -> Json:
    """The account with this number for this currency, made when it is first needed."""
    name = f"{number} {currency}"
    row = tx.db.execute(
        "SELECT id FROM objects WHERE parent = ? AND kind = ? AND tenant = ?",
        (name, KIND, tx.tenant.id),
    ).fetchone()
    if kept := tx.load(KIND, row[0]) if row else None:
        return kept
    made = {
        "id": new_id("ba"),
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": "US",
        "created": int(tx.now),
        "currency": currency,
        "default_for_currency": True,
        "fingerprint": new_id("x", length=16)[2:],
        "last4": number[-4:],
        "routing_number": ROUTING_NUMBER,
        "status": "new",
        "_number": number,
    }
    tx.insert(KIND, made, parent=name)
    return made


def failure_of(tx: Tx, id_: str) -> str | None:
    """The code with which this account sends payouts back, if it does."""
    kept = tx.load(KIND, id_)
    return ACCOUNTS[kept["_number"]] if kept else None


def put_aside(tx: Tx, id_: str) -> None:
    """It sent a payout back."""
    if kept := tx.load(KIND, id_):
        kept["status"] = ERRORED
        tx.save(kept)


def renew(tx: Tx, number: str) -> None:
    """Its details are given anew, for all currencies: it is as good as any."""
    tx.db.execute(
        "UPDATE objects SET body = json_set(body, '$.status', 'new')"
        " WHERE tenant = ? AND kind = ? AND body ->> '$._number' = ?",
        (tx.tenant.id, KIND, number),
    )
