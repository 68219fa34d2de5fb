"""The way out over real sockets: one request a call, a deadline for all of it, a place for each."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from prometheus_client import REGISTRY

from payloom.connectors import breaker, pace
from payloom.connectors.contract import AttemptRef, Connector, Registered, Unknown
from payloom.connectors.gate import Gate
from payloom.connectors.http import psp_call
from payloom.connectors.pace import Rates
from payloom.connectors.stripe.connector import SESSIONS
from payloom.core import waiting
from tests.connectors import wire as wires
from tests.connectors.conftest import a_registration, connector_at, open_gate
from tests.connectors.wire import Wire, Writer

KEY = "sk_test_" + "a" * 24
REF = AttemptRef("att_1", "cs_test_1")


async def register(connector: Connector) -> object:
    registration = a_registration()
    return await connector.register(connector.render(registration, registration.attempt))


# What is asked, and as how many requests: who is not answered about an end looks at what became.
VERBS: dict[str, tuple[Callable[[Connector], Awaitable[object]], int]] = {
    "register": (register, 1),
    "look_up": (lambda connector: connector.look_up(REF), 1),
    "expire": (lambda connector: connector.expire(REF), 2),
    "find": (lambda connector: connector.find(REF, a_registration().expires_at), 1),
}


def status(code: int, *headers: str) -> Callable[[Wire], None]:
    return lambda wire: wire.answer(code, b'{"error": {"type": "api_error"}}', *headers)


def cut(sent: bytes) -> Callable[[Wire], None]:
    async def write(writer: Writer) -> None:
        writer.write(sent)

    return lambda wire: setattr(wire, "script", write)


FAILURES: dict[str, Callable[[Wire], None]] = {
    "500": status(500),
    "500 to be retried": status(500, "Stripe-Should-Retry: true"),
    "503": status(503, "Retry-After: 0"),
    "409": status(409),
    "429": status(429, "Stripe-Rate-Limited-Reason: endpoint-rate"),
    "429 to be retried": status(429, "Stripe-Should-Retry: true"),
    "cut before the answer": cut(b""),
    "cut in the answer": cut(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    "nonsense": cut(b"\x00\xff"),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("verb", VERBS)
async def test_nothing_between_us_and_the_psp_asks_again(
    at_wire: Connector, wire: Wire, verb: str, failure: str
) -> None:
    """Retries are the job's alone: neither the SDK nor the HTTP client makes any (F21)."""
    FAILURES[failure](wire)
    ask, requests = VERBS[verb]
    assert isinstance(await ask(at_wire), Unknown)
    assert len(wire.requests) == requests


async def test_a_connection_that_was_kept_and_is_cut_is_not_used_again_behind_our_back(
    at_wire: Connector, wire: Wire
) -> None:
    """aiohttp would repeat a GET over a new one, by itself."""

    async def answer_and_stay(writer: Writer) -> None:
        body = b'{"error": {}}'
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        await asyncio.sleep(0.2)

    wire.script = answer_and_stay
    await at_wire.look_up(REF)
    cut(b"")(wire)
    await asyncio.sleep(0.4)
    assert isinstance(await at_wire.look_up(REF), Unknown)
    assert len(wire.requests) == 2


async def test_a_drip_ends_at_the_deadline(wire: Wire, http: aiohttp.ClientSession) -> None:
    """Every byte is in time for a timeout between bytes; all of them are not (F19)."""
    dripped = 0

    async def drip(writer: Writer) -> None:
        nonlocal dripped
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while dripped < 1_000:
            await asyncio.sleep(0.05)
            writer.write(b" ")
            await writer.drain()
            dripped += 1

    wire.script = drip
    connector = connector_at(wire.url, http, KEY, gate=open_gate(deadline_s=0.5))
    assert await register(connector) == Unknown("stripe did not answer register within 0.5 s")
    assert 0 < dripped <= (0.5 + 0.5) / 0.05


async def hang(writer: Writer) -> None:
    await writer.drain()
    await asyncio.sleep(60)


async def test_connections_that_hang_hold_up_no_other(
    wire: Wire, http: aiohttp.ClientSession
) -> None:
    """Four accounts at a PSP that says nothing, each with all the calls it may have (F20)."""
    wire.script = hang
    hanging = []
    for _ in range(4):
        connector = connector_at(wire.url, http, KEY, gate=open_gate())
        hanging += [asyncio.create_task(register(connector)) for _ in range(pace.AT_ONCE_MAX)]
    async with asyncio.timeout(30):
        while len(wire.requests) < len(hanging):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    async with wires.opened() as healthy:
        page = {"object": "checkout.session", "id": "cs_test_1", "url": "https://psp.example/"}
        healthy.answer(200, json.dumps(page).encode())
        other = connector_at(healthy.url, http, KEY, gate=open_gate())
        for _ in range(20):
            assert isinstance(await register(other), Registered)
    assert not any(task.done() for task in hanging)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_a_breaker_makes_nothing_but_unknown_of_what_it_holds_back(
    wire: Wire, http: aiohttp.ClientSession
) -> None:
    """Not paid, not failed, not expired, not refused: surely not executed, and no more (S30)."""
    connector = connector_at(wire.url, http, KEY, gate=Gate("con_1", "stripe", Rates()))
    cut(b"")(wire)
    for _ in range(breaker.TRIP_AT):
        outcome = await register(connector)
        assert isinstance(outcome, Unknown)
        assert outcome.executed is None
    for ask, _ in VERBS.values():
        outcome = await ask(connector)
        assert isinstance(outcome, Unknown)
        assert outcome.executed is False
    assert len(wire.requests) == breaker.TRIP_AT


async def test_an_end_that_may_have_been_made_is_not_told_as_not_asked_for(
    wire: Wire, http: aiohttp.ClientSession
) -> None:
    """The answer to `expire` is lost, and the look at what became of the page is held back."""
    gate = Gate("con_1", "stripe", Rates(), breaker=breaker.Breaker(trip_at=1))
    cut(b"")(wire)
    outcome = await connector_at(wire.url, http, KEY, gate=gate).expire(REF)
    assert isinstance(outcome, Unknown)
    assert outcome.executed is None
    assert [request.line.split()[1] for request in wire.requests] == [
        f"{SESSIONS}/cs_test_1/expire"
    ]


async def test_an_error_from_yesterday_that_was_kept_says_nothing_about_today(
    wire: Wire, http: aiohttp.ClientSession
) -> None:
    connector = connector_at(wire.url, http, KEY, gate=Gate("con_1", "stripe", Rates()))
    status(500, "Idempotent-Replayed: true")(wire)
    for _ in range(2 * breaker.OF_LAST):
        await register(connector)
    assert len(wire.requests) == 2 * breaker.OF_LAST


async def test_waiting_for_its_turn_is_not_counted_as_the_psps_time() -> None:
    gate = Gate("con_1", "slow", Rates(account=5, endpoint=5))
    outside = waiting.start()
    for _ in range(2):  # four a second, and the first of them at once
        async with psp_call(gate, "ponder"):
            pass
    labels = {"psp": "slow", "verb": "ponder"}
    waited = REGISTRY.get_sample_value("payloom_psp_wait_seconds_sum", {"psp": "slow"})
    called = REGISTRY.get_sample_value("payloom_psp_call_seconds_sum", labels)
    assert waited is not None
    assert called is not None
    assert waited >= 0.2
    assert max(called, outside.seconds) < waited / 2
