"""Payments as values, for tests of the pure core."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from payloom.payments.model import Attempt, Order, Payment
from payloom.payments.states import State, Status

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
MERCHANT, ORDER, CONNECTION = UUID(int=1), UUID(int=2), UUID(int=3)
AMOUNT, CURRENCY = 4999, "EUR"


def attempt(number: int, state: State = State.REGISTERING) -> Attempt:
    """A try of its own id; one whose page is made has the token that `registered` tells."""
    is_made = state not in (State.REGISTERING, State.REFUSED)
    return Attempt(
        merchant_id=MERCHANT,
        id=UUID(int=100 + number),
        payment_order_id=ORDER,
        number=number,
        connection_id=CONNECTION,
        psp="acme",
        state=state,
        amount=AMOUNT,
        currency=CURRENCY,
        request_body="",
        request_version="1",
        request_key="key",
        resend_until=NOW + timedelta(hours=12),
        token=f"tok_{number}" if is_made else None,
        redirect_url=f"https://pay.example/{number}" if is_made else None,
        psp_payment=None,
        return_token=bytes(16),
        expires_at=NOW + timedelta(days=1),
        last_error=None,
        method=None,
        asked_at=NOW,
        answered_at=None,
        created_at=NOW,
        updated_at=NOW,
    )


def payment(*attempts: Attempt, status: Status = Status.CREATED) -> Payment:
    """An order with these attempts (one if none are given), the newest being the current one."""
    attempts = attempts or (attempt(1),)
    return Payment(_order(attempts[-1], status), attempts)


def _order(current: Attempt, status: Status) -> Order:
    return Order(
        merchant_id=MERCHANT,
        id=ORDER,
        mode="test",
        reference="W-1",
        fingerprint=bytes(32),
        status=status,
        version=1,
        event_sequence=0,
        payment_type="SALE",
        payment_method="APM",
        method_types=(),
        psp=current.psp,
        amount=AMOUNT,
        currency=CURRENCY,
        capture="automatic",
        amount_captured=0,
        amount_refunded=0,
        amount_refund_asked=0,
        amount_disputed=0,
        return_url="https://shop.example/",
        cancel_url=None,
        locale=None,
        description=None,
        customer=None,
        line_items=(),
        metadata={},
        last_error=None,
        attention=None,
        method=None,
        current_attempt=current.id,
        paid_by_attempt=None,
        cancel_requested_at=None,
        expires_at=current.expires_at,
        correlation_id="req_1",
        created_at=NOW,
        updated_at=NOW,
    )
