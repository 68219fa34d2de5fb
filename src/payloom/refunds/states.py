"""What may follow what, as data. The database keeps the same arrows (`refund_transitions`)."""

from enum import StrEnum

from payloom.connectors.contract import Refunded, RefundFailed, RefundPending


class State(StrEnum):
    """Where one refund stands."""

    REQUESTED = "REQUESTED"  # sent to the PSP; whether it took it on is not known yet
    PENDING = "PENDING"  # the PSP has it and has not carried it out
    SUCCEEDED = "SUCCEEDED"  # the money left for the shopper
    FAILED = "FAILED"  # the PSP never made it, or the money came back


S = State
TRANSITIONS: dict[tuple[State, type[Refunded | RefundPending | RefundFailed]], State] = {
    (S.REQUESTED, RefundPending): S.PENDING,
    (S.REQUESTED, Refunded): S.SUCCEEDED,
    (S.REQUESTED, RefundFailed): S.FAILED,
    (S.PENDING, Refunded): S.SUCCEEDED,
    (S.PENDING, RefundFailed): S.FAILED,
    # A refund that said "succeeded" may come back up to 30 days later.
    (S.SUCCEEDED, RefundFailed): S.FAILED,
}
UNDECIDED = frozenset({S.REQUESTED, S.PENDING})
