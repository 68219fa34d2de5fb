"""Every limit is a number in the table of docs/reference/limits.md, and what the table says is what
holds: so much, and not one more (I26)."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from payloom.cli.bounded import BoundedProtocol
from payloom.connectors.errors import NoAnswer
from payloom.connectors.gate import Gate
from payloom.connectors.gates import Gates
from payloom.connectors.http import psp_call
from payloom.connectors.pace import AT_ONCE_MAX, Rates
from payloom.connectors.stripe import RATES
from payloom.connectors.urgency import Urgency
from payloom.core import ids
from payloom.core.db import Database, DatabaseAway
from tests.connectors.asking import Psp, a_gate, broken, gaps, most_at_once, most_in_a_second
from tests.docs.limits import LIMITS, Limit
from tests.virtual_time import in_virtual_time, now

ROOT = Path(__file__).parent.parent
NEVER = 10**9
Exceed = Callable[[Any], Awaitable[None]]

# Over real sockets, or with rows: the test that goes beyond the limit, which names its constant.
ELSEWHERE = {
    "app.ROOMS[''].at_once": "tests/core/web/test_admission.py",
    "app.ROOMS['/psp/'].at_once": "tests/core/web/test_admission.py",
    "app.ROOMS['/return/'].at_once": "tests/core/web/test_admission.py",
    "app.ROOMS[''].db_wait_s": "tests/core/web/test_admission.py",
    "app.ROOMS['/psp/'].db_wait_s": "tests/core/web/test_admission.py",
    "app.ROOMS['/return/'].db_wait_s": "tests/core/web/test_admission.py",
    "core.web.admission.REQUEST_S": "tests/core/web/test_admission.py",
    "connectors.stripe.transport.ANSWER_BYTES_MAX": "tests/connectors/test_stripe_answers.py",
}
EXCEEDED: dict[str, Exceed] = {}


def exceeds(name: str) -> Callable[[Exceed], Exceed]:
    """This goes beyond the limit of that name, whose value it is given."""

    def keep(exceed: Exceed) -> Exceed:
        EXCEEDED[name] = exceed
        return exceed

    return keep


# --- calls to a PSP --------------------------------------------------------------------------


@exceeds("connectors.pace.AT_ONCE_MAX")
async def calls_at_once(limit: int) -> None:
    assert await most_at_once(Psp(a_gate(), takes_s=9), limit + 1) == limit


@exceeds("connectors.pace.AT_ONCE_MIN")
async def calls_at_once_to_a_slow_psp(limit: int) -> None:
    psp = Psp(a_gate(), takes_s=9)
    for _ in range(20):
        await psp.all(AT_ONCE_MAX)
    psp.asked.clear()
    assert await most_at_once(psp, limit + 1) == limit


@exceeds("connectors.gate.OTHERS_AT_ONCE")
async def calls_that_nobody_waits_for(limit: int) -> None:
    psp = Psp(a_gate())
    asked = [psp.ask("look_up", Urgency.ROUTINE) for _ in range(limit + 1)]
    assert (await asyncio.gather(*asked)).count(True) == limit


@exceeds("connectors.line.WAITING_MAX")
async def calls_in_line(limit: int) -> None:
    psp = Psp(a_gate(), takes_s=1)
    sent = await psp.all(AT_ONCE_MAX + limit + 1)
    assert sent.count(False) == 1


@exceeds("connectors.gate.SHOPPERS_WAIT_S")
async def a_shopper_in_line(limit: float) -> None:
    assert await waited_in_vain(Urgency.SHOPPER) == pytest.approx(limit)


@exceeds("connectors.gate.OTHERS_WAIT_S")
async def others_in_line(limit: float) -> None:
    assert await waited_in_vain(Urgency.ROUTINE) == pytest.approx(limit)


async def waited_in_vain(urgency: Urgency) -> float:
    psp = Psp(a_gate(), takes_s=60)
    busy = asyncio.gather(*(psp.ask() for _ in range(AT_ONCE_MAX)))
    await asyncio.sleep(0)
    assert not await psp.ask("register", urgency)
    seconds = now()
    await busy
    return seconds


@exceeds("connectors.gate.DEADLINE_S")
async def a_call_without_end(limit: float) -> None:
    with pytest.raises(NoAnswer):
        async with psp_call(Gate("con_1", "acme", Rates(), clock=now), "register"):
            await asyncio.sleep(NEVER)
    assert now() == pytest.approx(limit)


@exceeds("connectors.stripe.RATES['live'].endpoint")
async def calls_to_an_endpoint(limit: float) -> None:
    psp = Psp(a_gate(RATES["live"]))
    await psp.all(90)
    assert most_in_a_second([at for at, _ in psp.asked]) == limit


@exceeds("connectors.stripe.RATES['live'].account")
async def calls_to_an_account(limit: float) -> None:
    assert await most_to_all(RATES["live"]) == limit


@exceeds("connectors.stripe.RATES['test'].account")
async def calls_to_a_test_account(limit: float) -> None:
    assert await most_to_all(RATES["test"]) == limit


async def most_to_all(rates: Rates) -> int:
    psp = Psp(a_gate(rates))
    verbs = islice(cycle("abcdefgh"), 115)
    await asyncio.gather(*(psp.ask(verb) for verb in verbs))
    return most_in_a_second([at for at, _ in psp.asked])


@exceeds("connectors.pace.UNPUBLISHED_PER_S")
async def calls_without_a_published_rate(limit: float) -> None:
    psp = Psp(a_gate(), takes_s=0)

    async def keep_asking() -> None:
        while now() < 1.5:
            await psp.ask()

    await asyncio.gather(*(keep_asking() for _ in range(60)))
    assert 0.9 * limit < most_in_a_second([at for at, _ in psp.asked]) <= limit


@exceeds("connectors.breaker.TRIP_AT")
async def calls_without_an_answer(limit: int) -> None:
    psp = Psp(a_gate(), status=None)
    sent = [await psp.ask() for _ in range(limit + 1)]
    assert sent == [True] * limit + [False]


@exceeds("connectors.breaker.PAUSE_S_MAX")
async def pause_of_a_breaker(limit: float) -> None:
    psp = Psp(a_gate(), takes_s=0)
    await broken(psp)
    for _ in range(1_000):
        await asyncio.sleep(0.1)
        await psp.ask()
    assert max(gaps(psp)) == pytest.approx(limit, abs=0.15)


@exceeds("connectors.breaker.PROBE_WAIT_S")
async def wait_for_a_probe(limit: float) -> None:
    psp = Psp(a_gate())
    await broken(psp)
    await asyncio.sleep(1)
    psp.takes_s = 60
    probe = asyncio.create_task(psp.ask())
    await asyncio.sleep(0)
    before = now()
    assert not await psp.ask()
    assert now() - before == pytest.approx(limit)
    await probe


@exceeds("connectors.budget.REPEATS_MAX")
async def repetitions_without_an_answer(limit: float) -> None:
    psp = Psp(a_gate(trip_at=NEVER), status=None, takes_s=0)
    sent = [await psp.ask("look_up", Urgency.REPEAT) for _ in range(int(limit) + 1)]
    assert sent == [True] * int(limit) + [False]


@exceeds("connectors.budget.PER_FIRST")
async def repetitions_for_first_tries(limit: float) -> None:
    psp = Psp(a_gate(trip_at=NEVER), status=None, takes_s=0)
    while await psp.ask("look_up", Urgency.REPEAT):
        pass
    for _ in range(round(1 / limit) + 1):
        await psp.ask()
    sent = [await psp.ask("look_up", Urgency.REPEAT) for _ in range(2)]
    assert sent == [True, False]


@exceeds("connectors.gates.GATES_MAX")
async def gates_remembered(limit: int) -> None:
    gates, first, busy = Gates(), ids.new(), ids.new()
    forgotten, kept = gates.of(first, "acme", None), gates.of(busy, "acme", None)
    await kept.enter("register")
    for _ in range(limit - 1):
        gates.of(ids.new(), "acme", None)
    assert gates.of(busy, "acme", None) is kept
    assert gates.of(first, "acme", None) is not forgotten


# --- requests of ours ------------------------------------------------------------------------


@exceeds("cli.bounded.HEAD_WITHIN_S")
async def a_head_without_end(limit: float) -> None:
    transport = Transport()
    protocol = BoundedProtocol(Config(_app), ServerState(), {})
    protocol.connection_made(cast("asyncio.Transport", transport))
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: ")
    await asyncio.sleep(limit - 0.1)
    assert transport.closed_at is None
    await asyncio.sleep(0.2)
    assert transport.closed_at == pytest.approx(limit)


@exceeds("cli.bounded.HEAD_BYTES_MAX")
async def a_head_too_large(limit: int) -> None:
    transport = Transport()
    protocol = BoundedProtocol(Config(_app), ServerState(), {})
    protocol.connection_made(cast("asyncio.Transport", transport))
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: ")
    for _ in range(limit // 1024):
        protocol.data_received(b"a" * 1024)
    assert transport.closed_at is None
    protocol.data_received(b"a")
    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert transport.is_closing()
    protocol.connection_lost(None)


@exceeds("core.db.ACQUIRE_TIMEOUT_S")
async def a_connection_to_the_database(limit: float) -> None:
    with pytest.raises(DatabaseAway):
        async with Database(BusyPool()).statement():
            pass
    assert now() == pytest.approx(limit)


class BusyPool:
    """The driver's pool, all of it in use by others."""

    async def acquire(self, timeout: float) -> None:  # noqa: ASYNC109 # as asyncpg has it
        await asyncio.wait_for(asyncio.Event().wait(), timeout)


