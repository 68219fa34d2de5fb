"""Tell merchants of a change, in the transaction that makes it (T6)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from payloom.core import ids
from payloom.core.clock import rfc3339
from payloom.core.db import Tx
from payloom.webhooks import queries
from payloom.webhooks.event_types import EVENT_TYPES
from payloom.webhooks.model import StoredEvent

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to be told. `data` is the resource as the API shows it; `sequence` counts from 1
    without gaps within the payment order or the endpoint, which the caller holds locked."""

    merchant_id: UUID
    payment_order_id: UUID | None
    sequence: int
    type: str
    data: dict[str, object]
    correlation_id: str
    webhook_endpoint_id: UUID | None = None


async def publish(tx: Tx, events: Sequence[NewEvent], now: datetime) -> None:
    """Write the events and a delivery for each endpoint that wants them, in one statement."""
    if not events:
        return
    rows = [stored(event, now) for event in events]
    await queries.insert_events(tx, rows, now)
    for event, row in zip(events, rows, strict=True):
        log.info(
            "event.published",
            event_id=ids.text("evt", row.id),
            type=event.type,
            correlation_id=event.correlation_id,
        )


def stored(event: NewEvent, now: datetime) -> StoredEvent:
    """The event's text is made here, once: whoever gets it gets these very bytes."""
    if event.type not in EVENT_TYPES:
        raise ValueError(f"{event.type} is not in EVENT_TYPES")
    event_id = ids.new()
    body = {
        "id": ids.text("evt", event_id),
        "type": event.type,
        "timestamp": rfc3339(now),
        "sequence": event.sequence,
        "data": event.data,
    }
    return StoredEvent(
        merchant_id=event.merchant_id,
        id=event_id,
        payment_order_id=event.payment_order_id,
        webhook_endpoint_id=event.webhook_endpoint_id,
        sequence=event.sequence,
        type=event.type,
        body=json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False),
    )
