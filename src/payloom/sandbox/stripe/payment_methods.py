"""Payment methods: a card, of which only brand, last four digits, expiry and a keyed hash stay."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe import params
from payloom.sandbox.stripe.call import Call
from payloom.sandbox.stripe.card_check import flaws
from payloom.sandbox.stripe.cards import CARDS, NOT_A_TEST_CARD, Card, Decline, named
from payloom.sandbox.stripe.errors import StripeError, invalid, missing_parameter, no_such
from payloom.sandbox.stripe.ids import new_id
from payloom.sandbox.stripe.shapes import render

Json = dict[str, Any]

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_ADDRESS_FIELDS = params.hash_of(dict.fromkeys(_ADDRESS, params.text(may_be_empty=True)))
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
}


@dataclass(frozen=True, slots=True)
class CardDetails:
    """A card that passed the checks."""

    card: Card
    exp_month: int
    exp_year: int
    cvc_given: bool


def create(call: Call) -> Json:
    asked = params.read(call.form, _CREATE, required=("type",))
    if asked["type"] != "card":
        raise invalid(f"Unsupported payment method type: {asked['type'][:40]}", param="type")
    details = _details(asked.get("card", {}), call)
    billing, metadata = asked.get("billing_details", {}), asked.get("metadata")
    kept = keep(call.tx, details, billing, call.secret, metadata=metadata)
    return render("payment_method", kept)


def retrieve(call: Call) -> Json:
    return render("payment_method", find(call.tx, call.ids[0], call.secret, param="payment_method"))


def find(tx: Tx, id_: str, secret: bytes, *, param: str) -> Json:
    """A kept payment method; a test one (`pm_card_visa`) is made new each time it is named."""
    if id_.startswith("pm_card_") and (card := named(id_)) is not None:
        year = datetime.fromtimestamp(tx.now, UTC).year + 1
        return keep(tx, CardDetails(card, 12, year, cvc_given=False), {}, secret)
    kept = tx.load("payment_method", id_)
    if kept is None:
        raise no_such("PaymentMethod", id_, param=param, status=404)
    return kept


def keep(
    tx: Tx, details: CardDetails, billing: Json, secret: bytes, *, metadata: Json | None = None
) -> Json:
    card = details.card
    kept = {
        "id": new_id("pm"),
        "billing_details": billing_details(billing),
        "card": {
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
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
            "wallet": None,
        },
        "created": int(tx.now),
        "livemode": tx.tenant.livemode,
        "metadata": metadata or {},
        "type": "card",
    }
    tx.insert("payment_method", kept)
    return kept


def card_of(method: Json, secret: bytes) -> Card:
    """The test card behind a kept payment method, known again by its fingerprint."""
    return _by_fingerprint(secret)[method["card"]["fingerprint"]]


@cache
def _by_fingerprint(secret: bytes) -> dict[str, Card]:
    return {_fingerprint(number, secret): card for number, card in CARDS.items()}


def billing_details(given: Json) -> Json:
    address = given.get("address") or {}
    return {
        "address": {name: address.get(name) for name in _ADDRESS},
        "email": given.get("email"),
        "name": given.get("name"),
        "phone": given.get("phone"),
        "tax_id": given.get("tax_id"),
    }


def card_error(decline: Decline, param: str | None = None) -> StripeError:
    more = {"decline_code": decline.decline_code} if decline.decline_code else {}
    if decline.advice_code:
        more["advice_code"] = decline.advice_code
    return StripeError(
        402, "card_error", decline.message, code=decline.code, param=param, more=more
    )


def _details(asked: Json, call: Call) -> CardDetails:
    today = datetime.fromtimestamp(call.tx.now, UTC)
    if "token" in asked:
        card = named(asked["token"]) if asked["token"].startswith("tok_") else None
        if card is None:
            raise no_such("token", asked["token"], param="card[token]", status=400)
        return CardDetails(card, 12, today.year + 1, cvc_given=False)
    for name in ("number", "exp_month", "exp_year"):
        if name not in asked:
            raise missing_parameter(f"card[{name}]")
    number = asked["number"].replace(" ", "").replace("-", "")
    year = asked["exp_year"] + (2000 if 0 <= asked["exp_year"] < 100 else 0)
    if found := flaws(number, asked["exp_month"], year, asked.get("cvc"), today=today):
        flaw = found[0]
        raise card_error(Decline(flaw.code, "", flaw.message, ""), f"card[{flaw.param}]")
    if number not in CARDS:
        raise card_error(NOT_A_TEST_CARD)
    return CardDetails(CARDS[number], asked["exp_month"], year, cvc_given="cvc" in asked)


def _fingerprint(number: str, secret: bytes) -> str:
    """The same for the same card in this store, and of no use anywhere else."""
    return hmac.new(secret, number.encode(), hashlib.sha256).hexdigest()[:16]
