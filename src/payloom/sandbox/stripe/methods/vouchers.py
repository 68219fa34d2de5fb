"""Vouchers: the shopper gets a number and pays at a counter, days later or never.

Which of these it will be says the shopper's email address, as in Stripe's own sandbox
(docs.stripe.com/payments/oxxo/accept-a-payment and alike).
"""

import secrets
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

DAY = 86_400
SOON_S = 5


@dataclass(frozen=True, slots=True)
class Voucher:
    type: str
    title: str
    days: int  # until it expires, unless the merchant says otherwise
    counter: str  # where it is paid, for the shopper
    tax_id: bool = False  # whether the shopper's is asked for


VOUCHERS = {
    voucher.type: voucher
    for voucher in (
        Voucher("boleto", "Boleto", 3, "at any bank or lottery outlet in Brazil", tax_id=True),
        Voucher("konbini", "Konbini", 3, "at FamilyMart, Lawson, Ministop or Seicomart"),
        Voucher("multibanco", "Multibanco", 7, "at a Multibanco machine or in home banking"),
        Voucher("oxxo", "OXXO", 3, "at the till of any OXXO shop"),
    )
}


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of a voucher, by how the part of the address before the @ ends."""

    ending: str
    paid_after_s: int | None  # None: never
    expires_after_s: int | None  # None: when its days are over


COURSES = (
    Course("succeed_immediately", SOON_S, None),
    Course("expire_immediately", None, SOON_S),
    Course("expire_with_delay", None, None),
    Course("fill_never", None, None),
    Course("", DAY, None),  # all other addresses
)


def course_of(email: str | None) -> Course:
    name = (email or "").partition("@")[0].lower()
    return next(course for course in COURSES if name.endswith(course.ending))


def action(type_: str, url: str, expires_at: int) -> Json:
    """The `next_action` of a payment intent that waits for its voucher to be paid."""
    name = f"{type_}_display_details"
    return {"type": name, name: {"hosted_voucher_url": url, **_number(type_, expires_at)}}


def _number(type_: str, expires_at: int) -> Json:
    if type_ == "oxxo":
        return {"expires_after": expires_at, "number": _digits(30)}
    if type_ == "boleto":
        return {"expires_at": expires_at, "number": _digits(47), "pdf": None}
    if type_ == "multibanco":
        return {"expires_at": expires_at, "entity": _digits(5), "reference": _digits(9)}
    chains = ("familymart", "lawson", "ministop", "seicomart")
    codes = {"confirmation_number": _digits(11), "payment_code": _digits(6)}
    return {"expires_at": expires_at, "stores": dict.fromkeys(chains, codes)}


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def charged(method: Json, next_action: Json) -> Json:
    """What a charge says of the voucher that was paid."""
    given = next_action[next_action["type"]]
    if method["type"] == "konbini":
        return {"store": {"chain": "familymart"}}
    if method["type"] == "boleto":
        return {"tax_id": method["boleto"]["tax_id"]}
    return {name: given[name] for name in ("number", "entity", "reference") if name in given}


def facts(next_action: Json) -> list[tuple[str, str]]:
    """What the shopper must tell at the counter: names and values."""
    given = next_action[next_action["type"]]
    if "stores" in given:
        codes = given["stores"]["familymart"]
        return [
            ("Payment code", codes["payment_code"]),
            ("Confirmation number", codes["confirmation_number"]),
        ]
    if "entity" in given:
        return [("Entity", given["entity"]), ("Reference", given["reference"])]
    return [("Number", given["number"])]
