"""Asks PSPs about whatever was left in flight: no outcome is ever guessed.

One job per attempt (`look_up`). While registering: the stored request again, byte for byte under
its key, as long as the PSP surely keeps the key; then, or when all it has under the key is an
error, a search among what the PSP made at that time. Later: at the page's end, while a bank
decides, and whenever a fact did not fit.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from payloom.connectors.contract import Connector, Outcome, Unknown
from payloom.merchants.connections import connector_of
from payloom.payments import queries
from payloom.payments.decide import LOOK_AFTER_EXPIRY
from payloom.payments.model import Attempt, Cause, Fact
from payloom.payments.record import Recorded, record
from payloom.payments.states import State
from payloom.runtime import Runtime

log = structlog.get_logger()

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE_WAITED_FOR = timedelta(seconds=30)  # a shopper is at the page, or waits for it
KEEP_ASKING = timedelta(days=14)  # as long as a bank may still change its mind

_MAY_CHANGE = frozenset({State.REGISTERING, State.OPEN, State.PROCESSING, State.AUTHORIZED})


async def look_up(rt: Runtime, attempt_id: UUID) -> datetime | None:
    """Ask once. None: nothing more to ask; otherwise when to ask again."""
    async with rt.db.statement() as tx:
        payment = await queries.payment_of_attempt(tx, attempt_id)
    if payment is None:
        return None
    attempt = payment.attempt(attempt_id)
    _, connector = await connector_of(rt, attempt.connection_id)
    now = rt.clock()
    outcome, cause = await _ask(connector, attempt, now)
    recorded = await _record(rt, attempt, outcome, cause)
    if recorded.change is not None:
        return recorded.change.look_up_at
    log.info("look_up.no_change", attempt=attempt.public_id, outcome=repr(outcome))
    return _ask_again_at(attempt, outcome, now)


async def _ask(connector: Connector, attempt: Attempt, now: datetime) -> tuple[Outcome, str]:
    if attempt.state is not State.REGISTERING:
        return await connector.look_up(attempt.ref), "look_up"
    if now < attempt.resend_until:
        answer = await connector.register(attempt.rendered)
        if not (isinstance(answer, Unknown) and answer.is_kept):
            return answer, "psp_answer"
    return await connector.find(attempt.ref, attempt.created_at), "look_up"


async def _record(rt: Runtime, attempt: Attempt, outcome: Outcome, cause: str) -> Recorded:
    fact = Fact(attempt.merchant_id, attempt.id, outcome, Cause(cause))
    async with rt.db.transaction() as tx:
        (recorded,) = await record(tx, [fact], rt.clock())
    return recorded


def _ask_again_at(attempt: Attempt, outcome: Outcome, now: datetime) -> datetime | None:
    if attempt.state not in _MAY_CHANGE and not isinstance(outcome, Unknown):
        return None  # the PSP agrees with what we have
    if now - attempt.created_at > KEEP_ASKING:
        return None
    if attempt.state is State.REGISTERING and now < attempt.resend_until:
        return now + min(_pause(now - attempt.created_at), LONGEST_PAUSE_WAITED_FOR)
    if attempt.state is not State.OPEN:
        return now + _pause(now - attempt.updated_at)
    if now >= attempt.expires_at:
        return now + _pause(now - attempt.expires_at)
    if not isinstance(outcome, Unknown):
        return attempt.expires_at + LOOK_AFTER_EXPIRY
    return now + min(_pause(now - attempt.updated_at), LONGEST_PAUSE_WAITED_FOR)


def _pause(waited: timedelta) -> timedelta:
    """Half as long again as we have waited already: quick at first, then patient."""
    return min(max(waited / 2, FIRST_PAUSE), LONGEST_PAUSE)
