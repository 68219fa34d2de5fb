"""What every connector must do, whichever PSP it speaks to. No PSP is named here, and a connector
of yours passes it unchanged."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from payloom.connectors.contract import (
    AmountNotSupported,
    Approved,
    AttemptRef,
    Canceled,
    Concerns,
    Connector,
    Expired,
    ForgedNotice,
    Ignored,
    Listed,
    MethodTypeUnavailable,
    NotOurs,
    Outcome,
    Paid,
    Refunded,
    RefundFailed,
    RefundRef,
    RefundRequest,
    Refused,
    Registered,
    Registration,
    Rendered,
    StillOpen,
    Unknown,
    UnreadableNotice,
)
from payloom.core import ids
from payloom.core.money import Money
from payloom.core.secret import Secret
from tests.connectors.conformance.rig import APPLY_THEN_DROP, DROP, FAULTS, LATE, Bench, Told
from tests.connectors.conftest import a_registration
from tests.connectors.wire import Wire

NOW = datetime.now(UTC)
TOTAL = Money(4999, "EUR")


@dataclass(frozen=True, slots=True)
class Page:
    """A registration, its stored request, and what the PSP made of it."""

    registration: Registration
    rendered: Rendered
    token: str

    @property
    def ref(self) -> AttemptRef:
        return AttemptRef(self.registration.attempt, self.token)


def rendered(bench: Bench, registration: Registration) -> Rendered:
    return bench.connector.render(registration, registration.attempt)


async def opened(bench: Bench, **changes: Any) -> Page:
    registration = a_registration(**changes)
    request = rendered(bench, registration)
    made = await bench.connector.register(request)
    assert isinstance(made, Registered), made
    return Page(registration, request, made.token)


async def paid(bench: Bench, **changes: Any) -> tuple[Page, Paid]:
    """A page on which the shopper paid, and on which we took the money where that is ours."""
    page = await opened(bench, **changes)
    await bench.rig.approve(page.token)
    if bench.rig.shoppers_approve:
        outcome = await bench.connector.complete(page.ref, "complete-1")
    elif bench.rig.spec.can_look_up:
        outcome = await bench.connector.look_up(page.ref)
    else:
        outcome = told_outcome(bench, await bench.rig.tell(page.registration, page.token))
    assert isinstance(outcome, Paid), outcome
    return page, outcome


def told_outcome(bench: Bench, told: Told) -> Outcome:
    meaning = bench.connector.meaning(told.body)
    assert isinstance(meaning, Concerns), meaning
    return meaning.outcome


# --- a request to be ---------------------------------------------------------------------------


def test_a_request_is_rendered_the_same_each_time_and_under_the_given_key(bench: Bench) -> None:
    registration = a_registration()
    first = bench.connector.render(registration, "a key of ours")
    assert first == bench.build().render(registration, "a key of ours")
    assert first.key == "a key of ours"


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_another_amount_makes_another_request(bench: Bench, currency: str) -> None:
    bodies = {
        rendered(bench, a_registration(amount=Money(minor, currency), line_items=(),
                                       attempt="att_1", payment_order="po_1")).body
        for minor in (500, 501, 50_000)
    }  # fmt: skip
    assert len(bodies) == 3


def test_a_currency_that_is_not_taken_is_refused_before_anything_is_sent(bench: Bench) -> None:
    money = Money(4999, bench.rig.currency_not_taken)
    with pytest.raises(AmountNotSupported):
        rendered(bench, a_registration(amount=money, line_items=()))


def test_a_method_type_that_is_not_offered_is_refused_before_anything_is_sent(
    bench: Bench,
) -> None:
    with pytest.raises(MethodTypeUnavailable):
        rendered(bench, a_registration(method_types=(bench.rig.method_type_not_offered,)))


async def test_a_constructor_opens_nothing(bench: Bench) -> None:
    async with aiohttp.ClientSession() as session:
        pass
    assert session.closed
    bench.http = session
    bench.build()  # and asks nothing of a session that is closed


def test_no_secret_shows(bench: Bench) -> None:
    shown = repr(bench.connector) + repr(vars(bench.connector)) + repr(bench.rig.credentials)
    for secret in bench.rig.credentials.secrets.values():
        assert secret.reveal() not in shown


# --- register ----------------------------------------------------------------------------------


async def test_what_is_sent_is_what_is_stored_byte_for_byte(bench: Bench, wire: Wire) -> None:
    wire.answer(500, b"")
    request = rendered(bench, a_registration())
    connector = bench.build(api_base=wire.url)
    for _ in range(2):
        await connector.register(request)
    assert [each.body.decode() for each in wire.requests] == [request.body] * 2
    if request.key not in request.body:  # some PSPs want it there
        assert all(request.key in each.headers.values() for each in wire.requests)


async def test_no_redirect_is_followed(bench: Bench, wire: Wire) -> None:
    wire.answer(302, b"", f"Location: {wire.url}/elsewhere")
    outcome = await bench.build(api_base=wire.url).look_up(AttemptRef("att_1", "cs_1"))
    assert isinstance(outcome, Unknown)
    assert not [each.line for each in wire.requests if "/elsewhere" in each.line]


async def test_a_key_makes_one_page_however_often_it_is_sent(bench: Bench) -> None:
    page = await opened(bench)
    answers = await asyncio.gather(*(bench.connector.register(page.rendered) for _ in range(10)))
    tokens = {each.token for each in answers if isinstance(each, Registered)}
    assert tokens <= {page.token}
    assert not any(isinstance(each, Refused) for each in answers)
    assert (await bench.rig.executed()).count(page.rendered.key) == 1


@pytest.mark.parametrize("effect", FAULTS)
async def test_an_answer_that_does_not_come_is_unknown_and_asked_for_again(
    bench: Bench, effect: str
) -> None:
    await bench.rig.fault("register", effect)
    request = rendered(bench, a_registration())
    assert isinstance(await bench.connector.register(request), Unknown)
    assert isinstance(await bench.connector.register(request), Registered)
    assert (await bench.rig.executed()).count(request.key) == 1


async def test_an_answer_that_is_later_than_our_patience_is_unknown(bench: Bench) -> None:
    await bench.rig.fault("register", LATE)
    request = rendered(bench, a_registration())
    outcome = await bench.build(deadline_s=0.3).register(request)
    assert isinstance(outcome, Unknown)
    assert outcome.executed is None


async def test_too_many_requests_means_that_it_was_not_executed(bench: Bench) -> None:
    await bench.rig.fault("register", "429")
    request = rendered(bench, a_registration())
    outcome = await bench.connector.register(request)
    assert isinstance(outcome, Unknown)
    assert outcome.executed is False
    assert isinstance(await bench.connector.register(request), Registered)


STATUSES = (100, 201, 202, 204, 301, 304, 308, 401, 402, 403, 408, 409, 418, 424, 425, 429, 500,
            502, 503, 504, 520, 599)  # fmt: skip
BODIES = (b"", b"null", b"[]", b"{}", b'"ok"', b"<html>Be right back</html>", b'{"error":',
          b'{"id": 1}', b'{"token": null, "page": 7}', b"\xff\xfe", b'{"state": "brand_new"}',
          b'{"error": "no"}', b"[" * 10_000)  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:20]))
async def test_an_answer_that_nobody_documents_is_never_a_failure(
    bench: Bench, wire: Wire, body: bytes
) -> None:
    connector = bench.build(api_base=wire.url)
    request = rendered(bench, a_registration())
    refund = connector.render_refund(a_refund("pi_1", TOTAL), "rfd_1")
    ref = AttemptRef("att_1", "cs_1")
    for status in (200, *STATUSES[1:]):
        wire.answer(status, body)
        said = {
            "register": await connector.register(request),
            "look_up": await connector.look_up(ref),
            "find": await connector.find(ref, NOW),  # an answer without a list is not an empty one
            "expire": await connector.expire(ref),
            "complete": await connector.complete(ref, "k"),
            "refund": await connector.refund(refund),
            "look_up_refund": await connector.look_up_refund(RefundRef("rfd_1", "pi_1", None)),
            "list_events": await connector.list_events(NOW, NOW, None),
        }
        concluded = {verb: each for verb, each in said.items() if not isinstance(each, Unknown)}
        assert not concluded, f"from status {status} with {body[:40]!r}: {concluded}"


# --- the truth ---------------------------------------------------------------------------------


async def test_the_truth_is_told_in_each_stage(bench: Bench) -> None:
    page = await opened(bench)
    first = await bench.connector.look_up(page.ref)
    await bench.rig.approve(page.token)
    second = await bench.connector.look_up(page.ref)
    if not bench.rig.spec.can_look_up:
        assert isinstance(first, Unknown)
        assert isinstance(second, Unknown)
        return
    assert first == StillOpen()
    assert isinstance(second, Approved if bench.rig.shoppers_approve else Paid)


@pytest.mark.parametrize("amount", [TOTAL, Money(500, "JPY")], ids=str)  # decimals, and none
async def test_money_is_told_with_its_amount_and_its_order(bench: Bench, amount: Money) -> None:
    page, outcome = await paid(bench, amount=amount, line_items=())
    assert outcome.amount == amount
    assert outcome.payment_order == page.registration.payment_order
    assert outcome.psp_payment


async def test_a_payment_of_another_attempt_says_nothing_of_ours(bench: Bench) -> None:
    page, _ = await paid(bench)
    other = AttemptRef(ids.text("att", ids.new()), page.token)
    assert isinstance(await bench.connector.look_up(other), Unknown)


@pytest.mark.parametrize("effect", [DROP, "500"])
async def test_a_question_without_an_answer_concludes_nothing(bench: Bench, effect: str) -> None:
    page, _ = await paid(bench)
    await bench.rig.fault("look_up", effect)
    assert isinstance(await bench.connector.look_up(page.ref), Unknown)


async def test_what_a_lost_registration_left_behind_is_found(bench: Bench) -> None:
    await bench.rig.fault("register", APPLY_THEN_DROP)
    registration = a_registration()
    assert isinstance(await bench.connector.register(rendered(bench, registration)), Unknown)
    found = await bench.connector.find(AttemptRef(registration.attempt, None), NOW)
    assert isinstance(found, Registered)
    assert isinstance(await bench.connector.register(rendered(bench, registration)), Registered)


async def test_what_never_arrived_is_certainly_not_there(bench: Bench) -> None:
    await opened(bench)
    missing = AttemptRef(ids.text("att", ids.new()), None)
    found = await bench.connector.find(missing, NOW)
    assert isinstance(found, Refused)
    assert found.code == "never_registered"


# --- the end of a page, and money that waits for us --------------------------------------------


async def test_an_open_page_is_ended_and_stays_so(bench: Bench) -> None:
    page = await opened(bench)
    for _ in range(2):
        ended = await bench.connector.expire(page.ref)
        if bench.rig.pages_can_be_ended:
            assert isinstance(ended, Expired | Canceled)
        else:
            assert isinstance(ended, StillOpen | Unknown)


async def test_the_end_of_a_page_that_was_paid_tells_of_the_money(bench: Bench) -> None:
    page, _ = await paid(bench)
    ended = await bench.connector.expire(page.ref)
    assert isinstance(ended, Paid if bench.rig.pages_can_be_ended else Paid | Unknown)


async def test_approved_money_is_taken_once(bench: Bench) -> None:
    if not bench.rig.shoppers_approve:  # then nothing is left to be taken, and asking is harmless
        page, _ = await paid(bench)
        assert isinstance(await bench.connector.complete(page.ref, "k"), Paid | Unknown)
        return
    page = await opened(bench)
    await bench.rig.approve(page.token)
    await bench.rig.fault("complete", APPLY_THEN_DROP)
    assert isinstance(await bench.connector.complete(page.ref, "k"), Unknown)
    for _ in range(2):
        assert isinstance(await bench.connector.complete(page.ref, "k"), Paid)
    assert (await bench.rig.executed()).count("k") == 1


# --- refunds -----------------------------------------------------------------------------------


def a_refund(psp_payment: str, amount: Money) -> RefundRequest:
    return RefundRequest(
        ids.text("rfd", ids.new()), ids.text("att", ids.new()), ids.text("po", ids.new()),
        psp_payment, amount, "duplicate",
    )  # fmt: skip


async def test_money_goes_back_in_parts_and_not_beyond(bench: Bench) -> None:
    _, outcome = await paid(bench)
    part, rest = Money(1999, "EUR"), Money(3000, "EUR")
    for amount in (part, rest):
        request = a_refund(outcome.psp_payment, amount)
        sent = bench.connector.render_refund(request, request.refund)
        assert isinstance(await bench.connector.refund(sent), Refunded)
    beyond = a_refund(outcome.psp_payment, Money(1, "EUR"))
    sent = bench.connector.render_refund(beyond, beyond.refund)
    assert isinstance(await bench.connector.refund(sent), RefundFailed)


@pytest.mark.parametrize("effect", FAULTS)
async def test_a_refund_without_an_answer_is_made_once(bench: Bench, effect: str) -> None:
    _, outcome = await paid(bench)
    request = a_refund(outcome.psp_payment, TOTAL)
    sent = bench.connector.render_refund(request, request.refund)
    await bench.rig.fault("refund", effect)
    assert isinstance(await bench.connector.refund(sent), Unknown)
    first = await bench.connector.refund(sent)
    assert isinstance(first, Refunded)
    assert await bench.connector.refund(sent) == first
    ref = RefundRef(request.refund, outcome.psp_payment, None)
    assert await bench.connector.look_up_refund(ref) == first
    assert (await bench.rig.executed()).count(sent.key) == 1


async def test_a_refund_that_never_was_is_said_so(bench: Bench) -> None:
    _, outcome = await paid(bench)
    missing = RefundRef(ids.text("rfd", ids.new()), outcome.psp_payment, None)
    found = await bench.connector.look_up_refund(missing)
    assert found == RefundFailed("never_made")


# --- what the PSP tells ------------------------------------------------------------------------


async def test_a_genuine_notice_is_read_and_means_what_happened(bench: Bench) -> None:
    page, outcome = await paid(bench)
    told = await bench.rig.tell(page.registration, page.token)
    reading = bench.connector.read_notice(told.headers, told.body, datetime.now(UTC))
    (notice,) = reading.notices
    assert notice.attempt == page.registration.attempt
    assert notice.psp_event
    assert 200 <= reading.reply_status < 300
    meant = told_outcome(bench, told)
    assert isinstance(meant, Paid)
    assert (meant.amount, meant.payment_order) == (outcome.amount, outcome.payment_order)


async def test_a_repetition_is_known_by_its_id_and_answered_alike(bench: Bench) -> None:
    page, _ = await paid(bench)
    told = await bench.rig.tell(page.registration, page.token)
    now = datetime.now(UTC)
    readings = [bench.connector.read_notice(told.headers, told.body, now) for _ in range(3)]
    assert len({reading.notices[0].psp_event for reading in readings}) == 1
    assert len({reading.reply_body for reading in readings}) == 1


def is_believed(connector: Connector, told: Told, now: datetime | None = None) -> bool:
    try:
        connector.read_notice(told.headers, told.body, now or datetime.now(UTC))
    except ForgedNotice:
        return False
    return True


async def test_what_is_forged_is_refused(bench: Bench) -> None:
    page, _ = await paid(bench)
    told = await bench.rig.tell(page.registration, page.token)
    assert is_believed(bench.connector, told)
    forged = [
        Told({}, told.body),
        Told(told.headers, told.body + b" "),
        Told(told.headers, bench.rig.foreign()),
        Told(bench.rig.sign(told.body + b" ").headers, told.body),
    ]
    for name, value in told.headers.items():
        altered = value[:-1] + ("0" if value[-1] != "0" else "1")
        for instead in ("", altered, "é" + value):
            forged.append(Told({**told.headers, name: instead}, told.body))
    assert not [each for each in forged if is_believed(bench.connector, each)]


async def test_a_notice_of_another_time_is_refused_where_times_are_signed(bench: Bench) -> None:
    told = bench.rig.sign(bench.rig.foreign())
    for days in (-1, 1):
        now = datetime.now(UTC) + timedelta(days=days)
        assert is_believed(bench.connector, told, now) is not bench.rig.notices_are_dated


def test_each_live_webhook_secret_verifies_and_none_is_no_mistake(bench: Bench) -> None:
    held = bench.rig.credentials.secrets
    told = bench.rig.sign(bench.rig.foreign())
    if "webhook_secret" not in held:
        assert is_believed(bench.connector, told)  # what else it is signed with, the rig knows
        return
    rest = {name: secret for name, secret in held.items() if name != "webhook_secret"}
    rolled = {"webhook_secret": Secret("another"), "webhook_secret_2": held["webhook_secret"]}
    assert is_believed(bench.build(secrets={**rest, **rolled}), told)
    assert not is_believed(bench.build(secrets=rest), told)  # it may come later than the key


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"{", b"<html>", b"[" * 100_000])
def test_what_is_genuine_and_cannot_be_read_is_for_a_person(bench: Bench, body: bytes) -> None:
    told = bench.rig.sign(body)
    with pytest.raises(UnreadableNotice):
        bench.connector.read_notice(told.headers, told.body, datetime.now(UTC))


def test_what_is_not_ours_and_what_is_of_no_interest_are_told_apart(bench: Bench) -> None:
    assert isinstance(bench.connector.meaning(bench.rig.foreign()), NotOurs)
    assert isinstance(bench.connector.meaning(bench.rig.of_unknown_type()), Ignored)


async def test_the_list_of_events_tells_what_webhooks_tell(bench: Bench) -> None:
    page, _ = await paid(bench)
    hour = timedelta(hours=1)
    listed = await bench.connector.list_events(NOW - hour, NOW + hour, None)
    if not bench.rig.spec.can_list_events:
        assert isinstance(listed, Unknown)
        return
    assert isinstance(listed, Listed)
    outcomes = [
        told_outcome(bench, Told({}, body()))
        for notice, body in listed.notices
        if notice.attempt == page.registration.attempt
    ]
    assert any(isinstance(each, Paid) for each in outcomes)


def test_a_key_is_kept_long_enough_to_be_used(bench: Bench) -> None:
    assert bench.rig.spec.key_window >= timedelta(hours=1)
    assert bench.rig.spec.title
    assert bench.rig.spec.credential_fields
