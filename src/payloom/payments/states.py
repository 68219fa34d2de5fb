"""What may follow what: the table of states, as data. The docs' diagram is drawn from it.

The database keeps the same arrows (`attempt_transitions`); a test compares the two.
"""

from enum import StrEnum

from payloom.connectors.contract import (
    Approved,
    Authorized,
    Canceled,
    Expired,
    Failed,
    NeverSent,
    Outcome,
    Paid,
    Processing,
    Refused,
    Registered,
    StillOpen,
)


class State(StrEnum):
    """Where one attempt stands."""

    REGISTERING = "REGISTERING"  # sent to the PSP; whether it made the page is not known yet
    OPEN = "OPEN"  # the hosted page waits for the shopper
    PROCESSING = "PROCESSING"  # the shopper is done; a bank is not
    AUTHORIZED = "AUTHORIZED"  # money is reserved, not taken
    SUCCEEDED = "SUCCEEDED"  # the PSP took the money
    FAILED = "FAILED"  # a delayed payment came to nothing
    CANCELED = "CANCELED"  # the page or reservation ended at our own wish
    EXPIRED = "EXPIRED"  # the page ended unpaid by itself
    REFUSED = "REFUSED"  # the PSP never made the page


class Status(StrEnum):
    """`payment_order_status`: what a shop is told."""

    CREATED = "CREATED"  # registration not confirmed
    PENDING = "PENDING"  # the shopper may pay
    PROCESSING = "PROCESSING"  # the shopper is done, a bank is not
    AUTHORIZED = "AUTHORIZED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


S = State
TRANSITIONS: dict[tuple[State, type[Outcome]], State] = {
    (S.REGISTERING, Registered): S.OPEN,
    (S.REGISTERING, Refused): S.REFUSED,
    (S.REGISTERING, Expired): S.EXPIRED,
    (S.REGISTERING, Canceled): S.CANCELED,
    (S.REGISTERING, NeverSent): S.CANCELED,
    (S.OPEN, Processing): S.PROCESSING,
    (S.OPEN, Approved): S.PROCESSING,
    (S.OPEN, Authorized): S.AUTHORIZED,
    (S.OPEN, Paid): S.SUCCEEDED,
    (S.OPEN, Expired): S.EXPIRED,
    (S.OPEN, Canceled): S.CANCELED,
    (S.PROCESSING, Paid): S.SUCCEEDED,
    (S.PROCESSING, Authorized): S.AUTHORIZED,
    (S.PROCESSING, Failed): S.FAILED,
    (S.AUTHORIZED, Paid): S.SUCCEEDED,
    (S.AUTHORIZED, Canceled): S.CANCELED,
    (S.AUTHORIZED, Expired): S.EXPIRED,
    # Money that came late is still money.
    (S.FAILED, Paid): S.SUCCEEDED,
    (S.EXPIRED, Paid): S.SUCCEEDED,
    (S.CANCELED, Paid): S.SUCCEEDED,
    (S.REFUSED, Paid): S.SUCCEEDED,
}

# An outcome may tell of two steps at once, when the notice of the first is late or lost.
VIA: dict[tuple[State, type[Outcome]], Outcome] = {(S.OPEN, Failed): Processing()}

# What a page goes through on its way: whoever stands further has heard it all before.
_WAY: tuple[type[Outcome], ...] = (Registered, StillOpen, Processing, Approved)
OLD_NEWS: dict[State, frozenset[type[Outcome]]] = {
    S.REGISTERING: frozenset(),
    S.OPEN: frozenset({Registered, StillOpen}),
    S.PROCESSING: frozenset(_WAY),
    S.AUTHORIZED: frozenset({*_WAY, Authorized}),
    S.SUCCEEDED: frozenset(
        {*_WAY, Authorized, Paid, Failed, Expired, Canceled, Refused, NeverSent}
    ),
    S.FAILED: frozenset({*_WAY, Failed}),
    S.CANCELED: frozenset({Registered, StillOpen, Approved, Canceled, Expired, NeverSent}),
    S.EXPIRED: frozenset({Registered, StillOpen, Approved, Expired, Canceled}),
    S.REFUSED: frozenset({Refused, Expired, Canceled, NeverSent}),
}

STATUS_OF: dict[State, Status] = {
    S.REGISTERING: Status.CREATED,
    S.OPEN: Status.PENDING,
    S.PROCESSING: Status.PROCESSING,
    S.AUTHORIZED: Status.AUTHORIZED,
    S.SUCCEEDED: Status.SUCCEEDED,
    S.FAILED: Status.FAILED,
    S.CANCELED: Status.CANCELED,
    S.EXPIRED: Status.EXPIRED,
    S.REFUSED: Status.FAILED,
}

# What is published when an order comes to a status; CREATED has nothing to tell yet.
EVENT_OF: dict[Status, str] = {
    Status.PENDING: "payment_order.registered",
    Status.PROCESSING: "payment_order.processing",
    Status.AUTHORIZED: "payment_order.authorized",
    Status.SUCCEEDED: "payment_order.succeeded",
    Status.FAILED: "payment_order.failed",
    Status.CANCELED: "payment_order.canceled",
    Status.EXPIRED: "payment_order.expired",
}

# A decline of the page may be told late: it is remembered, unless money came after all.
HEARS_DECLINES = frozenset({S.OPEN, S.PROCESSING, S.AUTHORIZED, S.FAILED, S.CANCELED, S.EXPIRED})

LIVE = frozenset({S.REGISTERING, S.OPEN, S.PROCESSING, S.AUTHORIZED})  # may still bring money
LATE = frozenset({S.FAILED, S.EXPIRED})  # money from here is a late success


def after(state: State, outcome: Outcome) -> State | None:
    """The next state, or None when the table has no such arrow."""
    return TRANSITIONS.get((state, type(outcome)))