class Transport:
    """A client's end of a connection."""

    closed_at: float | None = None
    written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def get_extra_info(self, name: str) -> object:
        return None

    def is_closing(self) -> bool:
        return self.closed_at is not None

    def close(self) -> None:
        self.closed_at = now()


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("no request is ever whole")


# --- the table -------------------------------------------------------------------------------

# What is bounded by these features; the others have their tests where they are.
HERE = (
    *("app.", "cli.bounded.", "core.web.admission.", "core.db.ACQUIRE"),
    *(f"connectors.{name}." for name in "pace line gate gates breaker budget".split()),
    *("connectors.stripe.RATES", "connectors.stripe.transport."),
)


def name_of(limit: Limit) -> str:
    return f"{limit.module}.{limit.name}"


@pytest.mark.parametrize("limit", LIMITS, ids=name_of)
def test_so_much_and_no_more(limit: Limit) -> None:
    name = name_of(limit)
    if name in EXCEEDED:
        in_virtual_time(EXCEEDED[name])(limit.value)
    elif name in ELSEWHERE:
        assert limit.name.partition("[")[0] in (ROOT / ELSEWHERE[name]).read_text()
    else:
        assert not name.startswith(HERE), "nobody tries what happens beyond this limit"


def test_what_is_tried_is_in_the_table() -> None:
    assert {*EXCEEDED, *ELSEWHERE} <= {name_of(limit) for limit in LIMITS}
