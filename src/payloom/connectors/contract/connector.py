"""Who answers: the verbs of one merchant's account at one PSP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from payloom.connectors.contract.notices import Listed, Meaning, Reading
from payloom.connectors.contract.payments import (
    AttemptRef,
    Outcome,
    Refused,
    Registered,
    Registration,
    Rendered,
    Unknown,
)
from payloom.connectors.contract.refunds import RefundOutcome, RefundRef, RefundRequest


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
