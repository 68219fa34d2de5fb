"""All SQL of payments. Reads give frozen rows; writes take what `decide` decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from payloom.core.db import Row, Tx
from payloom.core.paging import Page
from payloom.payments.model import Attempt, Cause, Order, Payment
from payloom.payments.states import State, Status


async def payment_by_reference(tx: Tx, merchant_id: UUID, reference: str) -> Payment | None:
    row = await tx.fetchrow(_ORDER + _BY_REFERENCE, merchant_id, reference)
    return None if row is None else await _with_attempts(tx, row)


async def payment_by_id(tx: Tx, merchant_id: UUID, order_id: UUID) -> Payment | None:
    row = await tx.fetchrow(_ORDER + _BY_ID, merchant_id, order_id)
    return None if row is None else await _with_attempts(tx, row)


async def lock_payment(tx: Tx, merchant_id: UUID, order_id: UUID) -> Payment | None:
    """One payment, locked until the transaction ends."""
    row = await tx.fetchrow(_ORDER + _BY_ID + _FOR_UPDATE, merchant_id, order_id)
    return None if row is None else await _with_attempts(tx, row)


async def payment_of_attempt(tx: Tx, attempt_id: UUID) -> Payment | None:
    """By the attempt's id alone: a returning shopper names nothing else."""
    row = await tx.fetchrow(_ORDER + _BY_ATTEMPT, attempt_id)
    return None if row is None else await _with_attempts(tx, row)


async def attempts_of_psp_payments(
    tx: Tx, wanted: Sequence[tuple[UUID, UUID, str]]
) -> dict[tuple[UUID, UUID, str], UUID]:
    """Our attempt of each (merchant, connection, what the PSP calls the payment) that we have."""
    rows = await tx.fetch(_OF_PSP_PAYMENTS, *(list(column) for column in zip(*wanted, strict=True)))
    keys = ("merchant_id", "connection_id", "psp_payment")
    return {tuple(row[key] for key in keys): row["id"] for row in rows}


async def lock_payments(
    tx: Tx, attempts: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], Payment]:
    """The payments of these (merchant, attempt), locked in id order, by (merchant, order)."""
    merchants, ids = [key[0] for key in attempts], [key[1] for key in attempts]
    orders = await tx.fetch(_LOCK, merchants, ids)
    rows = await tx.fetch(
        _ATTEMPTS + _OF_ORDERS,
        [row["merchant_id"] for row in orders],
        [row["id"] for row in orders],
    )
    mine: dict[tuple[UUID, UUID], list[Attempt]] = {}
    for row in rows:
        mine.setdefault((row["merchant_id"], row["payment_order_id"]), []).append(_attempt(row))
    return {
        (row["merchant_id"], row["id"]): Payment(
            _order(row), tuple(mine[row["merchant_id"], row["id"]])
        )
        for row in orders
    }


async def insert_attempt(tx: Tx, attempt: Attempt) -> None:
    """One more attempt of an order that the caller holds locked."""
    await tx.execute(
        _INSERT_ATTEMPT,
        *attempt_values(attempt),
        attempt.merchant_id,
        attempt.payment_order_id,
        attempt.psp,
        attempt.amount,
        attempt.currency,
        attempt.expires_at,
        attempt.asked_at,
        attempt.created_at,
    )


async def mark_asked(tx: Tx, attempt: Attempt, now: datetime) -> bool:
    """This attempt's turn has come: whoever gets True sends it."""
    return await tx.fetchrow(_MARK_ASKED, attempt.merchant_id, attempt.id, now) is not None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of orders may be narrowed by; None narrows nothing."""

    reference: str | None = None
    status: str | None = None
    psp: str | None = None
    customer: str | None = None
    created_gte: datetime | None = None
    created_lt: datetime | None = None


async def list_payments(tx: Tx, merchant_id: UUID, filters: Filters, page: Page) -> list[Payment]:
    """Newest first; one row more than the page's limit tells whether there is a rest."""
    orders = await tx.fetch(
        _ORDER + _LIST,
        merchant_id,
        page.after,
        filters.reference,
        filters.status,
        filters.psp,
        filters.customer,
        filters.created_gte,
        filters.created_lt,
        page.limit + 1,
    )
    rows = await tx.fetch(
        _ATTEMPTS + _OF_ORDERS, [merchant_id] * len(orders), [row["id"] for row in orders]
    )
    mine: dict[UUID, list[Attempt]] = {}
    for row in rows:
        mine.setdefault(row["payment_order_id"], []).append(_attempt(row))
    return [Payment(_order(row), tuple(mine[row["id"]])) for row in orders]


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of an order's history."""

    version: int
    at: datetime
    attempt_id: UUID
    from_state: str | None
    to_state: str
    from_status: str | None
    to_status: str
    outcome: str
    cause: Cause
    data: Mapping[str, Any]


async def log_of(tx: Tx, merchant_id: UUID, order_id: UUID) -> list[LogRow]:
    rows = await tx.fetch(_LOG, merchant_id, order_id)
    return [
        LogRow(
            row["version"],
            row["at"],
            row["attempt_id"],
            row["from_state"],
            row["to_state"],
            row["from_status"],
            row["to_status"],
            row["outcome"],
            Cause(row["cause"], row["cause_id"]),
            row["data"],
        )
        for row in rows
    ]


async def _with_attempts(tx: Tx, row: Row) -> Payment:
    rows = await tx.fetch(_ATTEMPTS + _OF_ORDERS, [row["merchant_id"]], [row["id"]])
    return Payment(_order(row), tuple(_attempt(each) for each in rows))


