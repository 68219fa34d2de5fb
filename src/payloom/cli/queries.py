"""What operators see across merchants; no feature behind the API has such a view."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from payloom.core.db import Row, Tx


async def merchants(tx: "Tx", limit: int) -> "list[Row]":
    return await tx.fetch(_MERCHANTS, limit)


async def api_keys(tx: "Tx", merchant_id: UUID, limit: int) -> "list[Row]":
    return await tx.fetch(_API_KEYS, merchant_id, limit)


async def connections(tx: "Tx", merchant_id: UUID | None, limit: int) -> "list[Row]":
    return await tx.fetch(_CONNECTIONS, merchant_id, limit)


async def merchant_of_order(tx: "Tx", order_id: UUID) -> Any:
    """None: there is no such payment order."""
    return await tx.fetchval(_MERCHANT_OF_ORDER, order_id)


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

_MERCHANT_OF_ORDER = "SELECT merchant_id FROM payment_orders WHERE id = $1"
