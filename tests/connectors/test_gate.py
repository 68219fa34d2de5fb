"""Who may call a PSP, when, and how many at once; time is virtual throughout."""

import asyncio

import pytest

from payloom.connectors import gate, line, pace
from payloom.connectors.errors import NoAnswer, NotSent
from payloom.connectors.gate import Gate
from payloom.connectors.http import psp_call
from payloom.connectors.pace import Rates
from payloom.connectors.urgency import Urgency
from tests.connectors.asking import Psp, a_gate, gaps, most_at_once, most_in_a_second
from tests.virtual_time import in_virtual_time, now

STRIPE = Rates(account=100, endpoint=25)


# --- how fast --------------------------------------------------------------------------------


@in_virtual_time
async def test_no_second_holds_more_calls_than_the_psp_grants_an_endpoint() -> None:
    psp = Psp(a_gate(STRIPE))
    assert all(await psp.all(90))
    times = [at for at, _ in psp.asked]
    assert most_in_a_second(times) == 25
    assert 3.5 < max(times) < 5  # and no fewer: 20 a second after the first 5


@in_virtual_time
async def test_the_account_has_a_limit_of_its_own() -> None:
    psp = Psp(a_gate(Rates(account=25, endpoint=25)))
    verbs = ["register", "look_up", "expire", "find"]
    assert all(await asyncio.gather(*(psp.ask(verb) for verb in verbs * 20)))
    assert most_in_a_second([at for at, _ in psp.asked]) == 25


@in_virtual_time
async def test_who_waits_for_one_endpoint_stands_in_no_other_ones_way() -> None:
    psp = Psp(a_gate(STRIPE))
    crowd = [asyncio.create_task(psp.ask()) for _ in range(50)]
    await asyncio.sleep(0.01)
    before = now()
    await psp.ask("look_up")
    assert now() - before == pytest.approx(psp.takes_s)
    await asyncio.gather(*crowd)


@in_virtual_time
async def test_too_many_requests_halve_the_rate_once_and_time_restores_it() -> None:
    psp = Psp(a_gate(STRIPE), status=429)
    await psp.all(5)  # all at once: one sign, not five
    psp.status = 200
    psp.asked.clear()
    await psp.all(30)
    slow = [at for at, _ in psp.asked]
    assert most_in_a_second(slow) in range(10, 14)
    await asyncio.sleep(60)
    psp.asked.clear()
    await psp.all(60)
    assert most_in_a_second([at for at, _ in psp.asked]) >= 24


@in_virtual_time
async def test_however_often_it_says_so_the_rate_has_a_least() -> None:
    psp = Psp(a_gate(), status=429)
    for _ in range(40):
        assert await psp.ask()
    assert max(gaps(psp)) < 1.2
    assert psp.gate.breaker.is_closed  # it answers, after all


# --- how many at once ------------------------------------------------------------------------


@in_virtual_time
async def test_a_psp_that_hangs_holds_no_more_calls_than_the_window_is_wide() -> None:
    psp = Psp(a_gate(), takes_s=9.0)
    assert await most_at_once(psp, pace.AT_ONCE_MAX + 30) == pace.AT_ONCE_MAX
    assert psp.not_sent == 30  # they waited in vain


@pytest.mark.parametrize(("status", "takes_s"), [(200, pace.SLOW_S), (None, 0.1)])
@in_virtual_time
async def test_slow_and_missing_answers_narrow_the_window_and_good_ones_widen_it(
    status: int | None, takes_s: float
) -> None:
    psp = Psp(a_gate(trip_at=10**9), status=status, takes_s=takes_s)
    await psp.all(pace.AT_ONCE_MAX)
    narrow = int(pace.AT_ONCE_MAX * pace.NARROWER)  # one fall for all that had begun before it
    psp.status, psp.takes_s = 200, 0.1
    psp.asked.clear()
    assert await most_at_once(psp, pace.AT_ONCE_MAX) in (narrow, narrow + 1)
    for _ in range(40):
        await psp.all(pace.AT_ONCE_MAX)
    await asyncio.sleep(5)
    psp.asked.clear()
    assert await most_at_once(psp, pace.AT_ONCE_MAX + 1) == pace.AT_ONCE_MAX


@in_virtual_time
async def test_a_psp_that_is_slow_whatever_we_do_is_asked_all_the_same() -> None:
    psp = Psp(a_gate(), takes_s=pace.SLOW_S)
    for _ in range(20):
        await psp.all(pace.AT_ONCE_MAX)
    psp.asked.clear()
    assert await most_at_once(psp, pace.AT_ONCE_MAX) == pace.AT_ONCE_MIN


