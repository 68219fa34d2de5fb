"""What may follow what, as data. The database keeps the same arrows (`refund_transitions`)."""

from enum import StrEnum

from payloom.connectors.contract import (
    RefundCanceled,
    Refunded,
    RefundFailed,
    RefundNeedsAction,
    RefundOutcome,
    RefundPending,
)


class State(StrEnum):
    """Where one refund stands."""

    REQUESTED = "REQUESTED"  # sent to the PSP; whether it took it on is not known yet
    REQUIRES_ACTION = "REQUIRES_ACTION"  # the shopper must say where the money shall go
    PENDING = "PENDING"  # the PSP has it and has not carried it out
    SUCCEEDED = "SUCCEEDED"  # the money left for the shopper
    FAILED = "FAILED"  # the PSP never made it, or the money came back
    CANCELED = "CANCELED"  # it was withdrawn before the money left


S = State
TRANSITIONS: dict[tuple[State, type[RefundOutcome]], State] = {
    (S.REQUESTED, RefundNeedsAction): S.REQUIRES_ACTION,
    (S.REQUESTED, RefundPending): S.PENDING,
    (S.REQUESTED, Refunded): S.SUCCEEDED,
    (S.REQUESTED, RefundFailed): S.FAILED,
    (S.REQUESTED, RefundCanceled): S.CANCELED,
    (S.REQUIRES_ACTION, RefundPending): S.PENDING,
    (S.REQUIRES_ACTION, Refunded): S.SUCCEEDED,
    (S.REQUIRES_ACTION, RefundFailed): S.FAILED,
    (S.REQUIRES_ACTION, RefundCanceled): S.CANCELED,
    (S.PENDING, Refunded): S.SUCCEEDED,
    (S.PENDING, RefundFailed): S.FAILED,
    (S.PENDING, RefundCanceled): S.CANCELED,
    # A refund that said "succeeded" may come back up to 30 days later.
    (S.SUCCEEDED, RefundFailed): S.FAILED,
}
UNDECIDED = frozenset({S.REQUESTED, S.REQUIRES_ACTION, S.PENDING})
NEVER_LEFT = frozenset({S.FAILED, S.CANCELED})
