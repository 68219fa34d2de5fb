"""What a PSP tells unasked, and what it says of our payments and refunds."""

from collections.abc import Callable
from dataclasses import dataclass

from payloom.connectors.contract.payments import Outcome
from payloom.connectors.contract.refunds import RefundOutcome


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a PSP told us; `psp_event` is its id there, the same on every repetition.

    `attempt` is the id of ours that it names, as a hint: nothing is concluded from it.
    """

    psp_event: str
    type: str
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a PSP's event list: each notice, and what makes its bytes as a webhook would
    bring them, called for those that are news. `after` is where the next page begins; None: that
    was the last."""

    notices: tuple[tuple[Notice, Callable[[], bytes]], ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A verified call of the PSP: what it tells, and the reply it expects."""

    notices: tuple[Notice, ...]
    reply_status: int = 200
    reply_body: bytes = b""


Drift = str | None  # how a notice is unlike those the connector was written for (F42)


@dataclass(frozen=True, slots=True)
class Concerns:
    """A notice about one of our attempts."""

    attempt: str
    outcome: Outcome
    drift: Drift = None


@dataclass(frozen=True, slots=True)
class ConcernsRefund:
    """A notice about a refund: one of ours, whose ids it carries, or one of a payment of ours that
    somebody started at the PSP (`attempt` and `refund` None)."""

    attempt: str | None
    refund: str | None
    outcome: RefundOutcome
    drift: Drift = None
    psp_payment: str | None = None
    reason: str = "other"  # requested_by_customer, duplicate, fraudulent or other


@dataclass(frozen=True, slots=True)
class NotOurs:
    """A notice about something at the PSP that is not of our making."""

    why: str = "carries no id of ours"
    drift: Drift = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A notice of a kind that moves nothing of ours."""

    why: str
    drift: Drift = None


Meaning = Concerns | ConcernsRefund | NotOurs | Ignored


class ForgedNotice(Exception):
    """The signature does not verify, or its time is too far from now (F40)."""


class UnreadableNotice(Exception):
    """A genuine notice that we cannot read, or must not believe: for quarantine and a person.

    `attempt` is ours if it is surely about that one: the PSP is then asked for the truth.
    """

    def __init__(self, why: str, *, attempt: str | None = None, drift: Drift = None) -> None:
        super().__init__(why)
        self.attempt = attempt
        self.drift = drift
