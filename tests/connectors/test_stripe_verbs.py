"""What every connector must do, tried on Stripe's against the sandbox."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from payloom.connectors.contract import (
    AmountNotSupported,
    AttemptRef,
    Decline,
    Expired,
    LineItem,
    Method,
    MethodTypeUnavailable,
    Paid,
    Refused,
    Registered,
    StillOpen,
    Unknown,
)
from payloom.connectors.stripe.currencies import from_stripe, scaled, to_stripe
from payloom.connectors.stripe.methods import METHOD_TYPES
from payloom.core.currencies import EXPONENTS
from payloom.core.money import Money
from tests.connectors.conftest import Psp, a_registration, connector_at

NOW = datetime.now(UTC)


async def test_a_registration_makes_one_page_that_carries_our_ids(psp: Psp) -> None:
    registration = a_registration()
    rendered = psp.connector.render(registration, registration.attempt)
    outcome = await psp.connector.register(rendered)
    assert isinstance(outcome, Registered)
    (session,) = await psp.sessions()
    assert (session["id"], session["url"]) == (outcome.token, outcome.url)
    assert session["client_reference_id"] == registration.payment_order
    assert session["metadata"]["payloom_attempt"] == registration.attempt
    assert session["metadata"]["payloom_reference"] == registration.reference
    assert (session["amount_total"], session["currency"]) == (4999, "eur")
    assert session["expires_at"] == int(registration.expires_at.timestamp())


async def test_the_same_request_again_gives_the_same_page(psp: Psp) -> None:
    registration = a_registration()
    rendered = psp.connector.render(registration, registration.attempt)
    first = await psp.connector.register(rendered)
    assert await psp.connector.register(rendered) == first
    answers = await asyncio.gather(*(psp.connector.register(rendered) for _ in range(20)))
    assert {answer for answer in answers if not isinstance(answer, Unknown)} <= {first}
    assert len(await psp.sessions()) == 1


@pytest.mark.parametrize("effect", ["drop", "apply_then_drop", "truncate"])
async def test_a_lost_answer_is_found_by_sending_again(psp: Psp, effect: str) -> None:
    await psp.fault("/v1/checkout/sessions", effect)
    registration = a_registration()
    rendered = psp.connector.render(registration, registration.attempt)
    assert isinstance(await psp.connector.register(rendered), Unknown)
    again = await psp.connector.register(rendered)
    assert isinstance(again, Registered)
    assert [session["id"] for session in await psp.sessions()] == [again.token]


async def test_too_many_requests_means_not_executed(psp: Psp) -> None:
    await psp.fault("/v1/checkout/sessions", "status", status=429)
    registration = a_registration()
    rendered = psp.connector.render(registration, registration.attempt)
    limited = await psp.connector.register(rendered)
    assert isinstance(limited, Unknown)
    assert limited.executed is False
    assert isinstance(await psp.connector.register(rendered), Registered)


async def test_an_error_kept_under_the_key_is_known_by_its_second_coming(psp: Psp) -> None:
    await psp.fault("/v1/checkout/sessions", "status", status=500)
    registration = a_registration()
    rendered = psp.connector.render(registration, registration.attempt)
    answers = [await psp.connector.register(rendered) for _ in range(2)]
    assert [isinstance(one, Unknown) and one.is_kept for one in answers] == [False, True]
    ref = AttemptRef(registration.attempt, None)
    assert isinstance(await psp.connector.find(ref, NOW), Refused)


async def test_an_unpaid_page_is_open_and_remembers_the_last_decline(psp: Psp) -> None:
    ref, _ = await psp.registered()
    assert await psp.connector.look_up(ref) == StillOpen()
    assert ref.token is not None
    await psp.pay(ref.token, "4000000000009995")
    declined = StillOpen(Decline("card_declined", "insufficient_funds"))
    assert await psp.connector.look_up(ref) == declined


async def test_a_paid_page_tells_all_that_must_fit(psp: Psp) -> None:
    registration = a_registration()
    rendered = psp.connector.render(registration, registration.attempt)
    outcome = await psp.connector.register(rendered)
    assert isinstance(outcome, Registered)
    await psp.pay(outcome.token)
    paid = await psp.connector.look_up(AttemptRef(registration.attempt, outcome.token))
    assert isinstance(paid, Paid)
    assert paid.amount == Money(4999, "EUR")
    assert paid.payment_order == registration.payment_order
    assert paid.psp_payment.startswith("pi_")
    assert paid.method == Method("card", "visa", "4242", "US")


async def test_a_session_of_another_attempt_is_not_believed(psp: Psp) -> None:
    ref, _ = await psp.registered()
    assert ref.token is not None
    await psp.pay(ref.token)
    other = AttemptRef(a_registration().attempt, ref.token)
    assert isinstance(await psp.connector.look_up(other), Unknown)
    assert isinstance(await psp.connector.expire(other), Unknown)


async def test_an_open_page_can_be_ended_and_a_paid_one_cannot(psp: Psp) -> None:
    ref, _ = await psp.registered()
    assert await psp.connector.expire(ref) == Expired()
    assert await psp.connector.expire(ref) == Expired()
    assert await psp.connector.look_up(ref) == Expired()
    paid, _ = await psp.registered()
    assert paid.token is not None
    await psp.pay(paid.token)
    assert isinstance(await psp.connector.expire(paid), Paid)


async def test_without_a_token_nothing_is_looked_up(psp: Psp) -> None:
    ref = AttemptRef(a_registration().attempt, None)
    assert isinstance(await psp.connector.look_up(ref), Unknown)
    assert isinstance(await psp.connector.expire(ref), Unknown)
    assert await psp.call("GET", "/_sandbox/log") == []


async def test_a_page_that_came_to_its_end_is_expired(psp: Psp) -> None:
    ref, _ = await psp.registered()
    await psp.call("POST", "/_sandbox/clock/advance", json={"seconds": 3_700})
    assert await psp.connector.look_up(ref) == Expired()


async def test_what_a_lost_registration_left_is_found_among_many(psp: Psp) -> None:
    wanted, outcome = await psp.registered()
    for _ in range(110):  # more than a page of the list
        await psp.registered()
    lost = replace(wanted, token=None)
    assert await psp.connector.find(lost, NOW) == outcome
    nobody = AttemptRef(a_registration().attempt, None)
    assert await psp.connector.find(nobody, NOW) == Refused(
        "never_registered", "Stripe has no session of this attempt"
    )
    reads = [e for e in await psp.call("GET", "/_sandbox/log") if e["method"] == "GET"]
    assert len(reads) == 4
    assert isinstance(await psp.connector.find(lost, NOW - timedelta(minutes=11)), Refused)


async def test_a_list_that_fails_proves_nothing(psp: Psp) -> None:
    ref, _ = await psp.registered()
    await psp.fault("/v1/checkout/sessions", "status", status=500, method="GET", count=-1)
    assert isinstance(await psp.connector.find(replace(ref, token=None), NOW), Unknown)


async def test_a_found_page_that_ended_tells_its_end(psp: Psp) -> None:
    ref, _ = await psp.registered()
    await psp.connector.expire(ref)
    assert await psp.connector.find(replace(ref, token=None), NOW) == Expired()


async def test_a_key_that_is_not_valid_refuses_no_order(psp: Psp) -> None:
    registration = a_registration()
    for key in ("sk_test_", "nonsense"):
        stranger = connector_at(psp.url, psp.http, key)
        rendered = stranger.render(registration, registration.attempt)
        answer = await stranger.register(rendered)
        assert isinstance(answer, Unknown)
        assert answer.executed is False


MONEY = [
    (Money(4999, "EUR"), 4999),
    (Money(500, "JPY"), 500),
    (Money(50_000, "KRW"), 50_000),
    (Money(1230, "KWD"), 1230),
    (Money(500, "ISK"), 50_000),
    (Money(5_000, "UGX"), 500_000),
    (Money(500_000, "MGA"), 5_000),
    (Money(1, "SAR"), 1),
]


@pytest.mark.parametrize(("amount", "wire"), MONEY, ids=lambda value: str(value))
async def test_an_amount_goes_out_and_comes_back_in_the_psps_scale(
    psp: Psp, amount: Money, wire: int
) -> None:
    ref, _ = await psp.registered(amount=amount, line_items=())
    (session,) = await psp.sessions()
    assert session["amount_total"] == wire
    assert ref.token is not None
    await psp.pay(ref.token)
    paid = await psp.connector.look_up(ref)
    assert isinstance(paid, Paid)
    assert paid.amount == amount


@pytest.mark.parametrize(
    ("amount", "field"),
    [
        (Money(1234, "KWD"), "amount"),
        (Money(150, "MGA"), "amount"),
        (Money(49, "EUR"), "amount"),
        (Money(49, "JPY"), "amount"),
        (Money(100_000_000, "EUR"), "amount"),
        (Money(1_000_000, "ISK"), "amount"),
        (Money(1000, "CUP"), "currency"),
    ],
    ids=lambda value: str(value),
)
async def test_what_the_psp_cannot_take_is_refused_before_it_is_sent(
    psp: Psp, amount: Money, field: str
) -> None:
    with pytest.raises(AmountNotSupported) as refused:
        psp.connector.render(a_registration(amount=amount, line_items=()), "key")
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_every_currency_keeps_its_value_both_ways(currency: str) -> None:
    for minor in (100, 1_000, 100_000, 123_400):
        wire = scaled(minor, currency)
        assert from_stripe(wire, currency.lower()) == Money(minor, currency)


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD", "ISK"])
def test_the_least_and_the_most_are_taken(currency: str) -> None:
    most = from_stripe(99_999_900, currency)
    assert to_stripe(most) == 99_999_900
    with pytest.raises(AmountNotSupported):
        to_stripe(most + most)


async def test_lines_that_the_currency_cannot_hold_are_named(psp: Psp) -> None:
    halves = (LineItem("a", 1, 600), LineItem("b", 2, 315))
    with pytest.raises(AmountNotSupported) as refused:
        psp.connector.render(a_registration(amount=Money(1230, "KWD"), line_items=halves), "key")
    assert [error.field for error in refused.value.errors] == ["line_items[1].unit_amount"]


async def test_lines_are_shown_as_they_are(psp: Psp) -> None:
    lines = (LineItem("Beans", 2, 1000), LineItem("Grinder", 1, 2999), LineItem("Gift", 1, 0))
    ref, _ = await psp.registered(line_items=lines)
    listed = await psp.call("GET", f"/v1/checkout/sessions/{ref.token}/line_items")
    shown = [(item["description"], item["quantity"], item["amount_total"])
             for item in listed["data"]]  # fmt: skip
    assert sorted(shown) == [("Beans", 2, 2000), ("Gift", 1, 0), ("Grinder", 1, 2999)]


@pytest.mark.parametrize(
    ("kinds", "currency", "allowed"),
    [
        ((), "EUR", []),
        (("card",), "EUR", ["card", "link"]),
        (("card", "card"), "EUR", ["card", "link"]),
        (("upi",), "INR", ["upi"]),
        (("upi", "card"), "EUR", ["card", "link"]),
        (("netbanking", "upi"), "INR", ["upi"]),
        (("bank_debit",), "GBP", ["bacs_debit"]),
        (("voucher",), "JPY", ["konbini"]),
    ],
)
def test_method_types_become_the_psps_methods_for_the_currency(
    psp: Psp, kinds: tuple[str, ...], currency: str, allowed: list[str]
) -> None:
    registration = a_registration(method_types=kinds, amount=Money(5000, currency), line_items=())
    sent = parse_qsl(psp.connector.render(registration, "key").body)
    name = "allowed_payment_method_types"
    assert [pair for pair in sent if pair[0].startswith(name)] == [
        (f"{name}[{number}]", method) for number, method in enumerate(allowed)
    ]


@pytest.mark.parametrize(
    ("kinds", "currency"), [(("netbanking",), "INR"), (("upi",), "EUR"), (("upi", "bnpl"), "JPY")]
)
def test_method_types_that_leave_nothing_are_refused(
    psp: Psp, kinds: tuple[str, ...], currency: str
) -> None:
    registration = a_registration(method_types=kinds, amount=Money(5000, currency), line_items=())
    with pytest.raises(MethodTypeUnavailable) as refused:
        psp.connector.render(registration, "key")
    assert [error.field for error in refused.value.errors] == ["method_types"]


def test_every_method_belongs_to_one_type_and_known_currencies() -> None:
    methods = [method for kind in METHOD_TYPES.values() for method in kind]
    assert len(methods) == len(set(methods))
    for kind in METHOD_TYPES.values():
        for currencies in kind.values():
            assert currencies <= set(EXPONENTS)
