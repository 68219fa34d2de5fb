"""What operators see of a notice: all that it says, and nobody's secret, card or name."""

import json
from typing import Any

import pytest

from payloom.connectors.contract import (
    Concerns,
    Ignored,
    Meaning,
    Method,
    NotOurs,
    Paid,
    UnreadableNotice,
)
from payloom.core.money import Money
from payloom.notices.view import MASKED, show_body, show_meaning

HIDDEN = {
    "email": "ada@example.com", "phone": "+353 1 234", "name": "Ada Weaver", "line1": "1 Loom Lane",
    "postal_code": "D01", "ip": "198.51.100.7", "client_secret": "pi_1_secret_Xy",
}  # fmt: skip


def test_what_is_about_a_person_is_blanked_and_the_rest_is_not() -> None:
    told = {"id": "cs_1", "amount_total": 4999, "livemode": False, "customer": None,
            "customer_details": {**HIDDEN, "address": {"country": "IE", "city": "Dublin"}},
            "more": [{"email": "bob@example.com"}, ["x", 1.5]]}  # fmt: skip
    shown = show_body(json.dumps(told).encode())
    assert shown == {
        **told,
        "customer_details": {
            **dict.fromkeys(HIDDEN, MASKED),
            "address": {"country": "IE", "city": MASKED},
        },
        "more": [{"email": MASKED}, ["x", 1.5]],
    }


def test_cards_and_secrets_are_blanked_wherever_they_stand() -> None:
    told = {"a": "paid with 4242 4242 4242 4242", "b": ["whsec_" + "a" * 20], "c": 4242424242424242}
    text = json.dumps(show_body(json.dumps(told).encode()))
    assert "4242" not in text
    assert "aaaa" not in text


def test_what_opens_a_page_is_cut_from_its_address() -> None:
    told = {
        "success_url": "https://pay.example/return/att_1?t=00ff",
        "url": "https://c.example/p#x",
    }
    assert show_body(json.dumps(told).encode()) == {
        "success_url": "https://pay.example/return/att_1",
        "url": "https://c.example/p",
    }


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", ""),
        (b"{", "{"),
        (b"\xff\x00{", "\\xff\x00{"),
        (b"not json, sk_live_" + b"a" * 24, "not json, [secret]"),
        (b"5", 5),
        (b"[" * 100_000, "[" * 20_000),
        (b'{"a":' * 900 + b"1" + b"}" * 900, None),
    ],
)
def test_any_bytes_can_be_shown(body: bytes, shown: Any) -> None:
    found = show_body(body)
    json.dumps(found if shown is not None else None)
    assert shown is None or found == shown


MEANINGS: list[tuple[Meaning | UnreadableNotice, dict[str, Any]]] = [
    (NotOurs(), {"kind": "not_ours", "why": "carries no id of ours"}),
    (Ignored("x moves nothing"), {"kind": "ignored", "why": "x moves nothing"}),
    (UnreadableNotice("no JSON"), {"kind": "unreadable", "why": "no JSON"}),
    (
        Concerns("att_1", Paid(Money(4999, "EUR"), "pi_1", "po_1", method=Method("card", "visa"))),
        {
            "kind": "concerns",
            "attempt_id": "att_1",
            "says": "Paid",
            "details": {
                "amount": {"minor": 4999, "currency": "EUR"},
                "psp_payment": "pi_1",
                "payment_order": "po_1",
                "psp_account": None,
                "method": {"type": "card", "brand": "visa", "last4": None, "country": None},
            },
        },
    ),
]


@pytest.mark.parametrize(("meaning", "shown"), MEANINGS, ids=lambda value: str(value)[:20])
def test_every_meaning_is_told(meaning: Meaning | UnreadableNotice, shown: dict[str, Any]) -> None:
    assert show_meaning(meaning) == shown
