"""Asks PSPs about whatever was left in flight: no outcome is ever guessed.

One job per attempt (`look_up`). While registering: the stored request again, byte for byte under
its key, as long as the PSP surely keeps the key; then, or when all it has under the key is an
error, a search among what the PSP made at that time. Later: at the page's end, while a bank
decides, and whenever a fact did not fit. A page that nobody wants any more is ended.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from payloom.connectors.contract import (
    Approved,
    Canceled,
    Connector,
    Expired,
    Outcome,
    Unknown,
)
from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.payments import queries
from payloom.payments.calls import Calls
from payloom.payments.decide import LOOK_AFTER_EXPIRY
from payloom.payments.model import Attempt, Cause, Fact, Payment
from payloom.payments.record import Recorded, record
from payloom.payments.states import LATE, LIVE, State
from payloom.payments.turn import take_turn
from payloom.runtime import Runtime

log = structlog.get_logger()

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE_WAITED_FOR = timedelta(seconds=30)  # a shopper is at the page, or waits for it
EAGER = timedelta(minutes=2)  # so long, who got no turn at the PSP soon comes for it again
KEEP_ASKING = timedelta(days=14)  # as long as a bank may still change its mind


async def look_up(rt: Runtime, attempt_id: UUID) -> datetime | None:
    """Ask once. None: nothing more to ask; otherwise when to ask again."""
    known = await _payment(rt, attempt_id)
    if known is None:
        return None
    attempt, now = known.attempt(attempt_id), rt.clock()
    if attempt.is_waiting:
        return await _take_turn(rt, attempt)
    recorded, outcome = await _ask_and_record(rt, known, attempt, now)
    if recorded.change is not None:
        return recorded.change.look_up_at
    log.info("look_up.no_change", attempt=attempt.public_id, outcome=repr(outcome))
    payment = recorded.payment or known
    may_revive = rt.specs[attempt.psp].money_may_come_after
    return _ask_again_at(payment, payment.attempt(attempt_id), outcome, now, may_revive)


async def find_out(rt: Runtime, attempt_id: UUID) -> Payment | None:
    """Ask once, or end the page if that is what we want; the payment as it is then."""
    payment = await _payment(rt, attempt_id)
    if payment is None:
        return None
    recorded, _ = await _ask_and_record(rt, payment, payment.attempt(attempt_id), rt.clock())
    return recorded.payment or payment


async def _take_turn(rt: Runtime, attempt: Attempt) -> datetime | None:
    ids = attempt.merchant_id, attempt.payment_order_id, attempt.id
    payment = await take_turn(rt, *ids)
    is_known = payment.attempt(attempt.id).state is not State.REGISTERING
    return None if is_known else rt.clock() + LONGEST_PAUSE_WAITED_FOR


async def _payment(rt: Runtime, attempt_id: UUID) -> Payment | None:
    async with rt.db.statement() as tx:
        return await queries.payment_of_attempt(tx, attempt_id)


async def _ask_and_record(
    rt: Runtime, payment: Payment, attempt: Attempt, now: datetime
) -> tuple[Recorded, Outcome]:
    _, connector = await connector_of(rt, attempt.connection_id)
    calls = Calls(rt.clock)
    outcome, cause = await _ask(connector, calls, payment, attempt, now)
    fact = Fact(attempt.merchant_id, attempt.id, outcome, Cause(cause))
    async with rt.db.transaction() as tx:
        (recorded,) = await record(tx, [fact], rt.clock())
        await calls.keep(tx, attempt)
    point("look_up.recorded")
    return recorded, outcome


async def _ask(
    connector: Connector, calls: Calls, payment: Payment, attempt: Attempt, now: datetime
) -> tuple[Outcome, str]:
    if attempt.state is State.OPEN and payment.is_unwanted(attempt):
        outcome = await calls.ask("expire", connector.expire(attempt.ref))
        return outcome, "psp_answer" if isinstance(outcome, Expired | Canceled) else "look_up"
    if attempt.state is not State.REGISTERING:
        outcome = await calls.ask("look_up", connector.look_up(attempt.ref))
        if isinstance(outcome, Approved) and attempt.state is State.PROCESSING:
            # The intention is on record: the state, and the key that is always the same.
            key = f"{attempt.request_key}:complete"
            outcome = await calls.ask("complete", connector.complete(attempt.ref, key))
        return outcome, "look_up"
    if now < attempt.resend_until:
        answer = await calls.ask("register", connector.register(attempt.rendered))
        if not (isinstance(answer, Unknown) and answer.is_kept):
            return answer, "psp_answer"
    sent_at = attempt.asked_at or attempt.created_at
    return await calls.ask("find", connector.find(attempt.ref, sent_at)), "look_up"


def _ask_again_at(
    payment: Payment, attempt: Attempt, outcome: Outcome, now: datetime, may_revive: timedelta
) -> datetime | None:
    if attempt.state not in LIVE and not isinstance(outcome, Unknown):
        # The PSP agrees with what we have; some change their mind all the same.
        is_over = attempt.state not in LATE or now - attempt.updated_at > may_revive
        return None if is_over else now + pause(now - attempt.updated_at)
    if now - attempt.created_at > KEEP_ASKING:
        return None
    if attempt.state is State.REGISTERING and now < attempt.resend_until:
        has_done_nothing = isinstance(outcome, Unknown) and outcome.executed is False
        if has_done_nothing and now - attempt.created_at < EAGER:
            return now + FIRST_PAUSE
        return now + min(pause(now - attempt.created_at), LONGEST_PAUSE_WAITED_FOR)
    if attempt.state is not State.OPEN:
        return now + pause(now - attempt.updated_at)
    if now >= attempt.expires_at:
        return now + pause(now - attempt.expires_at)
    if not isinstance(outcome, Unknown) and not payment.is_unwanted(attempt):
        return attempt.expires_at + LOOK_AFTER_EXPIRY
    return now + min(pause(now - attempt.updated_at), LONGEST_PAUSE_WAITED_FOR)


def pause(waited: timedelta) -> timedelta:
    """Half as long again as we have waited already: quick at first, then patient."""
    return min(max(waited / 2, FIRST_PAUSE), LONGEST_PAUSE)
