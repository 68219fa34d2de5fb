"""What the shopper sent: checked, turned into a payment method, and paid with."""

import re
from typing import Any

from payloom.core.masking import holds_card_or_secret, mask
from payloom.sandbox.stripe.checkout import pay
from payloom.sandbox.stripe.methods import debits, payment_methods
from payloom.sandbox.stripe.methods.bank_accounts import ACCOUNTS, NOT_A_TEST_ACCOUNT
from payloom.sandbox.stripe.methods.cards import CARDS, NOT_A_TEST_CARD
from payloom.sandbox.stripe.methods.debits import DEBITS, Debit
from payloom.sandbox.stripe.methods.payment_methods import billing_details
from payloom.sandbox.stripe.methods.redirects import REDIRECTS
from payloom.sandbox.stripe.methods.typed_card import CardDetails
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.page import card_form
from payloom.sandbox.stripe.page.fields import email_problems, name_problems, text
from payloom.sandbox.stripe.page.visit import Visit

Json = dict[str, Any]

_UPI_ID = re.compile(r"[A-Za-z0-9._\-]{2,100}@[A-Za-z][A-Za-z0-9.]{1,60}")


class Retry(Exception):
    """The page is shown again, with what is to be put right."""

    def __init__(self, status: int, message: str = "", problems: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = problems or {}


def submit(visit: Visit) -> pay.Paid:
    """Pay by what was sent; raises Retry when it is not right."""
    remember(visit)
    email = text(visit.form, "email")
    if visit.session["amount_total"] == 0:
        _check(email_problems(email))
        return pay.pay_nothing(visit.tx, visit.session, billing_details({"email": email}))
    type_ = chosen(visit)
    if type_ == "card":
        method = _card(visit, email)
    elif type_ in DEBITS:
        method = _account(visit, email, DEBITS[type_])
    elif type_ in REDIRECTS:
        method = _redirect(visit, email, type_)
    else:
        method = _voucher(visit, email, type_)
    url = visit.session["url"]
    return pay.pay(visit.tx, visit.session, method, visit.secret, url=url, by_page=True)


def is_late(visit: Visit) -> bool:
    """Whether this card pays although the page has expired: the shopper had it before him."""
    card = CARDS.get(card_form.read(visit.form).number)
    return visit.session["status"] == "expired" and card is not None and card.pays_late


def chosen(visit: Visit) -> str:
    """The method that the shopper chose; the first one, where there is no choice."""
    offered: list[str] = visit.session["payment_method_types"]
    wanted = text(visit.form, "method") or visit.session.get("_shopper", {}).get("method")
    return wanted if wanted in offered else offered[0]


def remember(visit: Visit) -> None:
    """What need not be typed again after a refusal; nothing of a card or an account."""
    names = ["email", "billingName", "billingCountry", "upi_by"]
    names += [f"{type_}_name" for type_ in visit.session["payment_method_types"]]
    # masked: shoppers type their card number into any field
    given = {name: mask(text(visit.form, name)) for name in names if name in visit.form}
    visit.session["_shopper"] = {**given, "method": chosen(visit)}
    visit.tx.save(visit.session)


def _card(visit: Visit, email: str) -> Json:
    typed = card_form.read(visit.form)
    _check(email_problems(email) | card_form.problems(typed, visit.today))
    card = CARDS.get(typed.number)
    if card is None:
        raise Retry(402, NOT_A_TEST_CARD.message)
    billing = {"email": email, "name": typed.name, "address": {"country": typed.country}}
    details = CardDetails(card, *typed.month_and_year(), cvc_given=True)
    return payment_methods.keep_card(visit.tx, details, billing, visit.secret)


def _account(visit: Visit, email: str, debit: Debit) -> Json:
    named = f"{debit.type}_name"
    name = text(visit.form, named)
    given = {
        field.name: debits.tidy(text(visit.form, f"{debit.type}_{field.name}"))
        for field in debit.fields
    }
    flaws = {f"{debit.type}_{field}": flaw for field, flaw in debits.flaws(debit, given).items()}
    _check(email_problems(email) | flaws | name_problems(named, name))
    account = ACCOUNTS.get((debit.type, debit.number(given)))
    if account is None:
        raise Retry(402, NOT_A_TEST_ACCOUNT)
    billing = {"email": email, "name": name}
    return payment_methods.keep_account(visit.tx, account, billing, visit.secret)


def _voucher(visit: Visit, email: str, type_: str) -> Json:
    named, taxed = f"{type_}_name", f"{type_}_tax_id"
    name, tax_id = text(visit.form, named), text(visit.form, taxed)
    found = email_problems(email) | name_problems(named, name)
    if VOUCHERS[type_].tax_id and (not tax_id or holds_card_or_secret(tax_id)):
        found[taxed] = "Enter your CPF or CNPJ."
    _check(found)
    given = {"tax_id": tax_id} if VOUCHERS[type_].tax_id else {}
    return payment_methods.keep_voucher(visit.tx, type_, given, {"email": email, "name": name})


def _redirect(visit: Visit, email: str, type_: str) -> Json:
    found, given = email_problems(email), {}
    if type_ == "upi" and text(visit.form, "upi_by") == "id":
        given["vpa"] = text(visit.form, "upi_vpa")
        if not _UPI_ID.fullmatch(given["vpa"]) or holds_card_or_secret(given["vpa"]):
            found["upi_vpa"] = "Enter your UPI ID as name@bank."
    _check(found)
    return payment_methods.keep_redirect(visit.tx, type_, given, {"email": email})


def _check(problems: dict[str, str]) -> None:
    if problems:
        raise Retry(422, problems=problems)
