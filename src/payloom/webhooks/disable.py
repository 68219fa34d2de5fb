"""Switch off an endpoint that is given up, and tell the merchant's others."""

from typing import Literal
from uuid import UUID

import structlog

from payloom.core import ids
from payloom.core.metrics import ENDPOINTS_DISABLED
from payloom.runtime import Runtime
from payloom.webhooks import queries
from payloom.webhooks.publish import NewEvent, publish
from payloom.webhooks.schedule import is_given_up
from payloom.webhooks.view import show_endpoint

log = structlog.get_logger()

Reason = Literal["failing", "gone"]


async def disable_endpoint(
    rt: Runtime, merchant_id: UUID, endpoint_id: UUID, reason: Reason
) -> bool:
    """Tell it nothing more until it is enabled again; what it is owed is closed by the worker.

    False, and nothing changed, if it is disabled already or has had a success meanwhile.
    """
    now = rt.clock()
    async with rt.db.transaction() as tx:
        found = await queries.lock_endpoint(tx, merchant_id, endpoint_id)
        if found is None or (
            reason == "failing" and not is_given_up(found.failures, found.failing_since, now)
        ):
            return False
        disabled = await queries.disable_endpoint(tx, merchant_id, endpoint_id, reason, now)
        if disabled is None:
            return False
        event = NewEvent(
            merchant_id,
            None,
            disabled.event_sequence,
            "webhook_endpoint.disabled",
            show_endpoint(disabled),
            "",
            webhook_endpoint_id=endpoint_id,
        )
        await publish(tx, [event], now)
    ENDPOINTS_DISABLED.labels(reason).inc()
    log.warning(
        "webhook_endpoint.disabled",
        endpoint=ids.text("whe", endpoint_id),
        reason=reason,
        failures=disabled.failures,
    )
    return True
