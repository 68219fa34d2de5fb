"""A shop asks to be paid: write the intention, ask the PSP, record the answer.

Exactly once: the order's `reference` is its natural key, the attempt's id the PSP's idempotency
key, and the request is sent as stored. Whoever is killed in between leaves a job that goes on.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import structlog

from payloom.connectors.contract import (
    Connector,
    LineItem,
    Registered,
    Registration,
    Rendered,
)
from payloom.core import ids, jobs
from payloom.core.errors import Conflict, FieldError, InvalidRequest
from payloom.core.jobs import Wanted
from payloom.core.money import Money
from payloom.merchants.auth import Caller
from payloom.merchants.connections import connection_for_psp, connector_of
from payloom.merchants.model import Connection
from payloom.payments import queries
from payloom.payments.model import Attempt, Cause, Fact, Order, Payment
from payloom.payments.record import LOOK_UP, record
from payloom.payments.states import State, Status
from payloom.payments.wanted import WantedOrder, check_supported
from payloom.runtime import Runtime

log = structlog.get_logger()

ANSWER_WITHIN_S = 10.0  # then 202: the registration goes on without the shop
LOOK_AFTER = timedelta(seconds=15)  # the job asks when whoever sent the request is gone
LAST_SEND_BEFORE_EXPIRY = timedelta(minutes=31)  # Stripe wants 30 minutes left; one for the way


class ReferenceConflict(Conflict):
    code = "reference_conflict"
    title = "Another payment order has this reference"
    is_final = True


class RegistrationRefused(InvalidRequest):
    code = "registration_refused"
    title = "The PSP refused to register this payment"
    is_final = True


async def register(
    rt: Runtime, caller: Caller, wanted: WantedOrder, correlation_id: str
) -> tuple[Payment, bool]:
    """The payment order of this reference, and whether it was made now.

    Its status is CREATED when the PSP has not answered in time. Raises ReferenceConflict,
    RegistrationRefused, NotSupported, PspUnavailable, AmountNotSupported, MethodTypeUnavailable.
    """
    check_supported(wanted, caller.mode)
    connection = await connection_for_psp(rt, caller.merchant_id, wanted.psp)
    _, connector = await connector_of(rt, connection.id)
    now = rt.clock()
    payment = _new_payment(rt, connector, connection, wanted, correlation_id, now)
    order, attempt = payment.order, payment.current
    async with rt.db.transaction() as tx:
        is_new = await queries.insert_payment(tx, payment)
        if is_new:
            look_up = Wanted(
                order.merchant_id, LOOK_UP, attempt.id, now + LOOK_AFTER, correlation_id
            )
            await jobs.schedule(tx, [look_up], now)
    if not is_new:
        return await _existing(rt, caller.merchant_id, wanted), False
    asking = rt.spawn(ask(rt, connector, attempt))
    await asyncio.wait([asking], timeout=ANSWER_WITHIN_S)
    if not asking.done():
        return payment, True
    recorded = asking.result() or payment
    _refuse(recorded)
    return recorded, True


async def ask(rt: Runtime, connector: Connector, attempt: Attempt) -> Payment | None:
    """Send the stored request and record the answer; None when there was none to record."""
    outcome = await connector.register(attempt.rendered)
    fact = Fact(attempt.merchant_id, attempt.id, outcome, Cause("psp_answer"))
    if not isinstance(outcome, Registered):
        log.warning("register.not_registered", attempt=attempt.public_id, outcome=repr(outcome))
    async with rt.db.transaction() as tx:
        (recorded,) = await record(tx, [fact], rt.clock())
    return recorded.payment


async def _existing(rt: Runtime, merchant_id: UUID, wanted: WantedOrder) -> Payment:
    async with rt.db.statement() as tx:
        payment = await queries.payment_by_reference(tx, merchant_id, wanted.reference)
    if payment is None or payment.order.fingerprint != wanted.fingerprint:
        message = f"The reference {wanted.reference!r} belongs to a payment order of other content"
        raise ReferenceConflict(message, errors=[FieldError("reference", message)])
    return payment


def _refuse(payment: Payment) -> None:
    if payment.current.state is State.REFUSED:
        error = payment.order.last_error or {}
        raise RegistrationRefused(
            f"{payment.order.psp} refused to register this payment: {error.get('code')}",
            extra={"payment_order": payment.order.public_id},
        )


def _new_payment(
    rt: Runtime,
    connector: Connector,
    connection: Connection,
    wanted: WantedOrder,
    correlation_id: str,
    now: datetime,
) -> Payment:
    order_id, attempt_id, return_token = ids.new(), ids.new(), secrets.token_bytes(16)
    expires_at = (now + timedelta(seconds=wanted.expires_in)).replace(microsecond=0)
    rendered = connector.render(
        _registration(rt, wanted, order_id, attempt_id, return_token, expires_at),
        key=ids.text("att", attempt_id),
    )
    order = _new_order(connection, wanted, order_id, attempt_id, expires_at, correlation_id, now)
    window = rt.specs[connection.psp].key_window / 2
    resend_until = min(now + window, expires_at - LAST_SEND_BEFORE_EXPIRY)
    attempt = _new_attempt(
        order, connection, attempt_id, 1, rendered, resend_until, return_token, now
    )
    return Payment(order, (attempt,))


def _registration(
    rt: Runtime,
    wanted: WantedOrder,
    order_id: UUID,
    attempt_id: UUID,
    return_token: bytes,
    expires_at: datetime,
) -> Registration:
    attempt = ids.text("att", attempt_id)
    way_back = f"{rt.settings.public_url}/return/{attempt}?"
    token = return_token.hex()
    return Registration(
        attempt=attempt,
        payment_order=ids.text("po", order_id),
        reference=wanted.reference,
        amount=Money(wanted.amount, wanted.currency),
        method_types=tuple(wanted.method_types),
        line_items=tuple(
            LineItem(line.name, line.quantity, line.unit_amount) for line in wanted.line_items
        ),
        description=wanted.description,
        customer_email=wanted.customer.email if wanted.customer else None,
        locale=wanted.locale,
        success_url=way_back + urlencode({"t": token}),
        cancel_url=way_back + urlencode({"t": token, "canceled": "1"}),
        expires_at=expires_at,
    )


def _new_order(
    connection: Connection,
    wanted: WantedOrder,
    order_id: UUID,
    attempt_id: UUID,
    expires_at: datetime,
    correlation_id: str,
    now: datetime,
) -> Order:
    return Order(
        merchant_id=connection.merchant_id,
        id=order_id,
        mode=connection.mode,
        reference=wanted.reference,
        fingerprint=wanted.fingerprint,
        status=Status.CREATED,
        version=1,
        event_sequence=0,
        payment_type=wanted.payment_type,
        payment_method=wanted.payment_method,
        method_types=tuple(wanted.method_types),
        psp=connection.psp,
        amount=wanted.amount,
        currency=wanted.currency,
        capture=wanted.capture,
        amount_captured=0,
        amount_refunded=0,
        amount_disputed=0,
        return_url=wanted.return_url,
        cancel_url=wanted.cancel_url,
        locale=wanted.locale,
        description=wanted.description,
        customer=_plain(wanted.customer),
        line_items=tuple(line.model_dump() for line in wanted.line_items),
        metadata=wanted.metadata,
        last_error=None,
        attention=None,
        method=None,
        current_attempt=attempt_id,
        paid_by_attempt=None,
        cancel_requested_at=None,
        expires_at=expires_at,
        correlation_id=correlation_id,
        created_at=now,
        updated_at=now,
    )


def _new_attempt(
    order: Order,
    connection: Connection,
    attempt_id: UUID,
    number: int,
    rendered: Rendered,
    resend_until: datetime,
    return_token: bytes,
    now: datetime,
) -> Attempt:
    return Attempt(
        merchant_id=order.merchant_id,
        id=attempt_id,
        payment_order_id=order.id,
        number=number,
        connection_id=connection.id,
        psp=connection.psp,
        state=State.REGISTERING,
        amount=order.amount,
        currency=order.currency,
        request_body=rendered.body,
        request_version=rendered.version,
        request_key=rendered.key,
        resend_until=resend_until,
        token=None,
        redirect_url=None,
        psp_payment=None,
        return_token=return_token,
        expires_at=order.expires_at,
        last_error=None,
        method=None,
        asked_at=now,
        answered_at=None,
        created_at=now,
        updated_at=now,
    )


def _plain(customer: Any) -> Mapping[str, Any] | None:
    return customer.model_dump() if customer is not None else None
