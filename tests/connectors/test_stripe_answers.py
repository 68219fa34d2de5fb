"""Whatever a PSP answers: never a failure that it did not say, never an exception (F18, F19)."""

import gzip
import json

import pytest

from payloom.connectors.contract import (
    AttemptRef,
    Connector,
    Refused,
    Registered,
    Rendered,
    Unknown,
)
from payloom.connectors.stripe.transport import ANSWER_BYTES_MAX
from tests.connectors.conftest import a_registration
from tests.connectors.wire import Wire, Writer

HUGE = b'{"id": "cs_test_1", "url": "' + b"x" * 3_000_000 + b'"}'
CARD_ERROR = b'{"error": {"type": "card_error", "code": "card_declined"}}'
BODIES = {
    "empty": b"",
    "html": b"<html><body><h1>502 Bad Gateway</h1></body></html>",
    "truncated": b'{"error": {"type": "invalid_request_er',
    "not utf-8": b"\xff\xfe\x00",
    "null": b"null",
    "number": b"5",
    "text": b'"error"',
    "list": b"[]",
    "list of errors": b'[{"error": {"type": "invalid_request_error"}}]',
    "object": b"{}",
    "error null": b'{"error": null}',
    "error text": b'{"error": "invalid_client", "error_description": "x"}',
    "error list": b'{"error": []}',
    "error empty": b'{"error": {}}',
    "error odd": b'{"error": {"type": 5, "code": [], "message": {}}}',
    "error api": b'{"error": {"type": "api_error", "message": "x"}}',
    "error card": CARD_ERROR,
    "error key": b'{"error": {"type": "idempotency_error"}}',
    "deep": b"[" * 100_000,
    "NaN": b'{"id": NaN}',
    "session without url": b'{"object": "checkout.session", "id": "cs_test_1"}',
    "session without id": b'{"object": "checkout.session", "url": "https://psp.example/"}',
    "session of odd values": b'{"id": 5, "url": []}',
    "session of an odd path": b'{"id": "../../v1/refunds", "url": "https://psp.example/"}',
    "session with an odd url": b'{"id": "cs_test_1", "url": "javascript:alert(1)"}',
    "session with an empty url": b'{"id": "cs_test_1", "url": ""}',
}
STATUSES = [
    200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406,
    408, 409, 410, 411, 412, 413, 415, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499,
    500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 525, 530, 599,
]  # fmt: skip


def rendered(connector: Connector) -> Rendered:
    registration = a_registration()
    return connector.render(registration, registration.attempt)


@pytest.mark.parametrize("name", BODIES)
async def test_no_status_with_an_unknown_body_is_a_failure(
    at_wire: Connector, wire: Wire, name: str
) -> None:
    request = rendered(at_wire)
    for status in STATUSES:
        wire.answer(status, BODIES[name], "Content-Type: application/json")
        outcome = await at_wire.register(request)
        assert isinstance(outcome, Unknown), (status, outcome)
        assert outcome.executed is (False if status in (401, 403, 429) else None), (status, outcome)


@pytest.mark.parametrize("name", BODIES)
async def test_no_unknown_answer_ends_what_is_looked_up(
    at_wire: Connector, wire: Wire, name: str
) -> None:
    ref = AttemptRef(a_registration().attempt, "cs_test_1")
    for status in (200, 204, 308, 400, 404, 429, 500, 599):
        wire.answer(status, BODIES[name])
        for outcome in (
            await at_wire.look_up(ref),
            await at_wire.expire(ref),
            await at_wire.find(ref, a_registration().expires_at),
        ):
            assert isinstance(outcome, Unknown), (status, outcome)


async def test_a_huge_answer_is_not_read(at_wire: Connector, wire: Wire) -> None:
    for body, header in ((HUGE, "X-A: b"), (gzip.compress(HUGE * 20), "Content-Encoding: gzip")):
        wire.answer(200, body, header)
        outcome = await at_wire.register(rendered(at_wire))
        assert isinstance(outcome, Unknown)


