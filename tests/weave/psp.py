"""A PSP of few words, in memory: what is shown here is about orders of steps, not about HTTP.

Its calls are steps, too: the moment at which it acts, and the other flow may come before or after.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from payloom.connectors.contract import (
    AttemptRef,
    Concerns,
    Expired,
    Listed,
    Meaning,
    Notice,
    Outcome,
    Paid,
    Reading,
    Refunded,
    RefundFailed,
    RefundOutcome,
    RefundRef,
    RefundRequest,
    Refused,
    Registered,
    Registration,
    Rendered,
    StillOpen,
    Unknown,
)
from payloom.connectors.spec import Spec
from tests.weave.loom import Strand

NAME = "loom"
OPEN, PAID, EXPIRED = "open", "paid", "expired"


@dataclass
class Psp:
    """The truth, by attempt: what it was asked for, how often it made the page, how that ended."""

    asked: dict[str, Registration] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    pages: dict[str, str] = field(default_factory=dict)
    refunds: dict[str, str] = field(default_factory=dict)  # key → payment

    def make(self, attempt: str) -> Registered:
        """Under the same key always the same page."""
        if attempt not in self.pages:
            self.made[attempt] += 1
            self.pages[attempt] = OPEN
        return Registered(f"page_{attempt}", f"https://psp.example/{attempt}")

    def end(self, attempt: str, how: str) -> bool:
        """Pay it, or let it expire. False: it was not open any more."""
        is_open = self.pages[attempt] == OPEN
        if is_open:
            self.pages[attempt] = how
        return is_open

    def outcome(self, attempt: str, state: str) -> Outcome:
        if state == PAID:
            asked = self.asked[attempt]
            return Paid(asked.amount, f"pay_{attempt}", asked.payment_order)
        return Expired() if state == EXPIRED else StillOpen()

    def connector(self, strand: Strand) -> Spec:
        """How the flow of this strand reaches it."""
        return Spec(
            name=NAME,
            title="Loom Pay",
            credential_fields=(),
            build=lambda _credentials, _session, _gate: _Connector(self, strand),
            key_window=timedelta(hours=24),
            can_list_events=True,
        )


def notice_of(attempt: str, state: str, number: int = 1) -> bytes:
    """How it tells of the end of a page. Another number makes it another event, of the same."""
    told = {"id": f"evt_{attempt}_{state}_{number}", "attempt": attempt, "state": state}
    return json.dumps(told).encode()


@dataclass(frozen=True, slots=True)
class _Connector:
    psp: Psp
    strand: Strand

    def render(self, registration: Registration, key: str) -> Rendered:
        self.psp.asked[key] = registration
        return Rendered(key, "1", key)

    async def register(self, rendered: Rendered) -> Registered:
        async with self.strand.step("PSP register"):
            return self.psp.make(rendered.key)

    async def look_up(self, ref: AttemptRef) -> Outcome:
        async with self.strand.step("PSP look_up"):
            return self.psp.outcome(ref.attempt, self.psp.pages[ref.attempt])

    async def find(self, ref: AttemptRef, sent_at: datetime) -> Outcome:
        async with self.strand.step("PSP find"):
            if ref.attempt in self.psp.pages:
                return self.psp.make(ref.attempt)
            return Refused("never_registered", "there is no such page")

    async def expire(self, ref: AttemptRef) -> Outcome:
        async with self.strand.step("PSP expire"):
            self.psp.end(ref.attempt, EXPIRED)
            return self.psp.outcome(ref.attempt, self.psp.pages[ref.attempt])

    async def complete(self, ref: AttemptRef, key: str) -> Outcome:
        return await self.look_up(ref)

    def render_refund(self, request: RefundRequest, key: str) -> Rendered:
        return Rendered(request.psp_payment, "1", key)

    async def refund(self, rendered: Rendered) -> RefundOutcome:
        async with self.strand.step("PSP refund"):
            self.psp.refunds[rendered.key] = rendered.body
            return Refunded(f"re_{rendered.key}")

    async def look_up_refund(self, ref: RefundRef) -> RefundOutcome:
        async with self.strand.step("PSP look_up_refund"):
            if ref.refund in self.psp.refunds:
                return Refunded(f"re_{ref.refund}")
            return RefundFailed("never_made")

    async def list_events(
        self, since: datetime, until: datetime, after: str | None
    ) -> Listed | Unknown:
        async with self.strand.step("PSP list_events"):
            told = [
                (
                    Notice(f"evt_{attempt}_{state}_1", state, attempt),
                    partial(notice_of, attempt, state),
                )
                for attempt, state in self.psp.pages.items()
                if state != OPEN
            ]
            return Listed(tuple(told), None)

    def read_notice(self, _headers: Mapping[str, str], body: bytes, _now: datetime) -> Reading:
        told = json.loads(body)
        return Reading((Notice(told["id"], told["state"], told["attempt"]),))

    def meaning(self, body: bytes) -> Meaning:
        told = json.loads(body)
        return Concerns(told["attempt"], self.psp.outcome(told["attempt"], told["state"]))
