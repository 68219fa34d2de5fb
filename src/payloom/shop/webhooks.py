"""The API tells us what became of a payment: signed, perhaps twice, perhaps out of order."""

import json

import structlog
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payloom.shop.context import shop_of
from payloom.shop.guards import read_body
from payloom.shop.model import Clock, Event
from payloom.shop.payment_api import read_payment_order
from payloom.shop.record import record_event

log = structlog.get_logger()


async def receive_webhook(request: Request) -> Response:
    """Verify the raw bytes, keep the event once, act on it: one transaction, then 2xx."""
    shop = shop_of(request)
    raw = await read_body(request)
    try:
        Webhook(shop.settings.webhook_secret).verify(raw, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:  # ValueError: not even well-formed
        log.warning("webhook.refused", reason=str(error))
        return JSONResponse({"error": "the signature does not fit"}, 401)
    event = _read_event(raw, shop.clock)
    if event is None:
        return JSONResponse({"error": "not an event"}, 400)
    is_new = record_event(shop.db, event)
    log.info("webhook.received", event_id=event.id, type=event.type, is_new=is_new)
    return JSONResponse({"received": event.id, "is_new": is_new})


def _read_event(raw: bytes, clock: Clock) -> Event | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    match body:
        case {"id": str(id_), "type": str(type_), "sequence": int(sequence), "data": dict(data)}:
            shown = read_payment_order(data, sequence) if _is_about_payment(type_) else None
            # Refunds and the like name the payment order they belong to.
            about = shown.payment_order_id if shown else data.get("payment_order")
            return Event(
                id=id_,
                type=type_,
                sequence=sequence,
                payment_order_id=about if isinstance(about, str) else "",
                sighting=shown,
                received_at=clock(),
            )
    return None


def _is_about_payment(type_: str) -> bool:
    return type_.startswith("payment_order.")
