"""A refund to be: its row, with the request as the PSP will get it."""

from collections.abc import Mapping
from datetime import datetime

from payloom.connectors.contract import Connector, RefundRequest
from payloom.core import ids
from payloom.core.money import Money
from payloom.payments.model import Attempt, Payment
from payloom.refunds.model import Refund
from payloom.refunds.states import State
from payloom.runtime import Runtime


def new_refund(
    rt: Runtime,
    connector: Connector,
    payment: Payment,
    attempt: Attempt,
    amount: Money,
    *,
    number: int,
    purpose: str,
    reason: str,
    metadata: Mapping[str, str] | None = None,
    shop_key: str | None = None,
) -> Refund:
    """Raises AmountNotSupported for what the PSP cannot give back."""
    now, id_ = rt.clock(), ids.new()
    request = RefundRequest(
        refund=ids.text("rfd", id_),
        attempt=attempt.public_id,
        payment_order=payment.order.public_id,
        psp_payment=attempt.psp_payment or "",
        amount=amount,
        reason=reason,
    )
    rendered = connector.render_refund(request, key=request.refund)
    return Refund(
        merchant_id=attempt.merchant_id,
        id=id_,
        payment_order_id=payment.order.id,
        attempt_id=attempt.id,
        connection_id=attempt.connection_id,
        number=number,
        purpose=purpose,
        state=State.REQUESTED,
        amount=amount.minor,
        currency=amount.currency,
        reason=reason,
        metadata=metadata or {},
        shop_key=shop_key,
        request_body=rendered.body,
        request_version=rendered.version,
        request_key=rendered.key,
        resend_until=now + rt.specs[attempt.psp].key_window / 2,
        psp_refund=None,
        last_error=None,
        created_at=now,
        updated_at=now,
    )


def started_at_psp(
    attempt: Attempt, number: int, psp_refund: str, amount: Money, reason: str, now: datetime
) -> Refund:
    """One that somebody started there: we have nothing to send, and learn what becomes of it."""
    return Refund(
        merchant_id=attempt.merchant_id,
        id=ids.new(),
        payment_order_id=attempt.payment_order_id,
        attempt_id=attempt.id,
        connection_id=attempt.connection_id,
        number=number,
        purpose="psp",
        state=State.REQUESTED,
        amount=amount.minor,
        currency=amount.currency,
        reason=reason,
        metadata={},
        shop_key=None,
        request_body=None,
        request_version=None,
        request_key=None,
        resend_until=None,
        psp_refund=psp_refund,
        last_error=None,
        created_at=now,
        updated_at=now,
    )
