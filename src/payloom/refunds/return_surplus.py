"""Money that nobody wanted goes back: write the intention, ask the PSP, record the answer.

`record` of payments leaves a job for each such attempt.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.payments.model import Attempt, Payment
from payloom.payments.queries import lock_payments, payment_of_attempt
from payloom.payments.states import State as AttemptState
from payloom.payments.states import Status
from payloom.refunds import queries
from payloom.refunds.ask import ask, ask_again_at
from payloom.refunds.compose import new_refund
from payloom.refunds.model import Refund
from payloom.refunds.states import UNDECIDED
from payloom.runtime import Runtime

log = structlog.get_logger()


async def return_surplus(rt: Runtime, merchant_id: UUID, attempt_id: UUID) -> datetime | None:
    """Carry one return a step on. None: it is decided, or scheduled anew by `record_refund`;
    otherwise when to go on."""
    started = await _start(rt, merchant_id, attempt_id)
    if started is None:
        return None
    recorded = await ask(rt, *started)
    return ask_again_at(recorded, rt.clock())


async def _start(rt: Runtime, merchant_id: UUID, attempt_id: UUID) -> tuple[Refund, Attempt] | None:
    """The refund to go on with: the one that is undecided, or a new one; None if none is due."""
    async with rt.db.statement() as tx:
        known = await payment_of_attempt(tx, attempt_id)
    if known is None:
        return None
    _, connector = await connector_of(rt, known.attempt(attempt_id).connection_id)
    async with rt.db.transaction() as tx:
        payments = await lock_payments(tx, [(merchant_id, attempt_id)])
        (payment,) = payments.values()
        attempt = payment.attempt(attempt_id)
        made = await queries.refunds_of_attempt(tx, merchant_id, attempt_id)
        undecided = [r for r in made if r.purpose == "surplus" and r.state in UNDECIDED]
        if undecided:
            return undecided[-1], attempt
        if not _is_due(payment, attempt, made):
            return None
        is_canceled = payment.order.status is Status.CANCELED
        refund = new_refund(
            rt, connector, payment, attempt, payment.order.money,
            number=len(made) + 1,
            purpose="surplus",
            reason="requested_by_customer" if is_canceled else "duplicate",
        )  # fmt: skip
        await queries.insert_refund(tx, refund)
    point("refund.placed")
    log.info("refund.requested", refund=refund.public_id, attempt=attempt.public_id)
    return refund, attempt


def _is_due(payment: Payment, attempt: Attempt, made: Sequence[Refund]) -> bool:
    """Money that is here and not wanted, and no refund of it that the PSP ever had."""
    is_surplus = (
        attempt.state is AttemptState.SUCCEEDED
        and payment.order.paid_by_attempt != attempt.id
        and attempt.psp_payment is not None
    )
    return is_surplus and all(each.never_was for each in made)
