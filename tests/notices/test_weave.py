"""A notice and whatever else moves its payment, step by step in every order (F44, F48)."""

from collections.abc import Sequence
from uuid import UUID

from payloom.audit.run import audit
from payloom.core.db import Tx
from payloom.notices import queries
from payloom.notices.effect import take_effect
from payloom.notices.queries import Stored, Waiting
from payloom.payments import hot
from payloom.payments.answer import answer_of
from payloom.payments.decide import Change, decide
from payloom.payments.hot import Placed
from payloom.payments.model import Cause, Fact, Payment
from payloom.payments.record import event_of, record
from tests.notices.given import COMPLETED, Given, event, page, paid, session
from tests.notices.lives import left_of
from tests.notices.weaving import Step, begin, commit, interleavings, weave


def registering(given: Given, payment: Payment) -> list[Step]:
    """`register`, its two writes held open between their statement and their commit."""
    fact = Fact(given.merchant_id, payment.current.id, page(payment), Cause("psp_answer"))

    async def place(tx: Tx) -> None:
        await begin(tx)
        assert await hot.place(tx, payment, None, payment.order.expires_at) is Placed.NEW

    async def open_(tx: Tx) -> None:
        await begin(tx)
        now = given.rt.clock()
        change = decide(payment, fact, now)
        assert isinstance(change, Change)
        answer = answer_of(change.payment, is_new=True)
        if not await hot.opened(tx, change, event_of(change, now), None, answer):
            await record(tx, [fact], now)

    return [place, commit, open_, commit]


def storing(given: Given, told: Stored) -> Step:
    async def store(tx: Tx) -> None:
        assert await queries.insert_notices(tx, [told], "webhook", given.rt.clock()) == {told.id}

    return store


def applying(given: Given, notice_id: UUID) -> list[Step]:
    """What a worker does with a notice."""
    claimed: list[Waiting] = []

    async def claim(tx: Tx) -> None:
        await begin(tx)
        claimed.extend(await queries.claim_one(tx, given.merchant_id, notice_id))

    async def apply(tx: Tx) -> None:
        now = given.rt.clock()
        effects = await take_effect(given.rt, tx, claimed, now)
        await queries.finish(tx, [effect.end for effect in effects], now)

    return [claim, apply, commit]


def looking_up(given: Given, payment: Payment) -> list[Step]:
    """What a job does with the PSP's answer."""
    fact = Fact(given.merchant_id, payment.current.id, paid(payment), Cause("look_up"))

    async def answer(tx: Tx) -> None:
        await begin(tx)
        await record(tx, [fact], given.rt.clock())

    return [answer, commit]


async def check_paid_once(given: Given, payments: Sequence[Payment]) -> None:
    """However the steps fell: soon after, each is paid, once, and nothing else differs."""
    await given.later(seconds=5)
    await given.all_applied()
    left = set(await left_of(given, payments))
    assert len(left) == 1, "\n\n".join(left)
    assert await given.status(payments[0]) == "SUCCEEDED"
    (booked,) = await given.rows("SELECT count(*) AS all FROM ledger_postings")
    assert booked["all"] == len(payments)
    assert {row["state"] for row in await given.notices()} == {"applied"}
    async with given.rt.db.transaction() as tx:
        assert await audit(tx, now=given.rt.clock()) == []


async def test_a_notice_may_come_at_any_moment_of_a_registration(given: Given) -> None:
    """Before our row is there, before its commit, before the PSP's answer is recorded (F44)."""
    payments, waits = [], 0
    for order in interleavings(4, 4):
        payment = await given.unplaced()
        told = given.stored(event(COMPLETED, session(payment)))
        notice = [storing(given, told), *applying(given, told.id)]
        waits += await weave(given.rt, [registering(given, payment), notice], order)
        payments.append(payment)
    assert len(payments) == 70
    assert waits > 0  # else nothing met
    await check_paid_once(given, payments)


async def test_two_copies_of_a_fact_are_applied_at_once(given: Given) -> None:
    payments, waits = [], 0
    for order in interleavings(3, 3):
        (payment,) = await given.opened()
        copies = await given.told(*(event(COMPLETED, session(payment)) for _ in range(2)))
        both = [applying(given, copy) for copy in copies]
        waits += await weave(given.rt, both, order)
        payments.append(payment)
    assert (len(payments), waits > 0) == (20, True)
    await check_paid_once(given, payments)


async def test_a_notice_and_a_look_up_tell_the_same_at_once(given: Given) -> None:
    payments, waits = [], 0
    for order in interleavings(3, 2):
        (payment,) = await given.opened()
        (notice,) = await given.told(event(COMPLETED, session(payment)))
        both = [applying(given, notice), looking_up(given, payment)]
        waits += await weave(given.rt, both, order)
        payments.append(payment)
    assert (len(payments), waits > 0) == (10, True)
    await check_paid_once(given, payments)
