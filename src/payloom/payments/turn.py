"""A new attempt waits until the page that it replaces is dead; then it is its turn.

Two pages of one order must never be payable at once (F06): the index `attempts_one_live` refuses
what this flow would get wrong.
"""

from uuid import UUID

from payloom.connectors.contract import NeverSent, Outcome, Refused
from payloom.core.errors import NotFound
from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.payments import queries
from payloom.payments.model import Attempt, Cause, Fact, Payment
from payloom.payments.record import record
from payloom.payments.register import ask
from payloom.runtime import Runtime


async def take_turn(rt: Runtime, merchant_id: UUID, order_id: UUID, attempt_id: UUID) -> Payment:
    """Send the attempt if nothing stands in its way any more, or end it if nobody wants it.

    Repeating it is harmless: one caller sends, the others find that it is done.
    """
    now, is_ours = rt.clock(), False
    async with rt.db.transaction() as tx:
        payment = await queries.lock_payment(tx, merchant_id, order_id)
        if payment is None:
            raise NotFound
        attempt = payment.attempt(attempt_id)
        end = _end(payment, attempt) if attempt.is_waiting else None
        if end is None and attempt.is_waiting and not payment.live:
            if now < attempt.resend_until:
                is_ours = await queries.mark_asked(tx, attempt, now)
            else:
                end = Refused("never_sent", "the page before it lived for too long")
        if end is not None:
            fact = Fact(merchant_id, attempt_id, end, Cause("look_up"))
            (recorded,) = await record(tx, [fact], now)
            payment = recorded.payment or payment
    if not is_ours:
        return payment
    point("turn.taken")
    _, connector = await connector_of(rt, attempt.connection_id)
    return await ask(rt, connector, payment)


def _end(payment: Payment, attempt: Attempt) -> Outcome | None:
    """How an attempt ends that is not to be sent any more. While the order is being canceled, the
    page before it decides what becomes of the order."""
    is_over = payment.is_unwanted(attempt)
    if payment.order.cancel_requested_at is not None and payment.live:
        is_over = False
    return NeverSent() if is_over else None
