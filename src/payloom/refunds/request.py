"""A shop gives money back: write the intention, ask the PSP, record the answer.

What is asked for is bounded by what was taken and is still there, under the order's lock and by
the database (F61): undecided refunds count, so the same money is never promised twice.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import structlog
from pydantic import Field

from payloom.core import ids, jobs
from payloom.core.errors import Conflict, FieldError, InvalidRequest, NotFound
from payloom.core.idempotency import Answer, KeyReused
from payloom.core.jobs import Wanted
from payloom.core.money import Money
from payloom.core.points import point
from payloom.core.web.requests import Strict
from payloom.merchants.auth import Caller
from payloom.merchants.connections import connector_of
from payloom.payments.intend import LOOK_AFTER
from payloom.payments.model import Attempt, Cause, Order, Payment
from payloom.payments.queries import lock_payment, payment_by_id
from payloom.payments.record import write
from payloom.payments.register import ANSWER_WITHIN_S
from payloom.payments.states import Status
from payloom.payments.wanted import Amount, Metadata
from payloom.refunds import queries, shown
from payloom.refunds.ask import ask
from payloom.refunds.compose import new_refund
from payloom.refunds.model import Refund
from payloom.refunds.record import REFUND
from payloom.refunds.states import NEVER_LEFT, State
from payloom.refunds.view import show
from payloom.runtime import Runtime

log = structlog.get_logger()


class NotRefundable(Conflict):
    code = "not_refundable"
    title = "This payment order cannot be refunded"
    is_final = True


class AmountTooLarge(InvalidRequest):
    code = "amount_too_large"
    title = "There is not that much left"
    is_final = True


class RefundRefused(InvalidRequest):
    code = "refund_refused"
    title = "The PSP refused to give this money back"
    is_final = True


class WantedRefund(Strict):
    """Money to give back. Without `amount`: all that is left."""

    amount: Amount | None = None
    reason: Literal["requested_by_customer", "duplicate", "fraudulent", "other"] = (
        "requested_by_customer"
    )
    metadata: Metadata = Field(default_factory=dict)


async def refund(
    rt: Runtime,
    caller: Caller,
    order_id: UUID,
    wanted: WantedRefund,
    *,
    correlation_id: str,
    shop_key: str | None = None,
) -> Answer:
    """201 with the refund; 202 while the PSP has not said what becomes of it. Under the same
    `shop_key`, whatever became of the first answer, it is the same refund.

    Raises NotFound, NotRefundable, AmountTooLarge, RefundRefused, AmountNotSupported, KeyReused.
    """
    placed, attempt = await _place(rt, caller, order_id, wanted, correlation_id, shop_key)
    if placed.state is not State.REQUESTED:
        return _answer(placed)
    point("refund.placed")
    log.info("refund.requested", refund=placed.public_id, attempt=attempt.public_id)
    asking = rt.spawn(ask(rt, placed, attempt))
    await asyncio.wait([asking], timeout=ANSWER_WITHIN_S)
    known = asking.result().refund if asking.done() else None
    return _answer(known or placed)


async def _place(
    rt: Runtime,
    caller: Caller,
    order_id: UUID,
    wanted: WantedRefund,
    correlation_id: str,
    shop_key: str | None,
) -> tuple[Refund, Attempt]:
    """The intention, its posting, and the job that carries it on should we die; or what was
    written under this key before."""
    async with rt.db.statement() as tx:
        _, attempt = _refundable(await payment_by_id(tx, caller.merchant_id, order_id))
    _, connector = await connector_of(rt, attempt.connection_id)
    now = rt.clock()
    async with rt.db.transaction() as tx:
        payment, attempt = _refundable(await lock_payment(tx, caller.merchant_id, order_id))
        order = payment.order
        made = await queries.refunds_of_order(tx, order.merchant_id, order.id)
        if (known := _known(made, wanted, shop_key)) is not None:
            return known, payment.attempt(known.attempt_id)
        amount = _amount(order, made, wanted)
        placed = new_refund(
            rt, connector, payment, attempt, amount,
            number=1 + sum(each.attempt_id == attempt.id for each in made),
            purpose="request",
            reason=wanted.reason,
            metadata=wanted.metadata,
            shop_key=shop_key,
        )  # fmt: skip
        change = shown.asked(payment, placed, Cause("request", correlation_id), now)
        await write(tx, [change], now)
        await queries.insert_refund(tx, placed)
        later = Wanted(order.merchant_id, REFUND, placed.id, now + LOOK_AFTER, order.correlation_id)
        await jobs.schedule(tx, [later], now)
    return placed, attempt


def _known(made: Sequence[Refund], wanted: WantedRefund, shop_key: str | None) -> Refund | None:
    """What the same request made before. Raises KeyReused when it was another request."""
    known = next((each for each in made if shop_key and each.shop_key == shop_key), None)
    if known is None:
        return None
    is_same = (
        wanted.amount in (None, known.amount)
        and wanted.reason == known.reason
        and wanted.metadata == known.metadata
    )
    if not is_same:
        raise KeyReused("The same key asked for another refund before")
    return known


def _refundable(payment: Payment | None) -> tuple[Payment, Attempt]:
    """The payment and the attempt that paid it."""
    if payment is None:
        raise NotFound("There is no payment order with this id")
    order = payment.order
    if order.status is not Status.SUCCEEDED or order.paid_by_attempt is None:
        raise NotRefundable(
            f"It is {order.status}: nothing was taken that could be given back",
            extra={"payment_order": order.public_id},
        )
    return payment, payment.attempt(order.paid_by_attempt)


def _amount(order: Order, made: Sequence[Refund], wanted: WantedRefund) -> Money:
    """What to give back: never more than what was taken, was not promised to the shopper before,
    and was not taken away by a dispute."""
    promised = sum(
        each.amount
        for each in made
        if each.attempt_id == order.paid_by_attempt and each.state not in NEVER_LEFT
    )
    left = Money(max(0, order.amount_captured - promised - order.amount_disputed), order.currency)
    if left.minor == 0:
        message = "All of it was given back, is on its way, or is disputed"
        raise NotRefundable(message, extra={"payment_order": order.public_id})
    if wanted.amount is not None and wanted.amount > left.minor:
        message = f"at most {left} is left of this payment order"
        raise AmountTooLarge(errors=[FieldError("amount", message)])
    return Money(wanted.amount or left.minor, order.currency)


def _answer(known: Refund) -> Answer:
    """201 once the PSP has it, 202 while nobody knows. Raises RefundRefused."""
    if known.state is State.FAILED and known.psp_refund is None:
        code = (known.last_error or {}).get("code")
        names = {"refund": known.public_id, "payment_order": ids.text("po", known.payment_order_id)}
        raise RefundRefused(f"The PSP refused: {code}", extra=names)
    body = json.dumps(show(known), separators=(",", ":"), ensure_ascii=False).encode()
    where = {"Location": f"/v1/refunds/{known.public_id}"}
    if known.state is State.REQUESTED:
        return Answer(202, body, {**where, "Retry-After": "1"}, is_final=False)
    return Answer(201, body, where)
