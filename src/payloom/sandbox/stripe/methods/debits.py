"""Bank debits: what each asks the shopper for, how long banks take, what is kept of an account.

Stripe's own sandbox settles within minutes; here it takes the days that banks take, in the
sandbox's time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    name: str  # Stripe's parameter
    label: str
    example: str  # of the account that settles
    digits: tuple[int, ...]  # how many there may be; none: an IBAN


@dataclass(frozen=True, slots=True)
class Debit:
    type: str
    title: str
    days: int  # from the shopper's consent to the bank's word
    days_late: int
    fields: tuple[Field, ...]

    def number(self, given: Mapping[str, str]) -> str:
        """The account as the table below writes it."""
        return "-".join(given[field.name] for field in self.fields)


_ACCOUNT = "Account number"
_UP_TO_17 = tuple(range(4, 18))

DEBITS = {
    debit.type: debit
    for debit in (
        Debit("sepa_debit", "SEPA Direct Debit", 5, 14, (
            Field("iban", "IBAN", "AT61 1904 3002 3457 3201", ()),
        )),
        Debit("us_bank_account", "US bank account", 4, 10, (
            Field("routing_number", "Routing number", "110000000", (9,)),
            Field("account_number", _ACCOUNT, "000123456789", _UP_TO_17),
        )),
        Debit("bacs_debit", "Bacs Direct Debit", 3, 7, (
            Field("sort_code", "Sort code", "10-88-00", (6,)),
            Field("account_number", _ACCOUNT, "00012345", (8,)),
        )),
        Debit("au_becs_debit", "BECS Direct Debit", 3, 7, (
            Field("bsb_number", "BSB", "000-000", (6,)),
            Field("account_number", _ACCOUNT, "000123456", tuple(range(4, 10))),
        )),
        Debit("acss_debit", "Pre-authorized debit (Canada)", 5, 10, (
            Field("transit_number", "Transit", "11000", (5,)),
            Field("institution_number", "Institution", "000", (3,)),
            Field("account_number", _ACCOUNT, "000123456789", _UP_TO_17),
        )),
        Debit("nz_bank_account", "BECS Direct Debit (New Zealand)", 2, 5, (
            Field("bank_code", "Bank", "11", (2,)),
            Field("branch_code", "Branch", "0000", (4,)),
            Field("account_number", _ACCOUNT, "0000000", (7,)),
            Field("suffix", "Suffix", "010", (2, 3)),
        )),
    )
}  # fmt: skip


def tidy(text: str) -> str:
    """As typed, without what is only there for the eye."""
    return re.sub(r"[\s.\-]", "", text).upper()


def flaws(debit: Debit, given: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field of a tidied account, by name; no value is repeated."""
    found = {}
    for field in debit.fields:
        value = given.get(field.name, "")
        if not value:
            found[field.name] = f"Enter the {_lowered(field.label)}."
        elif not field.digits:
            if not _is_iban(value):
                found[field.name] = "This IBAN is not valid. Check it for typing mistakes."
        elif not (value.isascii() and value.isdigit()) or len(value) not in field.digits:
            count = " to ".join(dict.fromkeys(map(str, (field.digits[0], field.digits[-1]))))
            found[field.name] = f"The {_lowered(field.label)} has {count} digits."
    return found


def _lowered(label: str) -> str:
    return label if label.isupper() else label.lower()


def _is_iban(text: str) -> bool:
    if re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", text) is None:
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def parts(debit: Debit, number: str) -> dict[str, str]:
    """The fields of an account as the table of test accounts writes it."""
    return dict(zip((field.name for field in debit.fields), number.split("-"), strict=True))


_BANK = {"bank_name": "STRIPE TEST BANK"}
_US: Json = {
    **_BANK,
    "account_holder_type": "individual",
    "account_type": "checking",
    "financial_connections_account": None,
    "networks": {"preferred": "ach", "supported": ["ach"]},
    "status_details": None,
}
# what a payment method says besides the fields of its account
_MORE: dict[str, Json] = {
    "sepa_debit": {"branch_code": "", "generated_from": {"charge": None, "setup_attempt": None}},
    "us_bank_account": _US,
    "acss_debit": _BANK,
    "nz_bank_account": {**_BANK, "account_holder_name": None},
}
# of all that, what a charge does not repeat, and what it adds
_UNCHARGED = ("financial_connections_account", "generated_from", "networks", "status_details")


def kept(debit: Debit, given: Mapping[str, str], fingerprint: str) -> Json:
    """What a payment method keeps of an account: of its number the last four digits."""
    shown: Json = {
        name: value for name, value in given.items() if name not in ("account_number", "iban")
    }
    shown["last4"] = (given.get("account_number") or given["iban"])[-4:]
    if debit.type != "nz_bank_account":
        shown["fingerprint"] = fingerprint
    if debit.type == "sepa_debit":
        shown |= {"bank_code": given["iban"][4:9], "country": given["iban"][:2]}
    return shown | _MORE.get(debit.type, {})


def charged(method: Json) -> Json:
    """What a charge says of the account it debits."""
    shown = {name: v for name, v in method[method["type"]].items() if name not in _UNCHARGED}
    shown["expected_debit_date"] = None
    if method["type"] != "nz_bank_account":
        shown["mandate"] = None
    if method["type"] == "us_bank_account":
        shown["payment_reference"] = None
    return shown