@in_virtual_time
async def test_slow_answers_to_few_calls_narrow_nothing() -> None:
    psp = Psp(a_gate(), takes_s=pace.SLOW_S)
    for _ in range(20):
        await psp.all(pace.AT_ONCE_MAX // 2 - 1)
    psp.asked.clear()
    assert await most_at_once(psp, pace.AT_ONCE_MAX) == pace.AT_ONCE_MAX


# --- who goes first --------------------------------------------------------------------------


@in_virtual_time
async def test_shoppers_go_before_what_nobody_waits_for() -> None:
    psp = Psp(a_gate(STRIPE), takes_s=0.0)
    order: list[str] = []

    async def ask(name: str, urgency: Urgency) -> None:
        if await psp.ask("register", urgency):
            order.append(name)

    await psp.all(5)  # the burst is spent
    others = [asyncio.create_task(ask("other", Urgency.ROUTINE)) for _ in range(3)]
    await asyncio.sleep(0)
    shoppers = [asyncio.create_task(ask("shopper", Urgency.SHOPPER)) for _ in range(5)]
    await asyncio.gather(*others, *shoppers)
    assert order == ["shopper"] * 5 + ["other"] * 3


@in_virtual_time
async def test_but_not_never() -> None:
    psp = Psp(a_gate(STRIPE), takes_s=0.0)
    crowd = [asyncio.create_task(psp.ask()) for _ in range(80)]
    await asyncio.sleep(0.01)
    assert await psp.ask("register", Urgency.ROUTINE)
    assert sum(task.done() for task in crowd) < 5 + 2 * line.OTHERS_EVERY
    await asyncio.gather(*crowd)


@pytest.mark.parametrize("urgency", [Urgency.ROUTINE, Urgency.REPEAT])
@in_virtual_time
async def test_of_what_nobody_waits_for_only_so_much_is_here_at_once(urgency: Urgency) -> None:
    psp = Psp(a_gate(), takes_s=8.0)
    sent = await asyncio.gather(
        *(psp.ask("look_up", urgency) for _ in range(gate.OTHERS_AT_ONCE + 5))
    )
    assert sent.count(True) == gate.OTHERS_AT_ONCE
    assert await psp.ask("look_up", urgency)  # their places are free again


@in_virtual_time
async def test_a_wave_of_it_goes_out_when_the_psp_answers() -> None:
    psp = Psp(a_gate(), takes_s=0.02)
    wave = [psp.ask("look_up", Urgency.REPEAT) for _ in range(4 * gate.OTHERS_AT_ONCE)]
    assert all(await asyncio.gather(*wave))


@in_virtual_time
async def test_nobody_waits_longer_than_makes_sense() -> None:
    psp = Psp(a_gate(), takes_s=30.0)
    busy = [asyncio.create_task(psp.ask()) for _ in range(pace.AT_ONCE_MAX)]
    await asyncio.sleep(0.01)
    for urgency, patience_s in (
        (Urgency.SHOPPER, gate.SHOPPERS_WAIT_S),
        (Urgency.ROUTINE, gate.OTHERS_WAIT_S),
        (Urgency.REPEAT, gate.OTHERS_WAIT_S),
    ):
        before = now()
        assert not await psp.ask("register", urgency)
        assert now() - before == pytest.approx(patience_s)
    waiting = [asyncio.create_task(psp.ask()) for _ in range(line.WAITING_MAX)]
    await asyncio.sleep(0.01)
    before = now()
    assert not await psp.ask()  # the line is full: told at once
    assert now() == before
    await asyncio.gather(*busy, *waiting)


@in_virtual_time
async def test_whoever_stops_waiting_leaves_no_trace() -> None:
    """Cancelled in line, at the moment its turn comes, or on its way (F07)."""
    psp = Psp(a_gate(Rates(endpoint=5, account=5)), takes_s=0.25)
    for delay in [n * 0.05 for n in range(12)]:
        urgency = [Urgency.SHOPPER, Urgency.ROUTINE, Urgency.REPEAT][int(delay * 20) % 3]
        tasks = [asyncio.create_task(psp.ask("register", urgency)) for _ in range(3)]
        await asyncio.sleep(delay)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert psp.gate.is_idle()
    assert psp.gate._places._value == gate.OTHERS_AT_ONCE
    assert await psp.ask()


# --- a whole call ----------------------------------------------------------------------------


@in_virtual_time
async def test_waiting_for_its_turn_counts_towards_a_calls_deadline() -> None:
    gate = Gate("con_1", "acme", Rates(account=1, endpoint=1), clock=now, deadline_s=3.0)
    async with psp_call(gate, "register"):
        pass
    begun: list[float] = []

    async def hang() -> None:
        async with psp_call(gate, "register"):
            begun.append(now())
            await asyncio.sleep(60)

    with pytest.raises(NoAnswer, match="within 3 s"):
        await hang()
    assert begun == [pytest.approx(1.25)]  # 0.8 a second
    assert now() == pytest.approx(3.0)


@in_virtual_time
async def test_a_deadline_that_comes_in_line_means_not_sent() -> None:
    gate = Gate("con_1", "acme", Rates(account=0.1, endpoint=0.1), clock=now, deadline_s=2.0)
    async with psp_call(gate, "register"):
        pass
    with pytest.raises(NotSent) as refused:
        async with psp_call(gate, "register"):
            pass
    assert refused.value.executed is False
