"""What the tests publish, and what they read back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from payloom.core import ids
from payloom.core.secret import Secret
from payloom.runtime import Runtime, follow_clock
from payloom.webhooks.deliver import Outlet, deliver_due
from payloom.webhooks.endpoints import create_endpoint, signing_secrets
from payloom.webhooks.publish import NewEvent, publish

PAID = "payment_order.succeeded"


async def endpoint_at(
    rt: Runtime, merchant: UUID, url: str, event_types: list[str] | None = None
) -> tuple[UUID, Secret]:
    endpoint = await create_endpoint(rt, merchant, "test", url, event_types)
    (secret,) = await signing_secrets(rt, merchant, endpoint.id)
    return endpoint.id, secret


async def tell(rt: Runtime, merchant: UUID, kind: str = PAID, sequence: int = 1) -> None:
    """Publish one event that belongs to no order."""
    data: dict[str, object] = {"id": "po_1", "amount": 4999, "description": "Tee für zwei ☕"}
    async with rt.db.transaction() as tx:
        await publish(tx, [NewEvent(merchant, None, sequence, kind, data, "req_1")], rt.clock())


async def new_order(rt: Runtime, merchant: UUID) -> UUID:
    """The least that the schema takes for a payment order: these tests need its id only."""
    connection, order, attempt = ids.new(), ids.new(), ids.new()
    now = rt.clock()
    async with rt.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO connections (merchant_id, id, psp, created_at)"
            " VALUES ($1, $2, 'acme', $3)",
            merchant,
            connection,
            now,
        )
        await tx.execute(_NEW_ORDER, merchant, order, str(order), attempt, now)
        await tx.execute(_NEW_ATTEMPT, merchant, attempt, order, connection, now)
    return order


async def tell_of(rt: Runtime, merchant: UUID, order: UUID, *kinds: str) -> None:
    """Publish events of one order at once, in sequence."""
    told = [
        NewEvent(merchant, order, i, kind, {"id": "po"}, "req_1") for i, kind in enumerate(kinds, 1)
    ]
    async with rt.db.transaction() as tx:
        await publish(tx, told, rt.clock())


async def deliver(rt: Runtime, outlet: Outlet, *, limit: int = 100) -> int:
    """Deliver what is due, and wait for it."""
    count = await deliver_due(rt, outlet, limit=limit)
    await outlet.settle()
    return count


async def advance(rt: Runtime, by: timedelta) -> None:
    """Move business time, in its row too: the runtime goes back to what stands there."""
    async with rt.db.statement() as tx:
        await tx.execute(
            "UPDATE business_clock SET offset_seconds = offset_seconds + $1",
            int(by.total_seconds()),
        )
    await follow_clock(rt)


async def rows(rt: Runtime, sql: str, *args: object) -> list[dict[str, Any]]:
    async with rt.db.statement() as tx:
        return [dict(row) for row in await tx.fetch(sql, *args)]


async def deliveries(rt: Runtime) -> list[dict[str, Any]]:
    return await rows(rt, "SELECT * FROM deliveries ORDER BY id")


async def events(rt: Runtime) -> list[dict[str, Any]]:
    return await rows(rt, "SELECT * FROM events ORDER BY id")


_NEW_ORDER = """
INSERT INTO payment_orders (merchant_id, id, reference, fingerprint, payment_order_status, version,
    event_sequence, payment_type, payment_method, method_types, psp, amount, currency, capture,
    return_url, current_attempt, expires_at, correlation_id, created_at, updated_at)
VALUES ($1, $2, $3, sha256('x'), 'CREATED', 1, 0, 'SALE', 'APM', '{}', 'acme', 4999, 'EUR',
    'automatic', 'https://shop.example', $4, $5, '', $5, $5)
"""

_NEW_ATTEMPT = """
INSERT INTO attempts (merchant_id, id, payment_order_id, number, connection_id, psp, state, amount,
    currency, request_body, request_version, request_key, resend_until, return_token, expires_at,
    created_at, updated_at)
VALUES ($1, $2, $3, 1, $4, 'acme', 'REGISTERING', 4999, 'EUR', '', '', '', $5,
    substr(sha256('x'), 1, 16), $5, $5, $5)
"""
