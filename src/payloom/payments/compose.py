"""A payment order to be, whole and rendered, before anything is written or sent."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from payloom.connectors.contract import Connector, LineItem, Registration, Rendered
from payloom.core import ids
from payloom.core.money import Money
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
