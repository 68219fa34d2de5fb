"""How a change is written: the order, the attempt and the log of each, all in one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from payloom.core.db import Tx
from payloom.payments.decide import Change
from payloom.payments.model import Attempt, Order


async def write_changes(tx: Tx, changes: Sequence[Change], now: datetime) -> None:
    """Orders, attempts and log of these changes, in one statement."""
    await _stand_between(tx, changes)
    steps = [(change, step) for change in changes for step in change.steps]
    await tx.execute(
        _WRITE,
        *_order_changes([change.payment.order for change in changes]),
        *_attempt_changes([change.attempt for change in changes]),
        [change.payment.order.merchant_id for change, _ in steps],
        [change.payment.order.id for change, _ in steps],
        [change.payment.order.version for change, _ in steps],
        [change.attempt.id for change, _ in steps],
        [step.from_state for _, step in steps],
        [step.to_state for _, step in steps],
        [step.from_status for _, step in steps],
        [step.to_status for _, step in steps],
        [step.outcome for _, step in steps],
        [change.cause.kind for change, _ in steps],
        [change.cause.id for change, _ in steps],
        [step.data for _, step in steps],
        now,
    )


async def _stand_between(tx: Tx, changes: Sequence[Change]) -> None:
    """What goes two arrows at once stands between them first: the database knows single arrows."""
    between = [(change.attempt, step.to_state) for change in changes for step in change.steps[:-1]]
    if between:
        await tx.execute(
            _STAND_BETWEEN,
            [attempt.merchant_id for attempt, _ in between],
            [attempt.id for attempt, _ in between],
            [state for _, state in between],
        )


def _order_changes(orders: Sequence[Order]) -> tuple[list[Any], ...]:
    return (
        [order.merchant_id for order in orders],
        [order.id for order in orders],
        [order.version for order in orders],
        [order.event_sequence for order in orders],
        [order.status for order in orders],
        [order.amount_captured for order in orders],
        [order.last_error for order in orders],
        [order.attention for order in orders],
        [order.method for order in orders],
        [order.paid_by_attempt for order in orders],
        [order.updated_at for order in orders],
        [order.cancel_requested_at for order in orders],
        [order.current_attempt for order in orders],
        [order.psp for order in orders],
        [order.expires_at for order in orders],
        [order.amount_refunded for order in orders],
        [order.amount_refund_asked for order in orders],
        [order.amount_disputed for order in orders],
    )


def _attempt_changes(attempts: Sequence[Attempt]) -> tuple[list[Any], ...]:
    return (
        [attempt.merchant_id for attempt in attempts],
        [attempt.id for attempt in attempts],
        [attempt.state for attempt in attempts],
        [attempt.token for attempt in attempts],
        [attempt.redirect_url for attempt in attempts],
        [attempt.psp_payment for attempt in attempts],
        [attempt.last_error for attempt in attempts],
        [attempt.method for attempt in attempts],
        [attempt.answered_at for attempt in attempts],
    )


_WRITE = """
WITH moved AS (
    UPDATE payment_orders AS o
       SET version = c.version, event_sequence = c.event_sequence, payment_order_status = c.status,
           amount_captured = c.amount_captured, last_error = c.last_error,
           attention = c.attention, method = c.method, paid_by_attempt = c.paid_by_attempt,
           updated_at = c.updated_at, cancel_requested_at = c.cancel_requested_at,
           current_attempt = c.current_attempt, psp = c.psp, expires_at = c.expires_at,
           amount_refunded = c.amount_refunded, amount_refund_asked = c.amount_refund_asked,
           amount_disputed = c.amount_disputed
      FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::bigint[],
                  $7::jsonb[], $8::text[], $9::jsonb[], $10::uuid[], $11::timestamptz[],
                  $12::timestamptz[], $13::uuid[], $14::text[], $15::timestamptz[], $16::bigint[],
                  $17::bigint[], $18::bigint[])
           AS c (merchant_id, id, version, event_sequence, status, amount_captured, last_error,
                 attention, method, paid_by_attempt, updated_at, cancel_requested_at,
                 current_attempt, psp, expires_at, amount_refunded, amount_refund_asked,
                 amount_disputed)
     WHERE o.merchant_id = c.merchant_id AND o.id = c.id
), tried AS (
    UPDATE attempts AS a
       SET state = c.state, token = c.token, redirect_url = c.redirect_url,
           psp_payment = c.psp_payment, last_error = c.last_error, method = c.method,
           answered_at = c.answered_at, updated_at = $40
      FROM unnest($19::uuid[], $20::uuid[], $21::text[], $22::text[], $23::text[], $24::text[],
                  $25::jsonb[], $26::jsonb[], $27::timestamptz[])
           AS c (merchant_id, id, state, token, redirect_url, psp_payment, last_error, method,
                 answered_at)
     WHERE a.merchant_id = c.merchant_id AND a.id = c.id
)
INSERT INTO payment_log (
       merchant_id, payment_order_id, version, attempt_id, from_state, to_state, from_status,
       to_status, outcome, cause, cause_id, data, at)
SELECT *, $40::timestamptz
  FROM unnest($28::uuid[], $29::uuid[], $30::int[], $31::uuid[], $32::text[], $33::text[],
              $34::text[], $35::text[], $36::text[], $37::text[], $38::text[],
              $39::jsonb[])
"""

_STAND_BETWEEN = """
UPDATE attempts AS a SET state = s.state
  FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS s (merchant_id, id, state)
 WHERE a.merchant_id = s.merchant_id AND a.id = s.id
"""
