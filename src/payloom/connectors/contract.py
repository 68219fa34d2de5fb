"""What a connector is: takes our words, speaks its PSP's dialect, answers in our words.

A connector keeps no state, opens nothing when made, never invents an idempotency key, and knows
nothing of our database. Its answers are values; "declined" is an outcome, not an exception. What
it cannot interpret is `Unknown`, never a failure (F18).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from payloom.core.errors import InvalidRequest
from payloom.core.money import Money


class MethodTypeUnavailable(InvalidRequest):
    code = "method_type_unavailable"
    title = "No payment method of the wanted types is available"


class AmountNotSupported(InvalidRequest):
    code = "amount_not_supported"
    title = "The PSP cannot take this amount"


# --- what we ask -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineItem:
    name: str
    quantity: int
    unit_amount: int  # minor units


@dataclass(frozen=True, slots=True)
class Registration:
    """A page to open at the PSP. `attempt` is our id, which the PSP's objects must carry."""

    attempt: str
    payment_order: str
    reference: str
    amount: Money
    method_types: tuple[str, ...]
    line_items: tuple[LineItem, ...]
    description: str | None
    customer_email: str | None
    locale: str | None
    success_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Rendered:
    """A request as it goes over the wire: stored before it is sent, resent byte for byte."""

    body: str
    version: str  # the PSP's API version it was rendered for
    key: str  # the idempotency key


@dataclass(frozen=True, slots=True)
class AttemptRef:
    """How the PSP knows an attempt: our id, and its token where we have one."""

    attempt: str
    token: str | None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to give back, all of it or a part. `refund` is our id, which the PSP's object must
    carry; `psp_payment` is what the PSP calls the payment."""

    refund: str
    attempt: str
    payment_order: str
    psp_payment: str
    amount: Money
    reason: str  # requested_by_customer, duplicate, fraudulent or other


@dataclass(frozen=True, slots=True)
class RefundRef:
    """How the PSP knows a refund: our id, the payment it is of, and its own id where we have it."""

    refund: str
    psp_payment: str
    psp_refund: str | None


# --- what we hear ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a try to pay did not work, in the PSP's codes (kept as text: the lists are open)."""

    code: str
    decline_code: str | None = None
    at: datetime | None = None  # when the PSP told of it, if it said so


@dataclass(frozen=True, slots=True)
class Method:
    """What was paid with, as far as the PSP tells: never more of a card than its last four."""

    type: str
    brand: str | None = None
    last4: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """The PSP made the page."""

    token: str
    url: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The PSP will never make this page; nothing was executed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class StillOpen:
    """The shopper may still pay; `last_decline` is the newest try that failed."""

    last_decline: Decline | None = None


@dataclass(frozen=True, slots=True)
class Processing:
    """The shopper is done, a bank is not."""

    psp_payment: str | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """The shopper agreed, and the PSP waits for us to take the money: `complete` does."""

    psp_payment: str | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """Money was captured. The four facts that must fit ours: amount, currency, order, account."""

    amount: Money
    psp_payment: str
    payment_order: str | None
    psp_account: str | None = None
    method: Method | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A delayed payment came to nothing: definitive."""

    decline: Decline
    psp_payment: str | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """The page is dead and was not paid."""


@dataclass(frozen=True, slots=True)
class Authorized:
    """Money is reserved, not taken."""

    amount: Money
    psp_payment: str


@dataclass(frozen=True, slots=True)
class Canceled:
    """The page or the reservation ended at our own wish."""


@dataclass(frozen=True, slots=True)
class NeverSent:
    """Nothing was asked of the PSP and nothing will be: the attempt is not needed any more. Ours
    alone to say; no connector answers so."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or none that we understand: nothing is concluded, we ask again."""

    why: str
    executed: bool | None = None  # False: surely not (429, never sent); None: nobody knows
    is_kept: bool = False  # the PSP keeps this answer under the key: asking again brings no other


Outcome = (
    Registered
    | Refused
    | StillOpen
    | Processing
    | Approved
    | Authorized
    | Paid
    | Failed
    | Expired
    | Canceled
    | NeverSent
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Refunded:
    """The money left for the shopper; it may still come back (RefundFailed)."""

    psp_refund: str


@dataclass(frozen=True, slots=True)
class RefundPending:
    """The PSP took the refund on and has not carried it out."""

    psp_refund: str


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """The money stays, or came back; `psp_refund` None: the PSP never made this refund."""

    code: str
    psp_refund: str | None = None


RefundOutcome = Refunded | RefundPending | RefundFailed | Unknown


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
    """A notice about one of our refunds."""

    attempt: str
    refund: str
    outcome: RefundOutcome
    drift: Drift = None


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


# --- who answers -----------------------------------------------------------------------------


class Connector(Protocol):
    """One merchant's account at one PSP."""

    def render(self, registration: Registration, key: str) -> Rendered:
        """The request that `register` will send, whole and final.

        Raises AmountNotSupported or MethodTypeUnavailable (422).
        """
        ...

    async def register(self, rendered: Rendered) -> Registered | Refused | Unknown:
        """Send it. Under the same key as often as needed: the PSP executes it once."""
        ...

    async def look_up(self, ref: AttemptRef) -> Outcome:
        """The truth at the PSP. Without a token: Unknown, if the PSP finds nothing by our id."""
        ...

    async def find(self, ref: AttemptRef, sent_at: datetime) -> Outcome:
        """Look for what a lost registration left behind, among what was made around `sent_at`.

        Registered: it is there and open; else what became of it. Refused("never_registered"): the
        whole list was read, it is certainly not there, and the request will not arrive any more.
        """
        ...

    async def expire(self, ref: AttemptRef) -> Outcome:
        """Ask for the end of the page; the answer is what became of it, which may be `Paid`."""
        ...

    async def complete(self, ref: AttemptRef, key: str) -> Outcome:
        """Take the money that the shopper approved; asked only after `Approved`. Under the same
        key as often as needed: the PSP executes it once."""
        ...

    def render_refund(self, request: RefundRequest, key: str) -> Rendered:
        """The request that `refund` will send, whole and final. Raises AmountNotSupported."""
        ...

    async def refund(self, rendered: Rendered) -> RefundOutcome:
        """Send it. Under the same key as often as needed: the PSP executes it once."""
        ...

    async def look_up_refund(self, ref: RefundRef) -> RefundOutcome:
        """The truth at the PSP. RefundFailed, with the code `never_made`, when it has no refund of
        this payment with our id, and the request will not arrive any more."""
        ...

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Reading:
        """Verify over the raw bytes with any live secret; headers in lower case, `now` real time.

        Raises ForgedNotice, UnreadableNotice.
        """
        ...

    async def list_events(
        self, since: datetime, until: datetime, after: str | None
    ) -> Listed | Unknown:
        """A page of what the PSP has to tell about this time, both ends included."""
        ...

    def meaning(self, body: bytes) -> Meaning:
        """What a stored notice says. Raises UnreadableNotice."""
        ...
