"""The pairs, a row each: what is given, two flows, and the one end that every order leads to.

A new pair is a row, with a coroutine for each flow that is not there yet.
"""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from payloom.core import ids
from payloom.core.idempotency import Claim, KeyTaken
from payloom.merchants.connections import connection_for_psp, connector_of
from payloom.notices.apply import apply_waiting
from payloom.notices.receive import receive
from payloom.notices.returns import come_back
from payloom.notices.sweep import sweep
from payloom.payments import hot
from payloom.payments.cancel import NotCancelable, cancel
from payloom.payments.compose import new_payment
from payloom.payments.intend import LOOK_AFTER
from payloom.payments.model import Attempt
from payloom.payments.recover import look_up
from payloom.payments.register import ask, register
from payloom.payments.try_again import AttemptNotPossible, try_again
from payloom.payments.wanted import WantedAttempt, WantedOrder
from payloom.refunds.return_surplus import return_surplus
from payloom.runtime import Runtime
from payloom.webhooks.deliver import deliver_due
from tests.weave.ground import Ground, Side
from tests.weave.psp import EXPIRED, NAME, PAID, notice_of


@dataclass(slots=True)
class Case:
    """One order that a schedule is about."""

    ground: Ground
    wanted: WantedOrder

    async def attempt(self) -> Attempt:
        return (await self.ground.payment(self.wanted.reference)).current


@dataclass(frozen=True, slots=True)
class End:
    """What is left of it all, ids and times aside (I14)."""

    status: str
    state: str
    captured: int
    postings: tuple[str, ...]
    events: tuple[str, ...]
    notices: tuple[str, ...] = ()
    pages_made: int = 1
    deliveries_made: int = 0


