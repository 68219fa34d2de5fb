"""Payment methods of all kinds, with nothing kept that could be misused.

Of a card stay brand, last four digits, expiry and a keyed hash; of an account its bank and the
last four digits.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from payloom.core.masking import mask
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.methods import bank_accounts, debits, redirects
from payloom.sandbox.stripe.methods.bank_accounts import ACCOUNTS, Account
from payloom.sandbox.stripe.methods.cards import CARDS, Card, named
from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.methods.redirects import PARAMETERS, REDIRECTS
from payloom.sandbox.stripe.methods.typed_card import CardDetails, read_card
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, missing_parameter, no_such
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_ADDRESS_FIELDS = params.hash_of(dict.fromkeys(_ADDRESS, params.text(may_be_empty=True)))
# Stripe's, but of no effect here
_IDLE = {
    "us_bank_account": ("account_holder_type", "account_type"),
    "nz_bank_account": ("account_holder_name", "reference"),
}


def _account_fields(debit: debits.Debit) -> params.Check:
    names = [field.name for field in debit.fields]
    # their values are checked together, by words that do not repeat them
    return params.hash_of(dict.fromkeys([*names, *_IDLE.get(debit.type, ())], params.anything))


def _named(*names: str) -> params.Check:
    return params.hash_of(dict.fromkeys(names, params.anything))


_CREATE: dict[str, params.Check] = {
    "type": params.text(),
    "allow_redisplay": params.one_of("always", "limited", "unspecified"),
    "billing_details": params.hash_of(
        {
            "address": _ADDRESS_FIELDS,
            "email": params.text(may_be_empty=True),
            "name": params.text(may_be_empty=True),
            "phone": params.text(may_be_empty=True),
            "tax_id": params.text(may_be_empty=True),
        }
    ),
    "card": params.hash_of(
        {
            "cvc": params.text(10),
            "exp_month": params.integer(),
            "exp_year": params.integer(),
            "networks": params.anything,
            "number": params.text(40),
            "token": params.text(),
        }
    ),
    "expand": params.EXPAND,
    "metadata": params.new_metadata,
    **{type_: _account_fields(debit) for type_, debit in DEBITS.items()},
    **dict.fromkeys(VOUCHERS, params.hash_of({})),
    **{type_: _named(*PARAMETERS.get(type_, ())) for type_ in REDIRECTS},
    "boleto": params.hash_of({"tax_id": params.text(40)}, required=("tax_id",)),
}


UPDATE: dict[str, params.Check] = {
    "allow_redisplay": _CREATE["allow_redisplay"],
    "billing_details": _CREATE["billing_details"],
    "card": params.hash_of(
        {
            "exp_month": params.integer(1, 12),
            "exp_year": params.integer(),
            "networks": params.anything,
        }
    ),
    "expand": params.EXPAND,
    "metadata": params.metadata,
    "us_bank_account": params.hash_of(
        {
            "account_holder_type": params.one_of("company", "individual"),
            "account_type": params.one_of("checking", "savings"),
        }
    ),
}


def create(call: Call) -> Json:
    kept = make(call, call.form)
    return render("payment_method", kept)


def make(call: Call, given: Any, name: str = "") -> Json:
    """A payment method of these parameters; `name`: of the parameter that holds them."""
    asked = params.read_inside(given, _CREATE, ("type",), name)
    method = _made(call, asked)
    if "allow_redisplay" in asked:
        method["allow_redisplay"] = asked["allow_redisplay"]
        call.tx.save(method)
    return method


def _made(call: Call, asked: Json) -> Json:
    type_ = asked["type"]
    details, billing = asked.get(type_, {}), asked.get("billing_details", {})
    metadata = asked.get("metadata")
    if type_ == "card":
        card = read_card(details, datetime.fromtimestamp(call.tx.now, UTC))
        return keep_card(call.tx, card, billing, call.secret, metadata=metadata)
    if type_ in DEBITS:
        account = _account(DEBITS[type_], details)
        return keep_account(call.tx, account, billing, call.secret, metadata=metadata)
    if type_ in VOUCHERS:
        if type_ == "boleto" and not details:
            raise missing_parameter("boleto")
        return keep_voucher(call.tx, type_, details, billing, metadata=metadata)
    if type_ in REDIRECTS:
        return keep_redirect(call.tx, type_, details, billing, metadata=metadata)
    raise invalid(f"Unsupported payment method type: {type_[:40]}", param="type")


def changed(method: Json, asked: Json) -> Json:
    """The method after an update, which only says what is different."""
    after = {**method}
    for name in {"card", "us_bank_account"} & asked.keys():
        if name != method["type"]:
            raise invalid(f"This PaymentMethod is no {name}.", param=name)
        given = {field: value for field, value in asked[name].items() if field != "networks"}
        after[name] = {**method[name], **given}
    if "billing_details" in asked:
        given = asked["billing_details"]
        before = method["billing_details"]
        address = {**before["address"], **given.get("address", {})}
        after["billing_details"] = billing_details({**before, **given, "address": address})
    if "allow_redisplay" in asked:
        after["allow_redisplay"] = asked["allow_redisplay"]
    after["metadata"] = params.merged(method["metadata"], asked.get("metadata", {}))
    return after


def retrieve(call: Call) -> Json:
    return render("payment_method", find(call.tx, call.ids[0], call.secret, param="payment_method"))


def of_call(call: Call, asked: Json) -> Json | None:
    """The payment method of a call: named, or made of what is said of it."""
    if "payment_method_data" in asked:
        return make(call, asked["payment_method_data"], "payment_method_data")
    if "payment_method" in asked:
        return find(call.tx, asked["payment_method"], call.secret, param="payment_method")
    return None


def find(tx: Tx, id_: str, secret: bytes, *, param: str, status: int = 404) -> Json:
    """A kept payment method; a test one (`pm_card_visa`) is made new each time it is named."""
    if id_.startswith("pm_card_") and (card := named(id_)) is not None:
        year = datetime.fromtimestamp(tx.now, UTC).year + 1
        return keep_card(tx, CardDetails(card, 12, year, cvc_given=False), {}, secret)
    if (account := bank_accounts.named(id_)) is not None:
        return keep_account(tx, account, {}, secret)
    kept = tx.load("payment_method", id_)
    if kept is None:
        raise no_such("PaymentMethod", id_, param=param, status=status)
    return kept


def keep_card(
    tx: Tx,
    details: CardDetails,
    billing: Json,
    secret: bytes,
    *,
    metadata: Json | None = None,
    wallet: str | None = None,
) -> Json:
    """`wallet`: the one that the card came out of, `apple_pay` or `google_pay`."""
    card = details.card
    shown = {
        "brand": card.brand,
        "checks": {
            "address_line1_check": _unchecked(billing, "line1"),
            "address_postal_code_check": _unchecked(billing, "postal_code"),
            "cvc_check": "unchecked" if details.cvc_given else None,
        },
        "country": card.country,
        "description": None,
        "display_brand": card.brand,
        "exp_month": details.exp_month,
        "exp_year": details.exp_year,
        "fingerprint": _fingerprint(card.number, secret),
        "funding": card.funding,
        "generated_from": None,
        "iin": None,
        "issuer": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": wallet and _wallet(wallet, card.number[-4:]),
    }
    return _keep(tx, "card", shown, billing, metadata)


def _unchecked(billing: Json, name: str) -> str | None:
    """A part of the address is checked by the bank, once the card is used."""
    return "unchecked" if (billing.get("address") or {}).get(name) else None


def keep_account(
    tx: Tx, account: Account, billing: Json, secret: bytes, *, metadata: Json | None = None
) -> Json:
    debit = DEBITS[account.debit]
    given = debits.parts(debit, account.number)
    shown = debits.kept(debit, given, _fingerprint(account.number, secret))
    return _keep(tx, debit.type, shown, billing, metadata, _account=account.token)


def keep_voucher(
    tx: Tx, type_: str, given: Json, billing: Json, *, metadata: Json | None = None
) -> Json:
    return _keep(tx, type_, given, billing, metadata)


def keep_redirect(
    tx: Tx, type_: str, given: Json, billing: Json, *, metadata: Json | None = None
) -> Json:
    shown = redirects.kept(type_, given, billing.get("email"))
    return _keep(tx, type_, shown, billing, metadata)


def _wallet(type_: str, last4: str) -> Json:
    """Apple's device has a card number of its own."""
    return {"dynamic_last4": last4 if type_ == "apple_pay" else None, "type": type_, type_: {}}


