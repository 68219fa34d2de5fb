"""Which calls are the PSP's, and what they say (F40 to F42)."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from payloom.connectors.contract import (
    Concerns,
    Connector,
    Decline,
    Expired,
    Failed,
    ForgedNotice,
    Ignored,
    Method,
    Notice,
    NotOurs,
    Paid,
    Processing,
    StillOpen,
    Unknown,
    UnreadableNotice,
)
from payloom.connectors.stripe import notices
from payloom.connectors.stripe.mapping import VERSION
from payloom.core.money import Money
from tests.connectors.conftest import connector_at

SECRETS = ("whsec_" + "a" * 32, "whsec_" + "b" * 32)
NOW = datetime.now(UTC)
BODY = b'{"id": "evt_1", "object": "event", "type": "checkout.session.completed"}'


@pytest.fixture
def connector(http: aiohttp.ClientSession) -> Connector:
    return connector_at("http://127.0.0.1:9", http, "sk_test_" + "a" * 24, *SECRETS)


def signed(body: bytes, secret: str = SECRETS[0], *, at: float | None = None) -> dict[str, str]:
    header = stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp=int(time.time() if at is None else at)
    )
    return {"stripe-signature": header}


def test_each_live_secret_verifies(connector: Connector) -> None:
    for secret in SECRETS:
        reading = connector.read_notice(signed(BODY, secret), BODY, NOW)
        assert reading.notices == (Notice("evt_1", "checkout.session.completed"),)
        assert reading.reply_status == 200


def test_one_good_signature_among_several_is_enough(connector: Connector) -> None:
    good = signed(BODY)["stripe-signature"]
    stamp, _, value = good.partition(",v1=")
    header = f"{stamp},v0={value},v1={'0' * 64},v1={value}"
    assert connector.read_notice({"stripe-signature": header}, BODY, NOW).notices


@pytest.mark.parametrize(
    "header",
    [None, "", "t=", "v1=", "t=1", "t=abc,v1=00", "t=1,v1=zz", "t=,v1=", ",,,", "é", "t=1=2,v1=0",
     "v1=" + "0" * 64, "t=99999999999999999999,v1=" + "0" * 64, "t=1,v1=é", "t=1,v1=\udce9"],
)  # fmt: skip
def test_no_signature_is_forged(connector: Connector, header: str | None) -> None:
    headers = {} if header is None else {"stripe-signature": header}
    with pytest.raises(ForgedNotice):
        connector.read_notice(headers, BODY, NOW)


def test_another_secret_is_forged(connector: Connector) -> None:
    for secret in ("whsec_" + "c" * 32, "", "a" * 32, SECRETS[0] + "\n", SECRETS[0][:-1]):
        with pytest.raises(ForgedNotice):
            connector.read_notice(signed(BODY, secret), BODY, NOW)


def test_the_scheme_v0_alone_is_forged(connector: Connector) -> None:
    header = signed(BODY)["stripe-signature"].replace("v1=", "v0=")
    with pytest.raises(ForgedNotice):
        connector.read_notice({"stripe-signature": header}, BODY, NOW)


def test_every_changed_byte_is_forged(connector: Connector) -> None:
    headers = signed(BODY)
    for index in range(len(BODY)):
        changed = bytearray(BODY)
        changed[index] ^= 1
        with pytest.raises(ForgedNotice):
            connector.read_notice(headers, bytes(changed), NOW)
    for changed_body in (BODY + b" ", b" " + BODY, b"", json.dumps(json.loads(BODY)).encode() * 2):
        with pytest.raises(ForgedNotice):
            connector.read_notice(headers, changed_body, NOW)


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-320, False), (-280, True), (0, True), (280, True), (320, False)]
)
def test_the_time_of_signing_is_near_now(
    connector: Connector, seconds: int, accepted: bool
) -> None:
    headers = signed(BODY, at=time.time() + seconds)
    now = datetime.now(UTC)
    if accepted:
        assert connector.read_notice(headers, BODY, now).notices
    else:
        with pytest.raises(ForgedNotice):
            connector.read_notice(headers, BODY, now)


def test_without_any_secret_everything_is_forged(http: aiohttp.ClientSession) -> None:
    bare = connector_at("http://127.0.0.1:9", http, "sk_test_" + "a" * 24)
    with pytest.raises(ForgedNotice):
        bare.read_notice(signed(BODY, ""), BODY, NOW)


UNREADABLE: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"[" * 50_000,
    b'{"object": "event"}',
    b'{"id": 5, "object": "event", "type": "x.y"}',
    b'{"id": "", "object": "event", "type": "x.y"}',
    b'{"id": "evt_1", "object": "event", "type": ""}',
    b'{"id": "evt_1", "object": "session", "type": "x.y"}',
    b'{"id": "evt_1", "object": "v2.core.event", "type": "v1.x.y"}',
    b'{"id": "' + b"x" * 256 + b'", "object": "event", "type": "x.y"}',
    rb'{"id": "evt_\u0000", "object": "event", "type": "x.y"}',
    rb'{"id": "evt_\ud800", "object": "event", "type": "x.y"}',
    rb'{"id": "evt_1", "object": "event", "type": "x.\u0000"}',
    rb'{"id": "evt_1", "object": "event", "type": "x.\udfff"}',
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_genuine_call_that_says_nothing_is_unreadable(connector: Connector, body: bytes) -> None:
    with pytest.raises(UnreadableNotice):
        connector.read_notice(signed(body), body, NOW)
    with pytest.raises(UnreadableNotice):
        connector.meaning(body)


def session(**changes: Any) -> dict[str, Any]:
    return {
        "object": "checkout.session",
        "id": "cs_test_1",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 4999,
        "currency": "eur",
        "payment_intent": "pi_1",
        "client_reference_id": "po_1",
        "metadata": {"payloom_attempt": "att_1"},
        **changes,
    }


def event(kind: str, thing: object, **changes: Any) -> bytes:
    told = {"id": "evt_1", "object": "event", "type": kind, "livemode": False,
            "api_version": VERSION, "data": {"object": thing}, **changes}  # fmt: skip
    return json.dumps(told).encode()


COMPLETED = "checkout.session.completed"
PAID = Paid(Money(4999, "EUR"), "pi_1", "po_1")
DECLINED = {"last_payment_error": {"code": "card_declined", "decline_code": "lost_card"}}
MEANINGS: list[tuple[str, dict[str, Any], Any]] = [
    (COMPLETED, session(), PAID),
    (COMPLETED, session(payment_status="unpaid"), Processing("pi_1")),
    ("checkout.session.async_payment_succeeded", session(), PAID),
    (
        "checkout.session.async_payment_failed",
        session(payment_status="unpaid"),
        Failed(Decline("payment_failed"), "pi_1"),
    ),
    ("checkout.session.expired", session(status="expired", payment_status="unpaid"), Expired()),
    (
        "payment_intent.payment_failed",
        {"metadata": {"payloom_attempt": "att_1"}, **DECLINED},
        StillOpen(Decline("card_declined", "lost_card")),
    ),
    (
        COMPLETED,
        session(
            payment_intent={
                "id": "pi_1",
                "latest_charge": {
                    "payment_method_details": {
                        "type": "sepa_debit",
                        "sepa_debit": {"last4": "3000"},
                    }
                },
            }
        ),
        Paid(Money(4999, "EUR"), "pi_1", "po_1", method=Method("bank_debit")),
    ),
    (COMPLETED, session(currency="isk", amount_total=50_000),
     Paid(Money(500, "ISK"), "pi_1", "po_1")),
    (COMPLETED, session(currency="jpy", amount_total=500), Paid(Money(500, "JPY"), "pi_1", "po_1")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "thing", "outcome"), MEANINGS)
def test_what_an_event_says(
    connector: Connector, kind: str, thing: dict[str, Any], outcome: Any
) -> None:
    assert connector.meaning(event(kind, thing)) == Concerns("att_1", outcome)


def test_other_kinds_are_ignored_and_others_things_are_not_ours(connector: Connector) -> None:
    for kind in ("charge.succeeded", "payment_intent.succeeded", "no.such.kind", "x"):
        assert isinstance(connector.meaning(event(kind, session())), Ignored)
    assert connector.meaning(event("charge.updated", {})) == Ignored(
        "charge.updated moves nothing of ours"
    )
    odd: list[Any] = [None, {}, {"payloom_attempt": 5}, {"order": "1"}, []]
    for metadata in odd:
        found = connector.meaning(event(COMPLETED, session(metadata=metadata)))
        assert found == NotOurs()


@pytest.mark.parametrize("livemode", [True, None, "false", 0])
def test_an_event_of_the_other_mode_is_unreadable(connector: Connector, livemode: Any) -> None:
    with pytest.raises(UnreadableNotice, match="mode"):
        connector.meaning(event(COMPLETED, session(), livemode=livemode))


def test_a_decline_carries_the_time_at_which_it_was_told(connector: Connector) -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)
    intent = {"metadata": {"payloom_attempt": "att_1"}, **DECLINED}
    told = event("payment_intent.payment_failed", intent, created=int(at.timestamp()))
    meant = connector.meaning(told)
    assert meant == Concerns("att_1", StillOpen(Decline("card_declined", "lost_card", at)))
    unpaid = session(payment_status="unpaid")
    kind = "checkout.session.async_payment_failed"
    meant = connector.meaning(event(kind, unpaid, created=int(at.timestamp())))
    assert meant == Concerns("att_1", Failed(Decline("payment_failed", None, at), "pi_1"))


@pytest.mark.parametrize("created", [None, "1", 1.5, True, 0, -1, 10**30])
def test_an_odd_time_is_none(connector: Connector, created: Any) -> None:
    intent = {"metadata": {"payloom_attempt": "att_1"}, **DECLINED}
    meant = connector.meaning(event("payment_intent.payment_failed", intent, created=created))
    assert meant == Concerns("att_1", StillOpen(Decline("card_declined", "lost_card")))


def test_a_type_that_is_new_is_ignored_and_told(connector: Connector) -> None:
    meant = connector.meaning(event("checkout.session.paid_in_gold", session()))
    assert isinstance(meant, Ignored)
    assert meant.drift == "of a type that is new"
    assert len(notices._KNOWN_TYPES) > 200
    assert set(notices.EVENT_TYPES) <= notices._KNOWN_TYPES


@pytest.mark.parametrize("version", ["2020-08-27", "2027-01-01.fig", None, 5, "\x00"])
def test_another_version_is_read_as_far_as_its_shape_is_ours(
    connector: Connector, version: Any
) -> None:
    meant = connector.meaning(event(COMPLETED, session(), api_version=version))
    assert isinstance(meant, Concerns)
    assert meant.outcome == PAID
    assert "rendered for API version" in (meant.drift or "")
    other = event("charge.updated", {}, api_version=version)
    assert "rendered for API version" in (connector.meaning(other).drift or "")


def test_another_version_of_another_shape_is_unreadable_but_names_its_attempt(
    connector: Connector,
) -> None:
    old = {"id": "cs_1", "object": "checkout.session", "metadata": {"payloom_attempt": "att_1"}}
    with pytest.raises(UnreadableNotice, match=r"version 2018-01-01, .* a session in states") as e:
        connector.meaning(event(COMPLETED, old, api_version="2018-01-01"))
    assert e.value.attempt == "att_1"
    assert e.value.drift is not None
    refund = {"object": "refund", "id": "re_1", "status": "new",
              "metadata": {"payloom_attempt": "att_1", "payloom_refund": "rfd_1"}}  # fmt: skip
    with pytest.raises(UnreadableNotice, match="a refund in status 'new'"):
        connector.meaning(event("refund.updated", refund, api_version="2018-01-01"))


@pytest.mark.parametrize("account", ["acct_1Other", "", 5, "\x00", {"id": "acct_1"}])
def test_a_connected_account_speaks_for_itself_only(connector: Connector, account: Any) -> None:
    with pytest.raises(UnreadableNotice, match="names att_1, but is of the account"):
        connector.meaning(event(COMPLETED, session(), account=account))
    for mode in (True, False):  # live endpoints hear of their accounts' test payments, too
        theirs = event(COMPLETED, session(metadata={}), account=account, livemode=mode)
        meant = connector.meaning(theirs)
        assert isinstance(meant, NotOurs)
        assert meant.why.startswith("is of the account ")
        assert meant.why.isprintable()
    assert connector.meaning(event(COMPLETED, session(), account=None)) == Concerns("att_1", PAID)


ODD_SESSIONS: list[dict[str, Any]] = [
    session(amount_total=None),
    session(amount_total="4999"),
    session(amount_total=49.99),
    session(amount_total=True),
    session(amount_total=0),
    session(amount_total=-4999),
    session(amount_total=10**30),
    session(currency=None),
    session(currency="xxx"),
    session(currency="\u0000"),
    session(currency="isk", amount_total=50_050),
    session(payment_intent=None),
    session(payment_intent=5),
    session(payment_intent="\u0000"),
    session(payment_intent={"id": "x" * 10_000}),
    session(status="new"),
    session(status=None),
    session(status=["complete"]),
    session(payment_status="no_payment_required"),
    session(payment_status="unpaid", payment_intent={"id": "pi_1", "status": "requires_capture"}),
]


@pytest.mark.parametrize("thing", ODD_SESSIONS)
def test_a_session_that_we_do_not_understand_is_unknown(
    connector: Connector, thing: dict[str, Any]
) -> None:
    meant = connector.meaning(event(COMPLETED, thing))
    assert isinstance(meant, Concerns)
    assert isinstance(meant.outcome, Unknown)


def charge(details: object) -> dict[str, Any]:
    return {"id": "pi_1", "latest_charge": {"payment_method_details": details}}


ODD_DETAILS: list[object] = [
    None, 5, [], "card", {}, {"type": None}, {"type": "card"}, {"type": "card", "card": None},
    {"type": "card", "card": []}, {"type": "card", "card": {"brand": 5, "last4": ["4242"]}},
    {"type": "card", "card": {"last4": "4242424242424242"}}, {"type": "card\u0000", "card": {}},
    {"type": "card", "card": {"brand": "\ud800", "country": "x" * 10_000}},
]  # fmt: skip


@pytest.mark.parametrize("details", ODD_DETAILS)
def test_an_odd_method_does_not_hide_that_it_is_paid(connector: Connector, details: object) -> None:
    meant = connector.meaning(event(COMPLETED, session(payment_intent=charge(details))))
    assert isinstance(meant, Concerns)
    paid = meant.outcome
    assert isinstance(paid, Paid)
    assert paid.amount == Money(4999, "EUR")
    if paid.method is not None:
        assert paid.method.last4 in (None, "4242")
        texts = [paid.method.type, paid.method.brand or "", paid.method.country or ""]
        assert all(text.isprintable() and len(text) <= 64 for text in texts)


@pytest.mark.parametrize(
    "error",
    [5, "x", [], {}, {"code": None}, {"code": 5, "decline_code": {}},
     {"code": "\u0000", "decline_code": "\ud800"}, {"code": "x" * 10_000}],
)  # fmt: skip
def test_an_odd_decline_is_told_in_storable_words(connector: Connector, error: Any) -> None:
    intent = {"metadata": {"payloom_attempt": "att_1"}, "last_payment_error": error}
    meant = connector.meaning(event("payment_intent.payment_failed", intent))
    assert isinstance(meant, Concerns)
    assert isinstance(meant.outcome, StillOpen)
    decline = meant.outcome.last_decline
    assert decline is None or (decline.code.isprintable() and len(decline.code) <= 100)
    assert decline is None or decline.decline_code is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.sampled_from([*notices._READERS, "charge.updated"]), st.sampled_from(sorted(session())),
       json_values)  # fmt: skip
def test_no_value_of_any_field_is_an_exception(kind: str, name: str, value: Any) -> None:
    body = event(kind, session(**{name: value}))
    notices.meaning(body, livemode=False)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_exception_of_another_kind(body: bytes) -> None:
    with pytest.raises(UnreadableNotice):
        notices.meaning(body, livemode=False)
