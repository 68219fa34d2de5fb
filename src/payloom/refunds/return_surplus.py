"""Money that nobody wanted goes back: write the intention, ask the PSP, record the answer.

`record` of payments leaves a job for each such attempt. A lost answer is asked for again under
the same key, later looked for among the payment's refunds; never is a second refund asked for
while the first may exist (F64).
"""

from datetime import datetime
from uuid import UUID

import structlog

from payloom.connectors.contract import (
    Connector,
    RefundFailed,
    RefundOutcome,
    RefundRequest,
    Unknown,
)
from payloom.core import ids
from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.payments.calls import Calls
from payloom.payments.model import Attempt, Cause, Payment
from payloom.payments.queries import lock_payments, payment_of_attempt
from payloom.payments.recover import pause
from payloom.payments.states import State as AttemptState
from payloom.payments.states import Status
from payloom.refunds import queries
from payloom.refunds.model import Refund, RefundFact
from payloom.refunds.record import record_refund
from payloom.refunds.states import UNDECIDED, State
from payloom.runtime import Runtime

log = structlog.get_logger()


async def return_surplus(rt: Runtime, merchant_id: UUID, attempt_id: UUID) -> datetime | None:
    """Carry one return a step on. None: it is decided; otherwise when to go on."""
    started = await _start(rt, merchant_id, attempt_id)
    if started is None:
        return None
    refund, attempt = started
    _, connector = await connector_of(rt, refund.connection_id)
    calls = Calls(rt.clock)
    outcome, cause = await _ask(connector, calls, refund, attempt, rt.clock())
    fact = RefundFact(merchant_id, attempt_id, refund.id, outcome, Cause(cause))
    now = rt.clock()
    async with rt.db.transaction() as tx:
        recorded = await record_refund(tx, fact, now)
        await calls.keep(tx, attempt)
    point("refund.recorded")
    if recorded.refund is None or recorded.refund.state not in UNDECIDED:
        return None  # or scheduled anew by `record_refund`
    log.info("refund.undecided", refund=refund.public_id, outcome=repr(outcome))
    return now + pause(now - refund.created_at)


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
        last = made[-1] if made else None
        if last is not None and last.state in UNDECIDED:
            return last, attempt
        if not _is_due(payment, attempt, last):
            return None
        refund = _new_refund(rt, connector, payment, attempt, len(made) + 1)
        await queries.insert_refund(tx, refund)
    point("refund.placed")
    log.info("refund.requested", refund=refund.public_id, attempt=attempt.public_id)
    return refund, attempt


def _is_due(payment: Payment, attempt: Attempt, last: Refund | None) -> bool:
    """Money that is here and not wanted, and no refund of it that the PSP ever had."""
    is_surplus = (
        attempt.state is AttemptState.SUCCEEDED
        and payment.order.paid_by_attempt != attempt.id
        and attempt.psp_payment is not None
    )
    return is_surplus and (last is None or last.never_was)


def _new_refund(
    rt: Runtime, connector: Connector, payment: Payment, attempt: Attempt, number: int
) -> Refund:
    now, order, id_ = rt.clock(), payment.order, ids.new()
    is_canceled = order.status is Status.CANCELED
    request = RefundRequest(
        refund=ids.text("rfd", id_),
        attempt=attempt.public_id,
        payment_order=order.public_id,
        psp_payment=attempt.psp_payment or "",
        amount=order.money,
        reason="requested_by_customer" if is_canceled else "duplicate",
    )
    rendered = connector.render_refund(request, key=request.refund)
    return Refund(
        merchant_id=order.merchant_id,
        id=id_,
        payment_order_id=order.id,
        attempt_id=attempt.id,
        connection_id=attempt.connection_id,
        number=number,
        purpose="surplus",
        state=State.REQUESTED,
        amount=attempt.amount,
        currency=attempt.currency,
        reason=request.reason,
        request_body=rendered.body,
        request_version=rendered.version,
        request_key=rendered.key,
        resend_until=now + rt.specs[attempt.psp].key_window / 2,
        psp_refund=None,
        last_error=None,
        created_at=now,
        updated_at=now,
    )


async def _ask(
    connector: Connector, calls: Calls, refund: Refund, attempt: Attempt, now: datetime
) -> tuple[RefundOutcome, str]:
    ref = refund.ref(attempt.psp_payment or "")
    if refund.state is State.REQUESTED and now < refund.resend_until:
        answer = await calls.ask("refund", connector.refund(refund.rendered))
        is_refused = isinstance(answer, RefundFailed)
        if not is_refused and not (isinstance(answer, Unknown) and answer.is_kept):
            return answer, "psp_answer"
        # Before a refusal is believed: it may be about what an earlier sending did.
        found = await calls.ask("look_up_refund", connector.look_up_refund(ref))
        is_absent = isinstance(found, RefundFailed) and found.psp_refund is None
        return (answer, "psp_answer") if is_refused and is_absent else (found, "look_up")
    return await calls.ask("look_up_refund", connector.look_up_refund(ref)), "look_up"
