"""What operators see across merchants; no feature behind the API has such a view."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from payloom.core.db import Row, Tx


async def merchants(tx: "Tx", limit: int) -> "list[Row]":
    return await tx.fetch(_MERCHANTS, limit)


async def api_keys(tx: "Tx", merchant_id: UUID, limit: int) -> "list[Row]":
    return await tx.fetch(_API_KEYS, merchant_id, limit)


async def connections(tx: "Tx", merchant_id: UUID | None, limit: int) -> "list[Row]":
    return await tx.fetch(_CONNECTIONS, merchant_id, limit)


async def newest_page(tx: "Tx", merchant_id: UUID, connection_id: UUID) -> "Row | None":
    """The id and token of the newest attempt that this connection opened."""
    return await tx.fetchrow(_NEWEST_PAGE, merchant_id, connection_id)


async def orders_of_reference(tx: "Tx", reference: str, limit: int) -> "list[Row]":
    """Of each merchant that has one: a reference is unique within a merchant only."""
    return await tx.fetch(_ORDERS_OF_REFERENCE, reference, limit)


async def orders_of_id(tx: "Tx", order_id: UUID) -> "list[Row]":
    """The one with this id, whosever it is; none if there is none."""
    return await tx.fetch(_ORDERS_OF_ID, order_id)


@dataclass(frozen=True, slots=True)
class NoticeFilters:
    """Which notices; None narrows nothing. `first` is an id below all that were made since."""

    ids: tuple[UUID, ...] | None = None
    merchant: UUID | None = None
    connection: UUID | None = None
    states: tuple[str, ...] | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    first: UUID | None = None


async def notices(tx: "Tx", wanted: NoticeFilters, limit: int) -> "list[Row]":
    """Newest first, without their bodies."""
    return await tx.fetch(
        _NOTICES,
        list(wanted.ids) if wanted.ids is not None else None,
        wanted.merchant,
        wanted.connection,
        list(wanted.states) if wanted.states is not None else None,
        wanted.type,
        wanted.since,
        wanted.until,
        wanted.first,
        limit,
    )


async def moved_by_notice(tx: "Tx", merchant_id: UUID, order_id: UUID, notice: str) -> "list[Row]":
    """What a notice (its public id) did to the payment order."""
    return await tx.fetch(_MOVED_BY_NOTICE, merchant_id, order_id, notice)


_MERCHANTS = """
SELECT merchant_id, name, mode, created_at FROM merchants ORDER BY merchant_id DESC LIMIT $1
"""

_API_KEYS = """
SELECT id, hint, name, scopes, created_at, expires_at, revoked_at FROM api_keys
 WHERE merchant_id = $1
 ORDER BY id DESC LIMIT $2
"""

_CONNECTIONS = """
SELECT c.merchant_id, c.id, c.psp, c.api_base, c.psp_account, c.created_at, c.disabled_at,
       array(SELECT s.field FROM secrets AS s
              WHERE s.merchant_id = c.merchant_id AND s.owner = c.id ORDER BY s.field) AS secrets
  FROM connections AS c
 WHERE $1::uuid IS NULL OR c.merchant_id = $1
 ORDER BY c.id DESC LIMIT $2
"""

_NEWEST_PAGE = """
SELECT id, token FROM attempts
 WHERE merchant_id = $1 AND connection_id = $2 AND token IS NOT NULL
 ORDER BY id DESC LIMIT 1
"""

_ORDERS_OF_REFERENCE = """
SELECT o.merchant_id, o.id, m.name || ', ' || m.mode AS merchant
  FROM merchants AS m
  JOIN payment_orders AS o ON o.merchant_id = m.merchant_id AND o.reference = $1
 ORDER BY o.id DESC LIMIT $2
"""

_ORDERS_OF_ID = "SELECT merchant_id, id FROM payment_orders WHERE id = $1"

# Merchant by merchant, each along its own key: nothing else is sorted by time.
_NOTICES = """
SELECT n.merchant_id, n.id, n.connection_id, n.psp_event, n.type, n.via, n.state, n.tries,
       n.attempt_id, n.remark, n.next_at, n.received_at, n.finished_at, a.payment_order_id,
       a.state AS attempt_state, o.payment_order_status, s.times, s.first_at
  FROM merchants AS m
 CROSS JOIN LATERAL (
       SELECT merchant_id, id, connection_id, psp_event, type, via, state, tries, attempt_id,
              remark, next_at, received_at, finished_at
         FROM notices
        WHERE merchant_id = m.merchant_id
          AND ($1::uuid[] IS NULL OR id = ANY ($1))
          AND ($3::uuid IS NULL OR connection_id = $3)
          AND ($4::text[] IS NULL OR state = ANY ($4))
          AND ($5::text IS NULL OR type = $5)
          AND ($6::timestamptz IS NULL OR received_at >= $6)
          AND ($7::timestamptz IS NULL OR received_at < $7)
          AND ($8::uuid IS NULL OR id >= $8)
        ORDER BY id DESC LIMIT $9) AS n
  LEFT JOIN attempts AS a ON a.merchant_id = n.merchant_id AND a.id = n.attempt_id
  LEFT JOIN payment_orders AS o ON o.merchant_id = a.merchant_id AND o.id = a.payment_order_id
  LEFT JOIN notices_seen AS s ON s.merchant_id = n.merchant_id
   AND s.connection_id = n.connection_id AND s.psp_event = n.psp_event
 WHERE $2::uuid IS NULL OR m.merchant_id = $2
 ORDER BY n.id DESC LIMIT $9
"""

_MOVED_BY_NOTICE = """
SELECT at, attempt_id, from_state, to_state, from_status, to_status, outcome FROM payment_log
 WHERE merchant_id = $1 AND payment_order_id = $2 AND cause = 'notice' AND cause_id = $3
 ORDER BY version
"""
