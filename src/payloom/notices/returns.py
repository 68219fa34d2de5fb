"""The shopper comes back: a hint to look, never evidence (F31).

A stored notice is applied at once; else the PSP is asked, for two seconds at most; else the
present status stands. Then on to the shop, with the status signed.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable
from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

import structlog

from payloom.core.clock import real_now
from payloom.core.errors import NotFound, Unavailable
from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.merchants.merchants import return_secret
from payloom.notices.apply import apply_of_attempt
from payloom.payments import queries
from payloom.payments.calls import Calls
from payloom.payments.model import Attempt, Cause, Fact, Order, Payment
from payloom.payments.record import record
from payloom.payments.states import State, Status
from payloom.runtime import Runtime

log = structlog.get_logger()

LOOK_UP_WITHIN_S = 2.0
_UNDECIDED = frozenset({State.REGISTERING, State.OPEN, State.PROCESSING})


async def come_back(rt: Runtime, attempt_id: UUID, token: str, *, canceled: bool) -> str:
    """Where to send the shopper. Raises NotFound for an unknown attempt or a wrong token."""
    payment = await _payment(rt, attempt_id)
    attempt = payment.attempt(attempt_id)
    if not hmac.compare_digest(attempt.return_token.hex().encode(), token.encode()):
        raise NotFound("There is nothing to come back to here")
    if attempt.state in _UNDECIDED:
        payment = await _find_out(rt, payment, attempt, canceled=canceled)
    secret = await return_secret(rt, payment.order.merchant_id)
    log.info(
        "shopper.returned",
        correlation_id=payment.order.correlation_id,
        payment_order=payment.order.public_id,
        payment_order_status=payment.order.status,
    )
    return way_on(payment.order, secret.reveal(), real_now(), canceled=canceled)


def way_on(order: Order, secret: str, at: datetime, *, canceled: bool) -> str:
    """The shop's URL with the order's status appended and signed with real time."""
    is_done = order.status in (Status.PROCESSING, Status.AUTHORIZED, Status.SUCCEEDED)
    base = order.cancel_url if canceled and order.cancel_url and not is_done else order.return_url
    timestamp = str(int(at.timestamp()))
    signed = f"{order.public_id}.{order.reference}.{order.status}.{timestamp}"
    mac = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    signature = "v1," + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    told = {
        "payment_order_id": order.public_id,
        "reference": order.reference,
        "payment_order_status": str(order.status),
        "timestamp": timestamp,
        "signature": signature,
    }
    parts = urlsplit(base)
    query = f"{parts.query}&{urlencode(told)}" if parts.query else urlencode(told)
    return urlunsplit(parts._replace(query=query))


async def _find_out(rt: Runtime, payment: Payment, attempt: Attempt, *, canceled: bool) -> Payment:
    """The payment once what is stored has taken effect and, if that left it open, the PSP was
    asked. Whatever goes wrong on the way, the shopper is sent on."""
    applied = await _sheltered(apply_of_attempt(rt, attempt), attempt)
    payment = applied or payment
    now = payment.attempt(attempt.id)
    is_open_still = now.state is State.OPEN or (now.state in _UNDECIDED and applied is None)
    if is_open_still and not canceled and now.token is not None:
        payment = await _sheltered(_ask(rt, now), attempt) or payment
    return payment


async def _sheltered(work: Awaitable[Payment | None], attempt: Attempt) -> Payment | None:
    """A mistake in here is the worker's to meet again, notice by notice; the shopper goes on."""
    try:
        return await work
    except Unavailable:
        raise
    except Exception as broken:  # logged, and quarantined where the worker meets it
        log.error("return.not_applied", attempt=attempt.public_id, exc_info=broken)
        return None


async def _ask(rt: Runtime, attempt: Attempt) -> Payment | None:
    calls = Calls(rt.clock)
    try:
        _, connector = await connector_of(rt, attempt.connection_id)
        async with asyncio.timeout(LOOK_UP_WITHIN_S):
            outcome = await calls.ask("look_up", connector.look_up(attempt.ref))
    except (TimeoutError, NotFound) as nothing:  # slow, or not to be asked any more
        log.info("return.not_asked", attempt=attempt.public_id, why=repr(nothing))
        return None
    fact = Fact(attempt.merchant_id, attempt.id, outcome, Cause("return", attempt.public_id))
    async with rt.db.transaction() as tx:
        (recorded,) = await record(tx, [fact], rt.clock())
        await calls.keep(tx, attempt)
    point("return.recorded")
    return recorded.payment


async def _payment(rt: Runtime, attempt_id: UUID) -> Payment:
    async with rt.db.statement() as tx:
        payment = await queries.payment_of_attempt(tx, attempt_id)
    if payment is None:
        raise NotFound("There is nothing to come back to here")
    return payment
