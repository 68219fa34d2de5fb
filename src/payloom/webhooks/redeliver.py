"""Send an event once more, by request: same id, same bytes, from the first try on."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from payloom.core import ids
from payloom.core.db import Tx
from payloom.core.errors import Conflict, NotFound, invalid
from payloom.runtime import Runtime
from payloom.webhooks import queries
from payloom.webhooks.model import Delivery, StoredEvent

log = structlog.get_logger()


class NoSuchEvent(NotFound):
    title = "There is no such event"


class EndpointDisabled(Conflict):
    code = "webhook_endpoint_disabled"
    title = "This webhook endpoint is disabled; enable it first"


async def redeliver(
    rt: Runtime, merchant_id: UUID, event_id: UUID, endpoint_id: UUID | None = None
) -> Sequence[Delivery]:
    """Begin the event's deliveries anew: due now, then with all the pauses of a new one.

    To all enabled endpoints that want its type, or to `endpoint_id` only. Whatever had become of
    the earlier delivery; one that waits for its next try does not wait any longer. Raises
    NoSuchEvent, InvalidRequest for an endpoint that is unknown or does not want it, and
    EndpointDisabled.
    """
    async with rt.db.transaction() as tx:
        event = await queries.event(tx, merchant_id, event_id)
        if event is None:
            raise NoSuchEvent
        if endpoint_id is not None:
            await _check(tx, event, endpoint_id)
        begun = await queries.redeliver(tx, event, endpoint_id, rt.clock())
    log.info("event.redelivered", event_id=ids.text("evt", event_id), deliveries=len(begun))
    return begun


async def _check(tx: Tx, event: StoredEvent, endpoint_id: UUID) -> None:
    found = await queries.endpoint(tx, event.merchant_id, endpoint_id)
    if found is None:
        raise invalid("endpoint", "there is no such webhook endpoint")
    if found.disabled_at is not None:
        raise EndpointDisabled
    if not found.wants(event.type):
        raise invalid("endpoint", f"does not ask for events of the type {event.type}")