def _order(row: Row) -> Order:
    values = dict(row)
    values["status"] = Status(values.pop("payment_order_status"))
    values["method_types"] = tuple(values["method_types"])
    values["line_items"] = tuple(values["line_items"])
    return Order(**values)


def _attempt(row: Row) -> Attempt:
    values = dict(row)
    values["state"] = State(values["state"])
    return Attempt(**values)


def order_values(order: Order) -> tuple[Any, ...]:
    return (
        order.merchant_id, order.id, order.reference, order.fingerprint, order.status,
        order.payment_type, order.payment_method, list(order.method_types), order.psp,
        order.amount, order.currency, order.capture, order.return_url, order.cancel_url,
        order.locale, order.description, order.customer, list(order.line_items),
        order.metadata, order.expires_at, order.correlation_id, order.created_at,
    )  # fmt: skip


def attempt_values(attempt: Attempt) -> tuple[Any, ...]:
    return (
        attempt.id, attempt.number, attempt.connection_id, attempt.state, attempt.request_body,
        attempt.request_version, attempt.request_key, attempt.resend_until, attempt.return_token,
    )  # fmt: skip


_ORDER_COLUMNS = """
SELECT o.merchant_id, o.id,
       (SELECT mode FROM merchants WHERE merchant_id = o.merchant_id) AS mode, o.reference,
       o.fingerprint, o.payment_order_status, o.version, o.event_sequence, o.payment_type,
       o.payment_method, o.method_types, o.psp, o.amount, o.currency, o.capture,
       o.amount_captured, o.amount_refunded, o.amount_refund_asked, o.amount_disputed,
       o.return_url, o.cancel_url, o.locale, o.description, o.customer, o.line_items, o.metadata,
       o.last_error, o.attention, o.method, o.current_attempt, o.paid_by_attempt,
       o.cancel_requested_at, o.expires_at, o.correlation_id, o.created_at, o.updated_at
"""

_ORDER = _ORDER_COLUMNS + "  FROM payment_orders AS o\n"

_BY_REFERENCE = " WHERE o.merchant_id = $1 AND o.reference = $2"

_BY_ID = " WHERE o.merchant_id = $1 AND o.id = $2"

_FOR_UPDATE = " FOR UPDATE OF o"

_BY_ATTEMPT = """
 WHERE (o.merchant_id, o.id) IN (SELECT merchant_id, payment_order_id FROM attempts WHERE id = $1)
"""

# Row by row through the keys: the cached plan of a join may read all orders there are.
_WANTED = """
WITH wanted AS MATERIALIZED (
    SELECT DISTINCT a.merchant_id, a.payment_order_id AS id
      FROM unnest($1::uuid[], $2::uuid[]) AS k (merchant_id, id)
     CROSS JOIN LATERAL (SELECT merchant_id, payment_order_id FROM attempts
                          WHERE merchant_id = k.merchant_id AND id = k.id LIMIT 1) AS a
     ORDER BY a.payment_order_id
)
"""

_LOCKED = """
  FROM wanted AS w
 CROSS JOIN LATERAL (SELECT * FROM payment_orders
                      WHERE merchant_id = w.merchant_id AND id = w.id
                      LIMIT 1 FOR UPDATE) AS o
"""

_LOCK = _WANTED + _ORDER_COLUMNS + _LOCKED

_LIST = """
 WHERE o.merchant_id = $1
   AND ($2::uuid IS NULL OR o.id < $2)
   AND ($3::text IS NULL OR o.reference = $3)
   AND ($4::text IS NULL OR o.payment_order_status = $4)
   AND ($5::text IS NULL OR o.psp = $5)
   AND ($6::text IS NULL OR o.customer_id = $6)
   AND ($7::timestamptz IS NULL OR o.created_at >= $7)
   AND ($8::timestamptz IS NULL OR o.created_at < $8)
 ORDER BY o.id DESC
 LIMIT $9
"""

_ATTEMPTS = """
SELECT a.merchant_id, a.id, a.payment_order_id, a.number, a.connection_id, a.psp, a.state,
       a.amount, a.currency, a.request_body, a.request_version, a.request_key, a.resend_until,
       a.token, a.redirect_url, a.psp_payment, a.return_token, a.expires_at, a.last_error,
       a.method, a.asked_at, a.answered_at, a.created_at, a.updated_at
  FROM attempts AS a
"""

_OF_PSP_PAYMENTS = """
SELECT a.merchant_id, a.connection_id, a.psp_payment, a.id
  FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS k (merchant_id, connection_id, psp_payment)
 CROSS JOIN LATERAL (SELECT * FROM attempts
                      WHERE merchant_id = k.merchant_id AND connection_id = k.connection_id
                        AND psp_payment = k.psp_payment
                      ORDER BY id DESC LIMIT 1) AS a
"""

_OF_ORDERS = """
 WHERE (a.merchant_id, a.payment_order_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
 ORDER BY a.number
"""

_INSERT_ATTEMPT = """
INSERT INTO attempts (
       id, number, connection_id, state, request_body, request_version, request_key, resend_until,
       return_token, merchant_id, payment_order_id, psp, amount, currency, expires_at, asked_at,
       created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
"""

# The index attempts_one_live refuses while another attempt of the order may bring money.
_MARK_ASKED = """
UPDATE attempts SET asked_at = $3
 WHERE merchant_id = $1 AND id = $2 AND state = 'REGISTERING' AND asked_at IS NULL
RETURNING id
"""

_LOG = """
SELECT version, at, attempt_id, from_state, to_state, from_status, to_status, outcome, cause,
       cause_id, data
  FROM payment_log
 WHERE merchant_id = $1 AND payment_order_id = $2
 ORDER BY version
"""
