"""A shop asks to be paid: write the intention, ask the PSP, record the answer.

Exactly once: the order's `reference` is its natural key, the attempt's id the PSP's idempotency
key, and the request is sent as stored. Whoever is killed in between leaves a job that goes on.
"""

import asyncio
from uuid import UUID

import structlog

from payloom.connectors.contract import Connector, Registered
from payloom.core import jobs
from payloom.core.errors import Conflict, FieldError, InvalidRequest
from payloom.core.idempotency import Answer, Claim, KeyTaken
from payloom.core.jobs import Wanted
from payloom.core.points import point
from payloom.merchants.auth import Caller
from payloom.merchants.connections import connection_for_psp, connector_of
from payloom.payments import hot, queries
from payloom.payments.answer import answer_of
from payloom.payments.calls import Calls
from payloom.payments.compose import new_payment
from payloom.payments.decide import Change, decide
from payloom.payments.hot import Placed
from payloom.payments.intend import LOOK_AFTER
from payloom.payments.model import Cause, Fact, Payment
from payloom.payments.record import ASK_AFTER_DOUBT, LOOK_UP, event_of, record, tell
from payloom.payments.states import State
from payloom.payments.wanted import WantedOrder, check_supported
from payloom.runtime import Runtime

log = structlog.get_logger()

ANSWER_WITHIN_S = 10.0  # then 202: the registration goes on without the shop


class ReferenceConflict(Conflict):
    code = "reference_conflict"
    title = "Another payment order has this reference"
    is_final = True


class RegistrationRefused(InvalidRequest):
    code = "registration_refused"
    title = "The PSP refused to register this payment"
    is_final = True


async def register(
    rt: Runtime,
    caller: Caller,
    wanted: WantedOrder,
    *,
    correlation_id: str,
    claim: Claim | None = None,
) -> Answer:
    """The payment order of this reference, made now (201) or known (200); 202 when the PSP has
    not answered within ANSWER_WITHIN_S.

    Raises KeyTaken when `claim` is another's, ReferenceConflict, RegistrationRefused,
    NotSupported, PspUnavailable, AmountNotSupported, MethodTypeUnavailable.
    """
    check_supported(wanted, caller.mode)
    connection = await connection_for_psp(rt, caller.merchant_id, wanted.psp)
    _, connector = await connector_of(rt, connection.id)
    now = rt.clock()
    payment = new_payment(rt, connector, connection, wanted, correlation_id, now)
    async with rt.db.statement() as tx:
        placed = await hot.place(tx, payment, claim, now + LOOK_AFTER)
    if placed is Placed.KEY_TAKEN:
        raise KeyTaken
    if placed is Placed.REFERENCE_TAKEN:
        return answer_of(await _existing(rt, caller.merchant_id, wanted), is_new=False)
    point("register.placed")
    asking = rt.spawn(ask(rt, connector, payment, claim))
    await asyncio.wait([asking], timeout=ANSWER_WITHIN_S)
    registered = asking.result() if asking.done() else payment
    refuse_if_refused(registered)
    if claim is not None and claim.kept is not None:
        return claim.kept
    return answer_of(registered, is_new=True)


async def ask(
    rt: Runtime, connector: Connector, payment: Payment, claim: Claim | None = None
) -> Payment:
    """Send the stored request once and record the answer; the payment as it is then."""
    attempt, calls = payment.current, Calls(rt.clock)
    outcome = await calls.ask("register", connector.register(attempt.rendered))
    fact = Fact(attempt.merchant_id, attempt.id, outcome, Cause("psp_answer"))
    if not isinstance(outcome, Registered):
        log.warning("register.not_registered", attempt=attempt.public_id, outcome=repr(outcome))
    recorded = await _opened(rt, payment, fact, claim) or await _recorded(rt, payment, fact, calls)
    log.info("psp.answered", attempt=attempt.public_id, ms=calls.made[0].duration_ms)
    return recorded


async def _opened(rt: Runtime, payment: Payment, fact: Fact, claim: Claim | None) -> Payment | None:
    """The happy case in one statement; None, and nothing written, when it is another case."""
    now = rt.clock()
    change = decide(payment, fact, now)
    if not isinstance(change, Change) or change.attempt.state is not State.OPEN:
        return None
    answer = answer_of(change.payment, is_new=True)
    async with rt.db.statement() as tx:
        if not await hot.opened(tx, change, event_of(change, now), claim, answer):
            return None
    point("register.opened")
    tell(change)
    return change.payment


async def _recorded(rt: Runtime, payment: Payment, fact: Fact, calls: Calls) -> Payment:
    now = rt.clock()
    async with rt.db.transaction() as tx:
        (recorded,) = await record(tx, [fact], now)
        await calls.keep(tx, payment.current)
        if recorded.doubt:
            attempt, id_ = payment.current, payment.order.correlation_id
            soon = Wanted(attempt.merchant_id, LOOK_UP, attempt.id, now + ASK_AFTER_DOUBT, id_)
            await jobs.schedule(tx, [soon], now)
    point("register.recorded")
    return recorded.payment or payment


async def _existing(rt: Runtime, merchant_id: UUID, wanted: WantedOrder) -> Payment:
    async with rt.db.statement() as tx:
        payment = await queries.payment_by_reference(tx, merchant_id, wanted.reference)
    if payment is None or payment.order.fingerprint != wanted.fingerprint:
        message = f"The reference {wanted.reference!r} belongs to a payment order of other content"
        raise ReferenceConflict(message, errors=[FieldError("reference", message)])
    return payment


def refuse_if_refused(payment: Payment) -> None:
    """Raise RegistrationRefused when the PSP will never make the current attempt's page."""
    if payment.current.state is not State.REFUSED:
        return
    error = payment.current.last_error or {}
    raise RegistrationRefused(
        f"{payment.current.psp} refused to register this payment: {error.get('code')}",
        extra={"payment_order": payment.order.public_id},
    )
