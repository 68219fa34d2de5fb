"""A shop does not want to be paid any more: write the wish, end the page at the PSP, record.

Expiry is a request to the PSP, not a local fact (F24): the order is CANCELED once the page is
dead, and paid if the shopper was faster.
"""

import asyncio
from uuid import UUID

from payloom.core.errors import Conflict, NotFound
from payloom.core.idempotency import Answer
from payloom.core.points import point
from payloom.merchants.auth import Caller
from payloom.payments import intend, queries
from payloom.payments.answer import answer_to_cancel
from payloom.payments.model import Cause, Payment
from payloom.payments.record import write
from payloom.payments.recover import find_out
from payloom.payments.register import ANSWER_WITHIN_S
from payloom.payments.states import State, Status
from payloom.payments.turn import take_turn
from payloom.runtime import Runtime


class NotCancelable(Conflict):
    code = "not_cancelable"
    title = "This payment order cannot be canceled"
    is_final = True


async def cancel(rt: Runtime, caller: Caller, order_id: UUID, *, correlation_id: str) -> Answer:
    """200 when canceled, now or before; 202 while the PSP has not said that the page is dead.

    Raises NotFound, and NotCancelable also when it was paid meanwhile.
    """
    payment = await _wish(rt, caller.merchant_id, order_id, Cause("request", correlation_id))
    if payment.order.status is not Status.CANCELED:
        carrying_out = rt.spawn(_carry_out(rt, payment))
        await asyncio.wait([carrying_out], timeout=ANSWER_WITHIN_S)
        payment = carrying_out.result() if carrying_out.done() else payment
    _refuse_if_too_late(payment)
    return answer_to_cancel(payment)


async def _wish(rt: Runtime, merchant_id: UUID, order_id: UUID, cause: Cause) -> Payment:
    now = rt.clock()
    async with rt.db.transaction() as tx:
        payment = await queries.lock_payment(tx, merchant_id, order_id)
        if payment is None:
            raise NotFound("There is no payment order with this id")
        _refuse_if_too_late(payment)
        if payment.order.cancel_requested_at is not None:
            return payment
        change = intend.cancel(payment, cause, now)
        await write(tx, [change], now)
    point("cancel.wished")
    return change.payment


async def _carry_out(rt: Runtime, payment: Payment) -> Payment:
    """End what is open. A page that is just being made is ended when the PSP has answered."""
    for attempt in payment.live:
        if attempt.state is State.OPEN:
            payment = await find_out(rt, attempt.id) or payment
    current = payment.current
    if current.is_waiting:
        return await take_turn(rt, current.merchant_id, current.payment_order_id, current.id)
    return payment


def _refuse_if_too_late(payment: Payment) -> None:
    order = payment.order
    if order.status is not Status.CANCELED and order.status not in intend.CANCELABLE:
        raise NotCancelable(f"It is {order.status}", extra={"payment_order": order.public_id})
