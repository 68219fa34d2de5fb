"""Which bodies mean the same order (F03)."""

import itertools
import json
from typing import Any

import pytest

from payloom.core.errors import InvalidRequest
from payloom.payments.wanted import WantedOrder, check_supported

BODY: dict[str, Any] = {
    "reference": "W-1",
    "amount": 4999,
    "currency": "EUR",
    "return_url": "https://shop.example/return",
    "line_items": [{"name": "Beans", "quantity": 1, "unit_amount": 4999}],
    "customer": {"id": "c-1", "email": "ada@example.com"},
    "metadata": {"a": "1", "b": "2", "c": "3"},
}


def fingerprint(body: dict[str, Any]) -> bytes:
    return WantedOrder.model_validate(body).fingerprint


def test_the_order_of_keys_means_nothing() -> None:
    prints = set()
    for keys in itertools.islice(itertools.permutations(BODY), 50):
        body = {key: BODY[key] for key in keys}
        body["metadata"] = dict(reversed(BODY["metadata"].items()))
        body["customer"] = dict(reversed(BODY["customer"].items()))
        prints.add(fingerprint(body))
    assert prints == {fingerprint(BODY)}


@pytest.mark.parametrize(
    "spelled_out",
    [
        {"payment_type": "SALE", "payment_method": "APM", "capture": "automatic"},
        {"psp": None, "cancel_url": None, "description": None, "locale": None},
        {"method_types": [], "expires_in": 85_800},
        {"customer": {**BODY["customer"], "name": None, "country": None}},
    ],
)
def test_a_default_spelled_out_means_the_same(spelled_out: dict[str, Any]) -> None:
    assert fingerprint({**BODY, **spelled_out}) == fingerprint(BODY)


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "W-2"},
        {"amount": 5000, "line_items": []},
        {"currency": "USD"},
        {"return_url": "https://shop.example/return?"},
        {"line_items": []},
        {"line_items": [{"name": "beans", "quantity": 1, "unit_amount": 4999}]},
        {"customer": None},
        {"customer": {"id": "c-2", "email": "ada@example.com"}},
        {"metadata": {"a": "1", "b": "2"}},
        {"metadata": {"a": "2", "b": "1", "c": "3"}},
        {"method_types": ["card"]},
        {"psp": "stripe"},
        {"description": "x"},
        {"cancel_url": "https://shop.example/cancel"},
        {"expires_in": 85_801},
        {"locale": "de"},
    ],
)
def test_one_other_value_means_another_order(changes: dict[str, Any]) -> None:
    assert fingerprint({**BODY, **changes}) != fingerprint(BODY)


def test_defaults_are_no_part_of_a_fingerprint() -> None:
    """So that a field which comes later leaves the fingerprints of old orders as they are."""
    meant = json.loads(WantedOrder.model_validate(BODY).canonical)
    assert meant == BODY


def test_plain_http_is_for_test_mode_only() -> None:
    wanted = WantedOrder.model_validate(
        BODY | {"return_url": "HTTP://localhost/r", "cancel_url": "http://[::1]/c"}
    )
    check_supported(wanted, "test")
    with pytest.raises(InvalidRequest) as refused:
        check_supported(wanted, "live")
    assert [error.field for error in refused.value.errors] == ["return_url", "cancel_url"]
    check_supported(WantedOrder.model_validate(BODY), "live")
