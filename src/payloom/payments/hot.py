"""A registration's two writes, each all its rows in one statement.

A round trip to the database costs more than what it asks for. `place` is the only way an order
comes to be. `opened` is the happy case of `record`: it writes nothing when the order has moved,
and then the plain flow decides under lock. A test shows that both leave the same rows.
"""

from datetime import datetime
from enum import Enum

from payloom.core.db import Tx
from payloom.core.idempotency import LEASE_S, Answer, Claim
from payloom.payments import queries
from payloom.payments.decide import Change
from payloom.payments.model import Payment
from payloom.webhooks.model import StoredEvent


class Placed(Enum):
    """What became of a new order."""

    NEW = "new"
    KEY_TAKEN = "key taken"  # nothing was written
    REFERENCE_TAKEN = "reference taken"  # at most the claim was written


async def place(tx: Tx, payment: Payment, claim: Claim | None, look_up_at: datetime) -> Placed:
    """The claim on the caller's key, unless it is taken already, the order, its attempt, its log
    row and its job."""
    order = payment.order
    fresh = None if claim is None or claim.is_taken else claim
    row = await tx.fetchrow(
        _PLACE,
        *queries.order_values(order),
        *queries.attempt_values(payment.current),
        fresh.key if fresh else None,
        fresh.fingerprint if fresh else None,
        fresh.owner if fresh else None,
        LEASE_S,
        look_up_at,
    )
    if row is None or (fresh is not None and not row["claimed"]):
        return Placed.KEY_TAKEN if fresh else Placed.REFERENCE_TAKEN
    if fresh is not None:
        fresh.is_taken = True
    return Placed.NEW if row["placed"] else Placed.REFERENCE_TAKEN


async def opened(
    tx: Tx, change: Change, event: StoredEvent, claim: Claim | None, answer: Answer
) -> bool:
    """The PSP made the page: order, attempt, log, event, deliveries, job, and the answer kept.

    False: the order has moved meanwhile, and nothing was written.
    """
    order, attempt = change.payment.order, change.attempt
    row = await tx.fetchrow(
        _OPENED,
        order.merchant_id,
        order.id,
        order.version,
        order.event_sequence,
        order.status,
        order.updated_at,
        attempt.id,
        attempt.state,
        attempt.token,
        attempt.redirect_url,
        change.steps[0].from_state,
        change.steps[0].from_status,
        change.steps[0].outcome,
        change.cause.kind,
        event.id,
        event.type,
        event.body,
        change.look_up_at,
        claim.key if claim else None,
        claim.owner if claim else None,
        answer.status,
        answer.body,
    )
    if row is None or not row["moved"]:
        return False
    if claim is not None and row["kept"]:
        claim.kept = answer
    return True


_PLACE = """
WITH claimed AS (
    INSERT INTO idempotency_keys (merchant_id, key, fingerprint, owner, lease_until, created_at)
    SELECT $1, $32, $33, $34, clock_timestamp() + $35 * interval '1 second', $22
     WHERE $32::text IS NOT NULL
        ON CONFLICT (merchant_id, key) DO NOTHING
    RETURNING key
), placed AS (
    INSERT INTO payment_orders (
           merchant_id, id, reference, fingerprint, payment_order_status, version, event_sequence,
           payment_type, payment_method, method_types, psp, amount, currency, capture, return_url,
           cancel_url, locale, description, customer, line_items, metadata, current_attempt,
           expires_at, correlation_id, created_at, updated_at)
    SELECT $1, $2, $3, $4, $5, 1, 0, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
           $19, $23, $20, $21, $22, $22
     WHERE $32::text IS NULL OR EXISTS (SELECT FROM claimed)
        ON CONFLICT (merchant_id, reference) DO NOTHING
    RETURNING *
), tried AS (
    INSERT INTO attempts (
           merchant_id, id, payment_order_id, number, connection_id, psp, state, amount, currency,
           request_body, request_version, request_key, resend_until, return_token, expires_at,
           asked_at, created_at, updated_at)
    SELECT merchant_id, $23, id, $24, $25, psp, $26, amount, currency, $27, $28, $29, $30, $31,
           expires_at, created_at, created_at, created_at
      FROM placed
), logged AS (
    INSERT INTO payment_log (
           merchant_id, payment_order_id, version, at, attempt_id, to_state, to_status, outcome,
           cause, cause_id)
    SELECT merchant_id, id, version, created_at, $23, $26, payment_order_status, 'Requested',
           'request', correlation_id
      FROM placed
), waiting AS (
    INSERT INTO jobs (merchant_id, kind, subject, run_at, correlation_id, created_at)
    SELECT merchant_id, 'look_up', $23, $36, correlation_id, created_at
      FROM placed
)
SELECT EXISTS (SELECT FROM claimed) AS claimed, EXISTS (SELECT FROM placed) AS placed
"""

_OPENED = """
WITH moved AS (
    UPDATE payment_orders
       SET version = $3, event_sequence = $4, payment_order_status = $5, updated_at = $6
     WHERE merchant_id = $1 AND id = $2 AND version = $3 - 1
    RETURNING merchant_id, id
), tried AS (
    UPDATE attempts AS a
       SET state = $8, token = $9, redirect_url = $10, answered_at = $6, updated_at = $6
      FROM moved
     WHERE a.merchant_id = $1 AND a.id = $7
), logged AS (
    INSERT INTO payment_log (
           merchant_id, payment_order_id, version, at, attempt_id, from_state, to_state,
           from_status, to_status, outcome, cause)
    SELECT merchant_id, id, $3, $6, $7, $11, $8, $12, $5, $13, $14
      FROM moved
), told AS (
    INSERT INTO events (merchant_id, id, payment_order_id, sequence, type, body, at)
    SELECT merchant_id, $15, id, $4, $16, $17, $6
      FROM moved
), sent AS (
    INSERT INTO deliveries (merchant_id, id, event_id, endpoint_id, state, next_at, created_at)
    SELECT m.merchant_id, delivery_id($15, w.id), $15, w.id, 'pending', $6, $6
      FROM moved AS m
      JOIN webhook_endpoints AS w ON w.merchant_id = m.merchant_id AND w.disabled_at IS NULL
       AND (w.event_types IS NULL OR $16 = ANY (w.event_types))
), waiting AS (
    UPDATE jobs AS j
       SET run_at = $18, tries = 0, lease_until = NULL, fence = j.fence + 1
      FROM moved
     WHERE j.merchant_id = $1 AND j.kind = 'look_up' AND j.subject = $7
), kept AS (
    UPDATE idempotency_keys AS k
       SET status = $21, body = $22
      FROM moved
     WHERE k.merchant_id = $1 AND k.key = $19 AND k.owner = $20 AND k.status IS NULL
    RETURNING k.key
)
SELECT EXISTS (SELECT FROM moved) AS moved, EXISTS (SELECT FROM kept) AS kept
"""
