"""What a payment comes to depends on what was told, not on the order, how often, or when (I14)."""

import asyncio
import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from payloom.audit.run import audit
from payloom.notices.apply import apply_waiting
from payloom.runtime import running
from tests.notices.given import COMPLETED, Given, event, refunding, session
from tests.notices.lives import LIVES, Event, left_of

SEED = 14
PAYMENTS = 30  # of each life, in random order


async def check_invariants(given: Given) -> None:
    async with given.rt.db.transaction() as tx:
        assert await audit(tx, now=given.rt.clock()) == []


@contextmanager
def nothing_breaks() -> Iterator[None]:
    """What breaks is tried again, and might come out right by that: here it must not."""
    with capture_logs() as lines:
        yield
    assert [line for line in lines if line["log_level"] == "error"] == []


@pytest.mark.parametrize("name", LIVES)
async def test_every_order_of_what_is_told_comes_to_the_same(given: Given, name: str) -> None:
    """All n! of them, each notice applied before the next is received (F37)."""
    life = LIVES[name]
    orders = list(itertools.permutations(range(len(life.facts))))
    payments = await given.opened(len(orders))
    events = [life.events(payment) for payment in payments]
    for place in range(len(life.facts)):
        await given.told(*(told[order[place]] for told, order in zip(events, orders, strict=True)))
        with nothing_breaks():
            await given.all_applied()
    left = await left_of(given, payments)
    different = {text: orders[i] for i, text in enumerate(left)}
    assert len(different) == 1, "\n\n".join(f"{o}:\n{t}" for t, o in different.items())
    assert await given.status(payments[0]) == life.status
    await check_invariants(given)


@pytest.mark.parametrize("name", LIVES)
async def test_any_order_number_and_delay_comes_to_the_same(given: Given, name: str) -> None:
    """Each fact one to ten times, under its own and other ids (F35, F36), in any order and batch,
    with days in between (F38)."""
    life, rnd = LIVES[name], random.Random(f"{SEED} {name}")
    in_order, *others = await given.opened(1 + PAYMENTS)
    for told in life.events(in_order):
        await given.told(told)
        await given.all_applied()
    to_come = [disordered(rnd, life.events(payment)) for payment in others]
    while any(to_come):
        said = [queue.pop() for queue in to_come if queue and rnd.random() < 0.5]
        unique = {each["id"]: each for each in said}
        await given.told(*unique.values(), via=rnd.choice(("webhook", "sweep")))
        if rnd.random() < 0.4 or not any(to_come):
            with nothing_breaks():
                await given.all_applied()
        if rnd.random() < 0.2:
            await given.later(days=rnd.randint(1, 5))
    expected, *left = await left_of(given, [in_order, *others])
    assert set(left) == {expected}
    assert await given.status(in_order) == life.status
    assert {row["state"] for row in await given.notices()} <= {"applied", "ignored"}
    await check_invariants(given)


def disordered(rnd: random.Random, events: list[Event]) -> list[Event]:
    said = [each for each in events for _ in range(rnd.randint(1, 10))]
    said = [each if rnd.random() < 0.5 else {**each, "id": f"evt_{rnd.random()}"} for each in said]
    rnd.shuffle(said)
    return said


async def test_the_first_news_of_a_payment_may_be_that_it_failed(given: Given) -> None:
    """What came before it is late or lost: the attempt goes along two arrows at once."""
    life = LIVES["a bank refuses"]
    told, whole = await given.opened(2)
    await given.told(life.events(told)[-1])
    await given.told(*life.events(whole))
    with nothing_breaks():
        await given.all_applied()
    assert await given.status(told) == await given.status(whole) == "FAILED"
    steps = await given.rows(
        "SELECT from_state, to_state FROM payment_log WHERE payment_order_id = $1"
        " AND outcome = 'Failed' ORDER BY from_state",
        told.order.id,
    )
    assert [tuple(step.values()) for step in steps] == [
        ("OPEN", "PROCESSING"),
        ("PROCESSING", "FAILED"),
    ]
    await check_invariants(given)


async def test_an_event_repeated_after_months_is_known(given: Given) -> None:
    (payment,) = await given.opened()
    told = event(COMPLETED, session(payment))
    assert len(await given.told(told)) == 1
    await given.all_applied()
    (before,) = await left_of(given, [payment])
    for _ in range(3):
        await given.later(days=40)
        assert await given.told(told) == []
        assert await given.all_applied() == 0
    assert [before] == await left_of(given, [payment])
    (seen,) = await given.rows("SELECT times FROM notices_seen")
    assert seen["times"] == 4


async def test_one_event_received_at_once_by_many_is_stored_once(given: Given, dsn: str) -> None:
    (payment,) = await given.opened()
    told = event(COMPLETED, session(payment))
    async with running(given.rt.settings, dsn, given.rt.master_keys) as other:
        second = Given(other, given.merchant_id, given.connection_id)
        stored = await asyncio.gather(*(each.told(told) for each in [given, second] * 25))
    assert sorted(map(len, stored)) == [0] * 49 + [1]
    (seen,) = await given.rows("SELECT times FROM notices_seen")
    assert (seen["times"], len(await given.notices())) == (50, 1)


async def test_one_fact_in_the_hands_of_two_workers_has_one_effect(given: Given, dsn: str) -> None:
    """Forty copies of it, under as many ids; the workers wait for each other at its order."""
    payments = await given.opened(2)
    for payment in payments:
        await given.told(*(event(COMPLETED, session(payment)) for _ in range(40)))
    async with running(given.rt.settings, dsn, given.rt.master_keys) as other:
        with nothing_breaks():
            while sum(
                await asyncio.gather(*(apply_waiting(rt, limit=6) for rt in (given.rt, other)))
            ):
                pass
    rows = await given.notices()
    assert {(row["state"], row["tries"]) for row in rows} == {("applied", 1)}
    assert sum(row["remark"] is None for row in rows) == len(payments)
    (booked,) = await given.rows("SELECT count(*) AS all FROM ledger_postings")
    assert booked["all"] == len(payments)
    await check_invariants(given)


async def test_every_order_of_what_is_told_of_a_refund_comes_to_the_same(given: Given) -> None:
    """A refund that went out may come back: then the money is here again. In the books that may be
    two postings or none, but each account holds the same."""
    ends = set()
    for order in itertools.permutations(("pending", "succeeded", "failed")):
        payment, refund = await given.unwanted()
        for status in order:
            await given.told(event("refund.updated", refunding(payment, refund, status)))
            await given.all_applied()
        (end,) = await given.rows(
            "SELECT r.state, r.last_error ->> 'code' AS error, o.payment_order_status, o.attention"
            "  FROM refunds AS r JOIN payment_orders AS o ON o.id = r.payment_order_id"
            " WHERE r.id = $1",
            refund.id,
        )
        held = await given.rows(
            "SELECT a.code, sum(e.amount)::bigint AS amount FROM ledger_postings AS p"
            "  JOIN ledger_entries AS e ON (e.merchant_id, e.posting_id) = (p.merchant_id, p.id)"
            "  JOIN ledger_accounts AS a ON (a.merchant_id, a.id) = (e.merchant_id, e.account_id)"
            " WHERE p.payment_order_id = $1 GROUP BY a.code ORDER BY a.code",
            payment.order.id,
        )
        ends.add(str((end, held)))
    assert len(ends) == 1, "\n".join(ends)
    assert "'state': 'FAILED'" in ends.pop()