def _keep(
    tx: Tx, type_: str, shown: Json, billing: Json, metadata: Json | None, **private: str
) -> Json:
    kept = {
        "id": new_id("pm"),
        "billing_details": billing_details(billing),
        type_: shown,
        "created": int(tx.now),
        "livemode": tx.tenant.livemode,
        "metadata": metadata or {},
        "type": type_,
        **private,
    }
    tx.insert("payment_method", kept)
    return kept


def card_of(method: Json, secret: bytes) -> Card:
    """The test card behind a kept payment method, known again by its fingerprint."""
    return _by_fingerprint(secret)[method["card"]["fingerprint"]]


@cache
def _by_fingerprint(secret: bytes) -> dict[str, Card]:
    return {_fingerprint(number, secret): card for number, card in CARDS.items()}


def billing_details(given: Mapping[str, Any]) -> Json:
    address = given.get("address") or {}
    return {
        "address": {name: _kept(address.get(name)) for name in _ADDRESS},
        **{name: _kept(given.get(name)) for name in ("email", "name", "phone", "tax_id")},
    }


def _account(debit: debits.Debit, asked: Json) -> Account:
    given = {}
    for field in debit.fields:
        if not isinstance(asked.get(field.name), str):
            raise missing_parameter(f"{debit.type}[{field.name}]")
        given[field.name] = debits.tidy(asked[field.name])
    for name, flaw in debits.flaws(debit, given).items():
        raise invalid(flaw, param=f"{debit.type}[{name}]", code=_CODES.get(name))
    account = ACCOUNTS.get((debit.type, debit.number(given)))
    if account is None:
        raise invalid(bank_accounts.NOT_A_TEST_ACCOUNT, code="bank_account_unusable")
    return account


_CODES = {
    "account_number": "account_number_invalid",
    "routing_number": "routing_number_invalid",
}


def _kept(text: str | None) -> str | None:
    """Shoppers type their card number into any field."""
    return text and mask(text)


def _fingerprint(number: str, secret: bytes) -> str:
    """The same for the same card or account in this store, and of no use anywhere else."""
    return hmac.new(secret, number.encode(), hashlib.sha256).hexdigest()[:16]
