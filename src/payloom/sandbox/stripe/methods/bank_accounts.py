"""Test accounts for bank debits, and what becomes of a debit from each.

They are the documented ones (docs.stripe.com/testing and the page of each method), but for those
in `OURS`.
"""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    debit: str
    number: str
    course: str  # pays, pays_late, fails, fails_late, fails_then_pays, stays
    failure: str  # Stripe's code
    token: str  # the test payment method's name


# account (its fields joined), course, failure code, name of the test payment method (`pm_…`)
_ACCOUNTS = {
    "sepa_debit": """
AT611904300234573201   pays            -                         sepaDebit_success_at
AT321904300235473204   pays_late       -                         sepaDebit_successDelayed_at
AT861904300235473202   fails           generic_could_not_process sepaDebit_failed_at
AT051904300235473205   fails_late      generic_could_not_process sepaDebit_failedDelayed_at
AT981904300002222227   fails           insufficient_funds        sepaDebit_insufficientFunds_at
AT751904300235473206   fails_then_pays insufficient_funds        sepaDebit_failedThenSuccess_at
DE89370400440532013000 pays            -                         sepaDebit_success_de
DE62370400440532013001 fails           generic_could_not_process sepaDebit_failed_de
IT40S0542811101000000123456 pays       -                         sepaDebit_success_it
IT60X0542811101000000123456 fails      generic_could_not_process sepaDebit_failed_it
""",
    "us_bank_account": """
110000000-000123456789 pays            -                         usBankAccount_success
110000000-000222222227 fails           insufficient_funds        usBankAccount_insufficientFunds
110000000-000111111113 fails           account_closed            usBankAccount_accountClosed
110000000-000111111116 fails           no_account                usBankAccount_noAccount
110000000-000333333335 fails           debit_not_authorized      usBankAccount_debitNotAuthorized
110000000-000444444440 fails           invalid_currency          usBankAccount_invalidCurrency
110000000-000000000009 stays           -                         usBankAccount_processing
""",
    "bacs_debit": """
108800-00012345        pays            -                         bacsDebit_success
108800-90012345        pays_late       -                         bacsDebit_successDelayed
108800-22222227        fails           insufficient_funds        bacsDebit_insufficientFunds
108800-92222227        fails_late      insufficient_funds        bacsDebit_insufficientFundsDelayed
108800-33333335        fails           debit_not_authorized      bacsDebit_debitNotAuthorized
108800-93333335        fails_late      debit_not_authorized      bacsDebit_debitNotAuthorizedDelayed
""",
    "au_becs_debit": """
000000-000123456       pays            -                         auBecsDebit_success
000000-900123456       pays_late       -                         auBecsDebit_successDelayed
000000-111111113       fails           account_closed            auBecsDebit_accountClosed
000000-111111116       fails           no_account                auBecsDebit_noAccount
000000-222222227       fails           refer_to_customer         auBecsDebit_referToCustomer
000000-922222227       fails_late      refer_to_customer         auBecsDebit_referToCustomerDelayed
000000-333333335       fails           debit_not_authorized      auBecsDebit_debitNotAuthorized
""",
    "acss_debit": """
11000-000-000123456789 pays            -                         acssDebit_success
11000-000-900123456789 pays_late       -                         acssDebit_successDelayed
11000-000-000222222227 fails           insufficient_funds        acssDebit_insufficientFunds
11000-000-900222222227 fails_late      insufficient_funds        acssDebit_insufficientFundsDelayed
""",
    "nz_bank_account": """
11-0000-0000000-010    pays            -                         nzBankAccount_success
11-0000-2222222-027    fails           insufficient_funds        nzBankAccount_insufficientFunds
11-0000-8888888-000    fails           refer_to_customer         nzBankAccount_referToCustomer
11-0000-1111111-016    fails           no_account                nzBankAccount_noAccount
11-0000-5555555-059    fails           debit_not_authorized      nzBankAccount_debitNotAuthorized
11-0000-9999999-000    stays           -                         nzBankAccount_processing
""",
}
OURS = frozenset({"AT751904300235473206"})  # Stripe has no account that fails and then pays

NOT_A_TEST_ACCOUNT = (
    "This is not a test account, and no money moves here: use one of those that the sandbox lists."
)

FAILURES = {
    "account_closed": "The customer's bank account has been closed.",
    "debit_not_authorized": "The customer has told their bank that this debit was unauthorized.",
    "generic_could_not_process": "The customer's bank could not process this payment.",
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "invalid_currency": "The customer's account is not in the currency of this payment.",
    "no_account": "The customer's bank account could not be located.",
    "refer_to_customer": "The customer's bank declined this payment: ask the customer.",
}


def _read_tables() -> dict[tuple[str, str], Account]:
    accounts = {}
    for debit, text in _ACCOUNTS.items():
        for line in text.strip().splitlines():
            number, course, failure, token = line.split()
            accounts[debit, number] = Account(debit, number, course, failure.strip("-"), token)
    return accounts


ACCOUNTS = _read_tables()
_BY_TOKEN = {f"pm_{account.token}": account for account in ACCOUNTS.values()}


def behind(method: Json) -> Account:
    """The account of a kept payment method, which names it but does not hold its number."""
    return _BY_TOKEN[f"pm_{method['_account']}"]


def named(token: str) -> Account | None:
    """The account of a test payment method (`pm_usBankAccount_success`)."""
    return _BY_TOKEN.get(token)
