"""A new attempt for an order: another page, maybe at another PSP.

Write the intention, end the page that is still open, send, record. Whoever is killed in between
leaves jobs that go on.
"""

import asyncio
from dataclasses import replace
from uuid import UUID

from payloom.core.errors import Conflict, NotFound
from payloom.core.idempotency import Answer
from payloom.core.points import point
from payloom.merchants.auth import Caller
from payloom.merchants.connections import connection_for_psp, connector_of
from payloom.payments import intend, queries
from payloom.payments.answer import answer_of
from payloom.payments.compose import another_attempt
from payloom.payments.model import Attempt, Cause, Payment
from payloom.payments.record import write
from payloom.payments.recover import find_out
from payloom.payments.register import ANSWER_WITHIN_S, refuse_if_refused
from payloom.payments.turn import take_turn
from payloom.payments.wanted import WantedAttempt
from payloom.runtime import Runtime


class AttemptNotPossible(Conflict):
    code = "attempt_not_possible"
    title = "This payment order takes no new attempt"
    is_final = True


async def try_again(
    rt: Runtime, caller: Caller, order_id: UUID, wanted: WantedAttempt, *, correlation_id: str
) -> Answer:
    """201 with the new page; 202 while the old page's end or the new page is not known.

    Raises NotFound, AttemptNotPossible, RegistrationRefused, PspUnavailable, AmountNotSupported,
    MethodTypeUnavailable.
    """
    async with rt.db.statement() as tx:
        payment = await queries.payment_by_id(tx, caller.merchant_id, order_id)
    payment = _retryable(payment)
    connection = await connection_for_psp(rt, caller.merchant_id, wanted.psp)
    _, connector = await connector_of(rt, connection.id)
    now = rt.clock()
    attempt = another_attempt(rt, connector, connection, payment, wanted.expires_in, now)
    cause = Cause("request", correlation_id)
    async with rt.db.transaction() as tx:
        payment = _retryable(await queries.lock_payment(tx, caller.merchant_id, order_id))
        # Not sent before it is its turn, though that may be at once.
        attempt = replace(attempt, number=len(payment.attempts) + 1, asked_at=None)
        await queries.insert_attempt(tx, attempt)
        change = intend.another_attempt(payment, attempt, cause, now)
        await write(tx, [change], now)
    point("attempt.placed")
    carrying_out = rt.spawn(_carry_out(rt, payment, attempt))
    await asyncio.wait([carrying_out], timeout=ANSWER_WITHIN_S)
    tried = carrying_out.result() if carrying_out.done() else change.payment
    refuse_if_refused(tried)
    if tried.order.current_attempt != attempt.id or tried.order.paid_by_attempt is not None:
        raise AttemptNotPossible(f"The shopper has finished meanwhile: {tried.order.status}")
    return answer_of(tried, is_new=True)


async def _carry_out(rt: Runtime, payment: Payment, attempt: Attempt) -> Payment:
    """End the old page, then send the new attempt; the payment as it is then."""
    for old in payment.live:
        await find_out(rt, old.id)
    return await take_turn(rt, attempt.merchant_id, attempt.payment_order_id, attempt.id)


def _retryable(payment: Payment | None) -> Payment:
    if payment is None:
        raise NotFound("There is no payment order with this id")
    order = payment.order
    if order.status not in intend.RETRYABLE or order.cancel_requested_at is not None:
        raise AttemptNotPossible(f"It is {order.status}", extra={"payment_order": order.public_id})
    return payment
