"""A PSP that fails: it is asked no more, and what was asked is not asked again and again (F21).

Time is virtual throughout.
"""

import asyncio

import pytest
from prometheus_client import REGISTRY

from payloom.connectors import breaker, budget
from payloom.connectors.gates import Gates
from payloom.connectors.pace import Rates
from payloom.connectors.urgency import Urgency
from payloom.core import ids
from tests.connectors.asking import Psp, a_gate, broken, gaps
from tests.virtual_time import in_virtual_time, now

# --- the breaker -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [None, 500, 503, 401])
@in_virtual_time
async def test_a_psp_that_does_not_answer_is_asked_no_more_and_we_know_at_once(
    status: int | None,
) -> None:
    psp = Psp(a_gate(), status=status)
    for _ in range(breaker.TRIP_AT):
        assert await psp.ask()
    before = now()
    for urgency in Urgency:
        assert not await psp.ask("register", urgency)
        assert not await psp.ask("look_up", urgency)
    assert now() == before


@pytest.mark.parametrize("status", [200, 400, 402, 403, 404, 409, 429])
@in_virtual_time
async def test_whatever_it_answers_a_psp_that_answers_is_asked(status: int) -> None:
    psp = Psp(a_gate(), status=status)
    for _ in range(3 * breaker.OF_LAST):
        assert await psp.ask()


@in_virtual_time
async def test_fewer_failures_than_half_open_nothing() -> None:
    psp = Psp(a_gate())
    for number in range(10 * breaker.OF_LAST):
        psp.status = None if number % breaker.OF_LAST < breaker.TRIP_AT - 1 else 200
        assert await psp.ask()


@in_virtual_time
async def test_those_in_line_are_told_as_soon_as_it_opens() -> None:
    psp = Psp(a_gate(Rates(account=100, endpoint=25)), status=None, takes_s=0.5)
    sent = await psp.all(60)  # by their pace they would take three seconds
    assert sent.count(False) >= 40
    assert now() < 2


@in_virtual_time
async def test_pauses_double_to_a_limit_and_one_call_probes_after_each() -> None:
    psp = Psp(a_gate(), takes_s=0.0)
    await broken(psp)
    psp.asked.clear()
    for _ in range(600):
        await asyncio.sleep(0.1)
        await psp.all(3)
    assert [round(gap) for gap in gaps(psp)[:4]] == [2, 4, 8, 10]
    assert max(gaps(psp)) <= breaker.PAUSE_S_MAX + 0.2


@in_virtual_time
async def test_an_answered_probe_lets_all_in_who_came_meanwhile() -> None:
    psp = Psp(a_gate())
    await broken(psp)
    await asyncio.sleep(breaker.PAUSE_S)
    psp.status = 200
    assert all(await psp.all(20))


@in_virtual_time
async def test_a_probe_that_hangs_keeps_nobody_waiting_for_long() -> None:
    psp = Psp(a_gate())
    await broken(psp)
    await asyncio.sleep(breaker.PAUSE_S)
    psp.takes_s = 9.0
    probe = asyncio.create_task(psp.ask())
    await asyncio.sleep(0)
    before = now()
    assert not await psp.ask()
    assert now() - before == pytest.approx(breaker.PROBE_WAIT_S)
    before = now()
    assert not await psp.ask()
    assert now() == before
    await probe


@in_virtual_time
async def test_a_probe_that_is_given_up_is_made_by_the_next() -> None:
    psp = Psp(a_gate())
    await broken(psp)
    await asyncio.sleep(breaker.PAUSE_S)
    probe = asyncio.create_task(psp.ask())
    await asyncio.sleep(0.01)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    psp.status = 200
    assert await psp.ask()
    assert psp.gate.breaker.is_closed


@in_virtual_time
async def test_calls_from_before_it_opened_neither_open_nor_close_it() -> None:
    psp = Psp(a_gate(), takes_s=5.0)
    late = asyncio.create_task(psp.ask())
    await asyncio.sleep(0.01)
    psp.takes_s = 0.01
    await broken(psp)
    assert not late.done()
    psp.status = 200
    assert await late
    assert not psp.gate.breaker.is_closed


@in_virtual_time
async def test_operators_see_how_many_breakers_are_open_while_anybody_asks() -> None:
    def shown() -> float | None:
        return REGISTRY.get_sample_value("payloom_psp_breakers_open", {"psp": "seen"})

    gates = Gates(clock=now)
    psp, other = (Psp(gates.of(ids.new(), "seen", None)) for _ in range(2))
    await other.ask()
    assert shown() == 0
    await broken(psp)
    assert shown() == 1
    await asyncio.sleep(breaker.PAUSE_S)
    psp.status = 200
    await psp.ask()
    assert shown() == 0
    await broken(psp)
    await asyncio.sleep(breaker.PAUSE_S + breaker.FORGOTTEN_S)
    assert shown() == 0


# --- the budget (F21) ------------------------------------------------------------------------


async def ten_minutes_down(psp: Psp) -> tuple[int, int]:
    """Fifteen new payments a second and everything asked again at once, to no avail: how many
    first tries and repetitions reached the PSP once the budget was spent."""

    async def keep_asking(urgency: Urgency, pause_s: float) -> None:
        while now() < 600:
            if await psp.ask("register", urgency) and now() > 60:
                counted[urgency] += 1
            await asyncio.sleep(pause_s)

    counted = dict.fromkeys(Urgency, 0)
    await asyncio.gather(
        *(keep_asking(Urgency.SHOPPER, 1.0) for _ in range(15)),
        *(keep_asking(Urgency.REPEAT, 0.5) for _ in range(9)),
    )
    return counted[Urgency.SHOPPER], counted[Urgency.REPEAT]


@in_virtual_time
async def test_repetitions_are_a_tenth_of_first_tries_while_nothing_is_answered() -> None:
    psp = Psp(a_gate(trip_at=10**9), status=None, takes_s=0.0)
    first, again = await ten_minutes_down(psp)
    assert first > 8_000
    assert (
        0.09 * first < again <= 0.1 * first + 2
    )  # what was left of the budget when we began to count


@in_virtual_time
async def test_with_the_breaker_a_psp_that_is_down_hears_hardly_anything() -> None:
    psp = Psp(a_gate(), status=None, takes_s=0.0)
    first, again = await ten_minutes_down(psp)
    assert first + again < 100


@in_virtual_time
async def test_a_psp_that_is_back_is_asked_about_all_that_waited() -> None:
    psp = Psp(a_gate(trip_at=10**9), status=None, takes_s=0.1)
    while await psp.ask("register", Urgency.REPEAT):
        pass
    psp.status = 200
    psp.asked.clear()

    async def job() -> None:
        while not await psp.ask("register", Urgency.REPEAT):  # noqa: ASYNC110 # as jobs do
            await asyncio.sleep(5)

    await asyncio.gather(*(job() for _ in range(500)))
    assert len(psp.asked) == 500
    assert now() < 300


@in_virtual_time
async def test_a_quiet_connection_finds_out_too() -> None:
    psp = Psp(a_gate(trip_at=10**9), status=None, takes_s=0.0)
    while await psp.ask("look_up", Urgency.REPEAT):
        pass
    psp.asked.clear()
    for _ in range(65):
        await asyncio.sleep(1)
        await psp.ask("look_up", Urgency.REPEAT)
    assert len(psp.asked) == 60 // budget.ONE_EVERY_S
