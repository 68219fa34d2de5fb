"""The nouns: endpoints, events, deliveries, as values."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a merchant wants to hear of events; `event_types` None means of all.

    `disabled_reason` is `deleted` (by the merchant, for good), `failing` or `gone` (by us).
    `failures` counts failed tries since the last success, the first of them at `failing_since`.
    """

    merchant_id: UUID
    id: UUID
    url: str
    event_types: tuple[str, ...] | None
    created_at: datetime
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    failures: int = 0
    failing_since: datetime | None = None
    event_sequence: int = 0

    def wants(self, kind: str) -> bool:
        """Whether it asked for events of this type."""
        return self.event_types is None or kind in self.event_types


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as kept; `body` is the text that goes over the wire. It is about an order, about an
    endpoint, or about neither."""

    merchant_id: UUID
    id: UUID
    payment_order_id: UUID | None
    webhook_endpoint_id: UUID | None
    sequence: int
    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint, or arrived, or given up."""

    merchant_id: UUID
    id: UUID
    event_id: UUID
    endpoint_id: UUID
    state: str
    tries: int
    next_at: datetime
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until its lease ends; `fence` proves it, `tries` counts this one."""

    merchant_id: UUID
    id: UUID
    fence: int
    tries: int
    event_id: UUID
    endpoint_id: UUID
    url: str
    body: str
    is_test: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a try: `delivered`, `pending` again at `next_at`, or `exhausted`.

    `is_failure`: the endpoint is to blame. What was never sent speaks against nobody.
    """

    delivery: Claimed
    state: str
    next_at: datetime
    status: int | None
    error: str | None
    is_failure: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A result that counts: the state that the delivery has now, and how its endpoint fares if
    that has changed."""

    state: str
    failures: int
    failing_since: datetime | None
