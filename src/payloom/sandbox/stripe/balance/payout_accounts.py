"""The bank accounts that payouts go to, and which of them refuse the money.

Numbers and codes: docs.stripe.com/connect/testing#account-numbers, of an account in the US. Here
one number serves every currency.
"""

from dataclasses import dataclass
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

KIND = "bank_account"
ROUTING_NUMBER = "110000000"
USUAL_NUMBER = "000123456789"


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    message: str


# number → why the bank sends a payout back; None: it does not
ACCOUNTS: dict[str, Refusal | None] = {
    USUAL_NUMBER: None,
    "000111111116": Refusal("no_account", "The bank account details are not of an account."),
    "000111111113": Refusal("account_closed", "The bank account has been closed."),
    "000222222227": Refusal("insufficient_funds", "The account cannot cover this payout."),
    "000333333335": Refusal("debit_not_authorized", "The bank does not allow debits from here."),
    "000444444440": Refusal("invalid_currency", "The bank account does not take this currency."),
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


def refusal_of(tx: Tx, id_: str) -> Refusal | None:
    kept = tx.load(KIND, id_)
    return ACCOUNTS[kept["_number"]] if kept else None
