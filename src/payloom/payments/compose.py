"""A payment order to be, whole and rendered, before anything is written or sent."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from payloom.connectors.contract import Connector, LineItem, Registration
from payloom.core import ids
from payloom.merchants.model import Connection
from payloom.payments.model import Attempt, Order, Payment
from payloom.payments.states import State, Status
from payloom.payments.wanted import WantedOrder
from payloom.runtime import Runtime

LAST_SEND_BEFORE_EXPIRY = timedelta(minutes=31)  # Stripe wants 30 minutes left; one for the way


def new_payment(
    rt: Runtime,
    connector: Connector,
    connection: Connection,
    wanted: WantedOrder,
    correlation_id: str,
    now: datetime,
) -> Payment:
    """The order with its first attempt. Raises AmountNotSupported, MethodTypeUnavailable."""
    order_id, attempt_id = ids.new(), ids.new()
    expires_at = _expiry(wanted.expires_in, now)
    order = _new_order(connection, wanted, order_id, attempt_id, expires_at, correlation_id, now)
    return Payment(order, (_new_attempt(rt, connector, connection, order, attempt_id, 1, now),))


def another_attempt(
    rt: Runtime,
    connector: Connector,
    connection: Connection,
    payment: Payment,
    expires_in: int,
    now: datetime,
) -> Attempt:
    """The next attempt of an order that exists. Raises as `new_payment`."""
    order = replace(payment.order, expires_at=_expiry(expires_in, now))
    number = len(payment.attempts) + 1
    return _new_attempt(rt, connector, connection, order, ids.new(), number, now)


def _expiry(expires_in: int, now: datetime) -> datetime:
    return (now + timedelta(seconds=expires_in)).replace(microsecond=0)


def _registration(rt: Runtime, order: Order, attempt_id: UUID, return_token: bytes) -> Registration:
    attempt = ids.text("att", attempt_id)
    way_back = f"{rt.settings.public_url}/return/{attempt}?"
    token = return_token.hex()
    return Registration(
        attempt=attempt,
        payment_order=order.public_id,
        reference=order.reference,
        amount=order.money,
        method_types=order.method_types,
        line_items=tuple(
            LineItem(line["name"], line["quantity"], line["unit_amount"])
            for line in order.line_items
        ),
        description=order.description,
        customer_email=order.customer["email"] if order.customer else None,
        locale=order.locale,
        success_url=way_back + urlencode({"t": token}),
        cancel_url=way_back + urlencode({"t": token, "canceled": "1"}),
        expires_at=order.expires_at,
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
        amount_refund_asked=0,
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
    rt: Runtime,
    connector: Connector,
    connection: Connection,
    order: Order,
    attempt_id: UUID,
    number: int,
    now: datetime,
) -> Attempt:
    return_token = secrets.token_bytes(16)
    registration = _registration(rt, order, attempt_id, return_token)
    rendered = connector.render(registration, key=registration.attempt)
    window = rt.specs[connection.psp].key_window / 2
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
        resend_until=min(now + window, order.expires_at - LAST_SEND_BEFORE_EXPIRY),
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
