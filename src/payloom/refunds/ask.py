"""Asks a PSP about a refund that is not decided, and records the answer.

The stored request again, byte for byte under its key, as long as the PSP surely keeps the key; then
a look among the payment's refunds. Never is a second refund asked for while the first may exist
(F64).
"""

from datetime import datetime
from uuid import UUID

import structlog

from payloom.connectors.contract import Connector, RefundFailed, RefundOutcome, Unknown
from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.payments.calls import Calls
from payloom.payments.model import Attempt, Cause
from payloom.payments.queries import payment_of_attempt
from payloom.payments.recover import pause
from payloom.refunds import queries
from payloom.refunds.model import Refund, RefundFact
from payloom.refunds.record import Recorded, record_refund
from payloom.refunds.states import UNDECIDED, State
from payloom.runtime import Runtime

log = structlog.get_logger()


async def carry_on(rt: Runtime, merchant_id: UUID, refund_id: UUID) -> datetime | None:
    """Ask once about an undecided refund. None: it is decided; otherwise when to ask again."""
    async with rt.db.statement() as tx:
        refund = await queries.refund_by_id(tx, merchant_id, refund_id)
        payment = await payment_of_attempt(tx, refund.attempt_id) if refund else None
    if refund is None or payment is None or refund.state not in UNDECIDED:
        return None
    recorded = await ask(rt, refund, payment.attempt(refund.attempt_id))
    return ask_again_at(recorded, rt.clock())


async def ask(rt: Runtime, refund: Refund, attempt: Attempt) -> Recorded:
    """Ask the PSP once and record what it says."""
    _, connector = await connector_of(rt, refund.connection_id)
    calls = Calls(rt.clock)
    outcome, cause = await _outcome(connector, calls, refund, attempt, rt.clock())
    fact = RefundFact(refund.merchant_id, attempt.id, refund.id, outcome, Cause(cause))
    async with rt.db.transaction() as tx:
        recorded = await record_refund(tx, fact, rt.clock())
        await calls.keep(tx, attempt)
    point("refund.recorded")
    if recorded.refund is not None and recorded.refund.state in UNDECIDED:
        log.info("refund.undecided", refund=refund.public_id, outcome=repr(outcome))
    return recorded


def ask_again_at(recorded: Recorded, now: datetime) -> datetime | None:
    """None: it is decided."""
    refund = recorded.refund
    if refund is None or refund.state not in UNDECIDED:
        return None
    return now + pause(now - refund.created_at)


async def _outcome(
    connector: Connector, calls: Calls, refund: Refund, attempt: Attempt, now: datetime
) -> tuple[RefundOutcome, str]:
    ref = refund.ref(attempt.psp_payment or "")
    request = refund.to_send(now) if refund.state is State.REQUESTED else None
    if request is not None:
        answer = await calls.ask("refund", connector.refund(request))
        is_refused = isinstance(answer, RefundFailed)
        if not is_refused and not (isinstance(answer, Unknown) and answer.is_kept):
            return answer, "psp_answer"
        # Before a refusal is believed: it may be about what an earlier sending did.
        found = await calls.ask("look_up_refund", connector.look_up_refund(ref))
        is_absent = isinstance(found, RefundFailed) and found.psp_refund is None
        return (answer, "psp_answer") if is_refused and is_absent else (found, "look_up")
    return await calls.ask("look_up_refund", connector.look_up_refund(ref)), "look_up"
