"""Endpoints, events and deliveries as the API shows them: their shapes, and how they are filled."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from payloom.core import ids
from payloom.core.clock import rfc3339
from payloom.webhooks.model import Delivery, Endpoint, StoredEvent


class ShownEndpoint(BaseModel):
    id: str
    url: str
    event_types: list[str] | None
    created_at: datetime
    failing_since: Annotated[
        datetime | None, Field(description="The first failed try since the last success")
    ]
    disabled_at: datetime | None
    disabled_reason: Annotated[
        Literal["deleted", "failing", "gone"] | None,
        Field(description="`deleted` is for good; the others can be enabled again"),
    ]


class EndpointWithSecret(ShownEndpoint):
    secret: Annotated[
        str | None,
        Field(
            description="Verifies signatures. Shown here and never again; null in a repeated"
            " answer once this secret has ended"
        ),
    ]


class RotatedEndpoint(EndpointWithSecret):
    old_secret_ends_at: Annotated[datetime, Field(description="Until then it signs as well")]


class EndpointList(BaseModel):
    data: list[ShownEndpoint]
    has_more: bool
    next_cursor: str | None


class ShownEvent(BaseModel):
    id: str
    type: str
    timestamp: datetime
    sequence: Annotated[int, Field(description="1, 2, 3 … within what it is about")]
    data: Annotated[dict[str, Any], Field(description="The resource as the API shows it")]


class EventList(BaseModel):
    data: list[ShownEvent]
    has_more: bool
    next_cursor: str | None


class ShownDelivery(BaseModel):
    id: str
    event: str
    endpoint: str
    state: Literal["pending", "delivered", "exhausted"]
    tries: int
    next_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


class Redelivered(BaseModel):
    data: list[ShownDelivery]


class DeliveryList(Redelivered):
    has_more: bool
    next_cursor: str | None


def show_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """Without its secrets."""
    kinds = endpoint.event_types
    return {
        "id": ids.text("whe", endpoint.id),
        "url": endpoint.url,
        "event_types": list(kinds) if kinds is not None else None,
        "created_at": rfc3339(endpoint.created_at),
        "failing_since": _time(endpoint.failing_since),
        "disabled_at": _time(endpoint.disabled_at),
        "disabled_reason": endpoint.disabled_reason,
    }


def show_event(event: StoredEvent) -> dict[str, Any]:
    """What its deliveries carry."""
    shown: dict[str, Any] = json.loads(event.body)
    return shown


def show_delivery(delivery: Delivery) -> dict[str, Any]:
    """How one event fares at one endpoint; `next_at` while there is another try to come."""
    return {
        "id": ids.text("dlv", delivery.id),
        "event": ids.text("evt", delivery.event_id),
        "endpoint": ids.text("whe", delivery.endpoint_id),
        "state": delivery.state,
        "tries": delivery.tries,
        "next_at": rfc3339(delivery.next_at) if delivery.state == "pending" else None,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "created_at": rfc3339(delivery.created_at),
        "finished_at": _time(delivery.finished_at),
    }


def _time(at: datetime | None) -> str | None:
    return rfc3339(at) if at is not None else None