async def test_an_answer_may_be_so_large_and_not_a_byte_larger(
    at_wire: Connector, wire: Wire
) -> None:
    page = b'{"object": "checkout.session", "id": "cs_test_1", "url": "https://psp.example/"}'
    wire.answer(200, page.ljust(ANSWER_BYTES_MAX))
    assert isinstance(await at_wire.register(rendered(at_wire)), Registered)
    wire.answer(200, page.ljust(ANSWER_BYTES_MAX + 1))
    assert isinstance(await at_wire.register(rendered(at_wire)), Unknown)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(at_wire: Connector, wire: Wire, status: int) -> None:
    wire.answer(status, b"", f"Location: {wire.url}/elsewhere")
    assert isinstance(await at_wire.register(rendered(at_wire)), Unknown)
    assert isinstance(await at_wire.look_up(AttemptRef("att", "cs_test_1")), Unknown)
    assert [request.line for request in wire.requests] == [
        "POST /v1/checkout/sessions HTTP/1.1",
        "GET /v1/checkout/sessions/cs_test_1?expand%5B0%5D=payment_intent.latest_charge HTTP/1.1",
    ]


async def test_a_body_cut_short_is_unknown(at_wire: Connector, wire: Wire) -> None:
    whole = json.dumps({"id": "cs_test_1", "url": "https://psp.example/"}).encode()
    for cut in range(len(whole)):

        async def write(writer: Writer, body: bytes = whole[:cut]) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole) + body)
            await writer.drain()

        wire.script = write
        assert isinstance(await at_wire.register(rendered(at_wire)), Unknown), cut
    wire.answer(200, whole)
    assert isinstance(await at_wire.register(rendered(at_wire)), Registered)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x00\x01\x02",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 99999 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_unknown(at_wire: Connector, wire: Wire, head: bytes) -> None:
    async def write(writer: Writer) -> None:
        writer.write(head)
        await writer.drain()

    wire.script = write
    assert isinstance(await at_wire.register(rendered(at_wire)), Unknown)


async def test_nobody_there_is_unknown(at_wire: Connector, wire: Wire) -> None:
    request = rendered(at_wire)
    wire.script = None
    outcome = await at_wire.register(request)
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("status", [400, 404])
async def test_a_refusal_of_the_request_is_final(
    at_wire: Connector, wire: Wire, status: int
) -> None:
    error = {"type": "invalid_request_error", "code": "amount_too_small", "message": "Too small",
             "param": "line_items"}  # fmt: skip
    wire.answer(status, json.dumps({"error": error}).encode())
    refused = await at_wire.register(rendered(at_wire))
    assert refused == Refused("amount_too_small", "Too small (line_items)")


@pytest.mark.parametrize(
    "code", ["lock_timeout", "rate_limit", "idempotency_key_in_use", "api_key_expired"]
)
async def test_a_refusal_of_the_moment_is_not(at_wire: Connector, wire: Wire, code: str) -> None:
    error = {"type": "invalid_request_error", "code": code, "message": "Not now"}
    wire.answer(400, json.dumps({"error": error}).encode())
    assert isinstance(await at_wire.register(rendered(at_wire)), Unknown)


async def test_an_answer_kept_under_the_key_is_told_as_such(at_wire: Connector, wire: Wire) -> None:
    broken = b'{"error": {"type": "api_error", "message": "x"}}'
    wire.answer(500, broken)
    assert await at_wire.register(rendered(at_wire)) == Unknown("status 500, api_error")
    wire.answer(500, broken, "idempotent-replayed: true")
    outcome = await at_wire.register(rendered(at_wire))
    assert isinstance(outcome, Unknown)
    assert outcome.is_kept


async def test_what_is_resent_is_what_was_stored_byte_for_byte(
    at_wire: Connector, wire: Wire
) -> None:
    wire.answer(500, b"")
    registration = a_registration(
        reference="Ü & = % + ; [x] \U0001f600",
        description="50 % + more = [yes]",
        method_types=("card",),
    )
    request = at_wire.render(registration, registration.attempt)
    for _ in range(3):
        await at_wire.register(request)
    for sent in wire.requests:
        assert sent.body.decode() == request.body
        assert sent.headers["idempotency-key"] == registration.attempt
        assert sent.headers["stripe-version"] == request.version
        assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
        assert sent.headers["authorization"].startswith("Bearer sk_test_")
    assert len(wire.requests) == 3


async def test_what_another_release_stored_is_sent_as_it_is(at_wire: Connector, wire: Wire) -> None:
    wire.answer(500, b"")
    body = "expand[]=b&expand[]=a&description=caf%c3%a9+%7e&customer="
    await at_wire.register(Rendered(body, "2019-01-01.older", "att_1"))
    (sent,) = wire.requests
    assert (sent.body.decode(), sent.headers["stripe-version"]) == (body, "2019-01-01.older")