Given = Callable[[Case], Coroutine[Any, Any, None]]
Doing = Callable[[Side, Case], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Pair:
    """`switches` bounds how often a schedule may leave a flow that could go on; `waits` says
    whether one may have to wait for the other's lock."""

    given: Given
    one: Doing
    other: Doing
    end: End | tuple[End, ...]  # several: whoever is first at the PSP decides
    switches: int = 3
    waits: bool = True

    @property
    def name(self) -> str:
        one, other, given = (
            each.__name__.replace("_", " ") for each in (self.one, self.other, self.given)
        )
        return f"{one} x {other}, given {given}"


# --- what is given ---------------------------------------------------------------------------


async def no_order(_case: Case) -> None:
    pass


async def an_open_page(case: Case) -> None:
    await register(case.ground.rt, case.ground.caller, case.wanted, correlation_id="req_weave")


async def a_paid_page(case: Case) -> None:
    await an_open_page(case)
    await _pay(case, notices=1)


async def a_paid_page_told_twice(case: Case) -> None:
    await an_open_page(case)
    await _pay(case, notices=2)


async def a_paid_page_we_do_not_know(case: Case) -> None:
    """The PSP made the page, and its answer has not come: who sent the request sends it again."""
    rt = case.ground.rt
    connection = await connection_for_psp(rt, case.ground.caller.merchant_id, None)
    _, connector = await connector_of(rt, connection.id)
    now = rt.clock()
    payment = new_payment(rt, connector, connection, case.wanted, "req_weave", now)
    async with rt.db.statement() as tx:
        await hot.place(tx, payment, None, now + LOOK_AFTER)
    await connector.register(payment.current.rendered)
    await _pay(case, notices=1)


async def _pay(case: Case, *, notices: int) -> None:
    attempt = await case.attempt()
    case.ground.psp.end(attempt.public_id, PAID)
    for number in range(1, notices + 1):
        await _tell(case.ground.rt, attempt, number)


async def _tell(rt: Runtime, attempt: Attempt, number: int = 1) -> None:
    body = notice_of(attempt.public_id, PAID, number)
    await receive(rt, NAME, attempt.connection_id, {}, body)


async def a_surplus(case: Case) -> None:
    """The order was canceled, and its page was paid all the same."""
    await an_open_page(case)
    order = (await case.ground.payment(case.wanted.reference)).order
    await cancel(case.ground.rt, case.ground.caller, order.id, correlation_id="req_weave")
    attempt = await case.attempt()
    case.ground.psp.pages[attempt.public_id] = PAID
    await _tell(case.ground.rt, attempt)
    await apply_waiting(case.ground.rt, limit=10)


# --- what happens ----------------------------------------------------------------------------


async def the_shopper_pays(side: Side, case: Case) -> None:
    """At the PSP, which tells us; and a worker applies what it tells."""
    attempt = await case.attempt()
    async with side.strand.step("the shopper pays"):
        is_paid = case.ground.psp.end(attempt.public_id, PAID)
    if is_paid:
        await _tell(side.rt, attempt)
        await apply_waiting(side.rt, limit=1)


async def the_shopper_returns(side: Side, case: Case) -> None:
    attempt = await case.attempt()
    await come_back(side.rt, attempt.id, attempt.return_token.hex(), canceled=False)


async def notices_are_applied(side: Side, _case: Case) -> None:
    await apply_waiting(side.rt, limit=1)


async def the_answer_is_recorded(side: Side, case: Case) -> None:
    payment = await case.ground.payment(case.wanted.reference)
    _, connector = await connector_of(side.rt, payment.current.connection_id)
    await ask(side.rt, connector, payment)


async def the_job_asks(side: Side, case: Case) -> None:
    await look_up(side.rt, (await case.attempt()).id)


async def the_shop_asks(side: Side, case: Case) -> None:
    await register(side.rt, case.ground.caller, case.wanted, correlation_id="req_weave")


async def the_shop_asks_with_a_key(side: Side, case: Case) -> None:
    """The second is told that the key is taken, and would wait for the answer of the first."""
    caller, key = case.ground.caller, case.wanted.reference
    fingerprint, now = case.wanted.fingerprint, side.rt.clock()
    claim = Claim(side.rt.db, caller.merchant_id, key, fingerprint, now, ids.new())
    with suppress(KeyTaken):
        await register(side.rt, caller, case.wanted, correlation_id="req_weave", claim=claim)


async def the_shop_cancels(side: Side, case: Case) -> None:
    order = (await case.ground.payment(case.wanted.reference)).order
    with suppress(NotCancelable):
        await cancel(side.rt, case.ground.caller, order.id, correlation_id="req_weave")


async def the_shop_tries_again(side: Side, case: Case) -> None:
    order = (await case.ground.payment(case.wanted.reference)).order
    wanted = WantedAttempt()
    with suppress(AttemptNotPossible):
        await try_again(side.rt, case.ground.caller, order.id, wanted, correlation_id="req_weave")


async def the_page_expires(side: Side, case: Case) -> None:
    """At the PSP, which tells us; and a worker applies what it tells."""
    attempt = await case.attempt()
    async with side.strand.step("the page expires"):
        is_over = case.ground.psp.end(attempt.public_id, EXPIRED)
    if is_over:
        await receive(
            side.rt, NAME, attempt.connection_id, {}, notice_of(attempt.public_id, EXPIRED)
        )
        await apply_waiting(side.rt, limit=1)


async def the_sweep_reads(side: Side, case: Case) -> None:
    await sweep(side.rt, (await case.attempt()).connection_id)
    await apply_waiting(side.rt, limit=1)


async def the_money_is_returned(side: Side, case: Case) -> None:
    attempt = await case.attempt()
    await return_surplus(side.rt, attempt.merchant_id, attempt.id)


async def events_are_delivered(side: Side, _case: Case) -> None:
    await deliver_due(side.rt, side.outlet, limit=10)
    await side.outlet.settle()


# --- the table -------------------------------------------------------------------------------

REGISTERED = End("PENDING", "OPEN", 0, (), ("registered",))
DELIVERED = replace(REGISTERED, deliveries_made=1)
SUCCEEDED = End(
    "SUCCEEDED", "SUCCEEDED", 4999, ("captured",), ("registered", "succeeded"), ("applied",)
)
TOLD_TWICE = replace(SUCCEEDED, notices=("applied", "applied"))

PAID_HERE = (SUCCEEDED, replace(SUCCEEDED, notices=()))  # some were found out, not told
CANCELED = End("CANCELED", "CANCELED", 0, (), ("registered", "canceled"))
TRIED = End("PENDING", "OPEN", 0, (), ("registered", "registered"))
# The attempt that was tried in vain is never sent; the money came on the page before it.
TRIED_IN_VAIN = End(
    "SUCCEEDED", "CANCELED", 4999, ("captured",), ("registered", "succeeded"), pages_made=0
)
CANCELED_LATER = replace(CANCELED, events=("registered", "registered", "canceled"))
CANCELED_UNSENT = replace(CANCELED, pages_made=0)
OVER = End("EXPIRED", "EXPIRED", 0, (), ("registered", "expired"), ("applied",))
RETURNED = End(
    "CANCELED", "SUCCEEDED", 0, ("money_returned", "suspense"),
    ("registered", "canceled", "duplicate_payment_returned"), ("applied",),
)  # fmt: skip

PAIRS = (
    Pair(an_open_page, the_shopper_pays, the_shopper_returns, SUCCEEDED, switches=2),
    Pair(an_open_page, the_shopper_pays, the_job_asks, SUCCEEDED, switches=2),
    Pair(a_paid_page, the_shopper_returns, notices_are_applied, SUCCEEDED),
    Pair(a_paid_page, the_shopper_returns, the_shopper_returns, SUCCEEDED, switches=2),
    Pair(a_paid_page_told_twice, notices_are_applied, notices_are_applied, TOLD_TWICE),
    Pair(a_paid_page_we_do_not_know, the_answer_is_recorded, notices_are_applied, SUCCEEDED),
    Pair(a_paid_page_we_do_not_know, the_answer_is_recorded, the_job_asks, SUCCEEDED),
    Pair(no_order, the_shop_asks, the_shop_asks, REGISTERED, switches=9, waits=False),
    Pair(no_order, the_shop_asks_with_a_key, the_shop_asks_with_a_key, REGISTERED, waits=False),
    Pair(an_open_page, events_are_delivered, events_are_delivered, DELIVERED, waits=False),
    Pair(an_open_page, the_shop_cancels, the_shopper_pays, (CANCELED, *PAID_HERE), switches=2),
    Pair(an_open_page, the_page_expires, the_shopper_pays, (OVER, *PAID_HERE), waits=False),
    Pair(
        an_open_page,
        the_shop_tries_again,
        the_shopper_pays,
        (TRIED, TRIED_IN_VAIN, SUCCEEDED),
        switches=2,
    ),
    Pair(
        an_open_page,
        the_shop_cancels,
        the_shop_tries_again,
        (CANCELED, CANCELED_LATER, CANCELED_UNSENT, TRIED),
        switches=2,
    ),
    Pair(a_paid_page, notices_are_applied, the_sweep_reads, SUCCEEDED, waits=False),
    Pair(a_surplus, the_money_is_returned, the_money_is_returned, RETURNED, switches=2),
)
