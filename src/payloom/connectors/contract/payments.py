"""Payments: the page we ask for, and what may become of it."""

from dataclasses import dataclass
from datetime import datetime

from payloom.core.errors import InvalidRequest
from payloom.core.money import Money


class MethodTypeUnavailable(InvalidRequest):
    code = "method_type_unavailable"
    title = "No payment method of the wanted types is available"


class AmountNotSupported(InvalidRequest):
    code = "amount_not_supported"
    title = "The PSP cannot take this amount"


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
