"""All SQL of refunds."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payloom.core.db import Row, Tx
from payloom.core.paging import Page
from payloom.refunds.model import Refund
from payloom.refunds.states import State


async def insert_refund(tx: Tx, refund: Refund) -> None:
    """An intention. Raises asyncpg.UniqueViolationError when the money is on its way already."""
    await tx.execute(
        _INSERT,
        refund.merchant_id,
        refund.id,
        refund.payment_order_id,
        refund.attempt_id,
        refund.connection_id,
        refund.number,
        refund.purpose,
        refund.state,
        refund.amount,
        refund.currency,
        refund.reason,
        refund.metadata,
        refund.shop_key,
        refund.request_body,
        refund.request_version,
        refund.request_key,
        refund.resend_until,
        refund.psp_refund,
        refund.last_error,
        refund.created_at,
    )


async def refunds_of_attempt(tx: Tx, merchant_id: UUID, attempt_id: UUID) -> list[Refund]:
    """In their order."""
    rows = await tx.fetch(_OF_ATTEMPT, merchant_id, attempt_id)
    return [_refund(row) for row in rows]


async def refunds_of_order(tx: Tx, merchant_id: UUID, order_id: UUID) -> list[Refund]:
    """In the order in which they were started."""
    rows = await tx.fetch(_OF_ORDER, merchant_id, order_id)
    return [_refund(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of refunds may be narrowed by; None narrows nothing."""

    payment_order_id: UUID | None = None
    status: str | None = None


async def list_refunds(tx: Tx, merchant_id: UUID, filters: Filters, page: Page) -> list[Refund]:
    """Newest first; one row more than the page's limit tells whether there is a rest."""
    rows = await tx.fetch(
        _LIST,
        merchant_id,
        page.after,
        filters.payment_order_id,
        filters.status,
        page.limit + 1,
    )
    return [_refund(row) for row in rows]


async def refund_by_id(tx: Tx, merchant_id: UUID, refund_id: UUID) -> Refund | None:
    row = await tx.fetchrow(_BY_ID, merchant_id, refund_id)
    return _refund(row) if row is not None else None


async def lock_psp_refund(
    tx: Tx, merchant_id: UUID, connection_id: UUID, psp_refund: str
) -> Refund | None:
    """By its id at the PSP, locked until the transaction ends."""
    row = await tx.fetchrow(_LOCK_OF_PSP, merchant_id, connection_id, psp_refund)
    return _refund(row) if row is not None else None


async def lock_refund(tx: Tx, merchant_id: UUID, refund_id: UUID) -> Refund | None:
    """One refund, locked until the transaction ends."""
    row = await tx.fetchrow(_LOCK, merchant_id, refund_id)
    return _refund(row) if row is not None else None


async def write_refund(tx: Tx, refund: Refund, now: datetime) -> None:
    """Its state, the PSP's id and the last error."""
    await tx.execute(
        _WRITE,
        refund.merchant_id,
        refund.id,
        refund.state,
        refund.psp_refund,
        refund.last_error,
        now,
    )


def _refund(row: Row) -> Refund:
    values = dict(row)
    values["state"] = State(values["state"])
    return Refund(**values)


_COLUMNS = """
SELECT merchant_id, id, payment_order_id, attempt_id, connection_id, number, purpose, state, amount,
       currency, reason, metadata, shop_key, request_body, request_version, request_key,
       resend_until, psp_refund, last_error, created_at, updated_at
  FROM refunds
"""

_OF_ATTEMPT = _COLUMNS + " WHERE merchant_id = $1 AND attempt_id = $2 ORDER BY number"

_OF_ORDER = _COLUMNS + " WHERE merchant_id = $1 AND payment_order_id = $2 ORDER BY id"

_BY_ID = _COLUMNS + " WHERE merchant_id = $1 AND id = $2"

_LIST = (
    _COLUMNS
    + """
 WHERE merchant_id = $1
   AND ($2::uuid IS NULL OR id < $2)
   AND ($3::uuid IS NULL OR payment_order_id = $3)
   AND ($4::text IS NULL OR state = $4)
 ORDER BY id DESC
 LIMIT $5
"""
)

_LOCK_OF_PSP = (
    _COLUMNS + " WHERE merchant_id = $1 AND connection_id = $2 AND psp_refund = $3 FOR UPDATE"
)

_LOCK = _COLUMNS + " WHERE merchant_id = $1 AND id = $2 FOR UPDATE"

_INSERT = """
INSERT INTO refunds (
       merchant_id, id, payment_order_id, attempt_id, connection_id, number, purpose, state,
       amount, currency, reason, metadata, shop_key, request_body, request_version,
       request_key, resend_until, psp_refund, last_error, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $20)
"""

_WRITE = """
UPDATE refunds SET state = $3, psp_refund = $4, last_error = $5, updated_at = $6
 WHERE merchant_id = $1 AND id = $2
"""
