"""What the suite needs of a PSP to try a connector on it: a stand-in that can be made to fail.

To try a connector of yours, write a rig for it and list it in `conftest.py`. The suite itself
stays as it is. It pays in EUR and JPY, and refunds in parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from payloom.connectors.breaker import Breaker
from payloom.connectors.contract import Connector, Registration
from payloom.connectors.gate import Gate
from payloom.connectors.pace import Rates
from payloom.connectors.spec import Credentials, Spec
from payloom.core.secret import Secret

# A call and how it goes wrong; a stand-in closes real sockets. Any HTTP status is an effect, too:
# "429" or "500" is answered, and nothing is executed.
DROP = "drop"  # hang up, nothing being executed
APPLY_THEN_DROP = "apply_then_drop"  # execute it, then hang up
TRUNCATE = "truncate"  # execute it, then send half of the answer
LATE = "late"  # answer after two seconds; the suite waits for a fraction of one
FAULTS = (DROP, APPLY_THEN_DROP, TRUNCATE)


@dataclass(frozen=True, slots=True)
class Told:
    """A call of the PSP as it would come in: of its headers, in lower case, those without which
    it does not verify."""

    headers: dict[str, str]
    body: bytes


class Rig(Protocol):
    """One PSP's stand-in, and what is peculiar to the PSP."""

    spec: Spec
    currency_not_taken: str
    method_type_not_offered: str  # in EUR, one of docs/reference/connectors.md
    notices_are_dated: bool  # a time is signed with them, and one of another day is refused
    pages_can_be_ended: bool  # by us
    shoppers_approve: bool  # and we take the money: Approved, then `complete`

    @property
    def credentials(self) -> Credentials:
        """What the stand-in lets in, and where it is. What notices are signed with is called
        `webhook_secret`, if it is not the API key."""
        ...

    async def fault(self, verb: str, effect: str, count: int = 1) -> None:
        """Order it for the next calls of `register`, `look_up`, `complete` or `refund`; `effect`
        is one of those above or a status, like "429"."""
        ...

    async def executed(self) -> list[str]:
        """The keys under which registrations, completions and refunds were carried out: one a
        time it was done, and none for an answer given again."""
        ...

    async def approve(self, token: str) -> None:
        """The shopper agrees: on most PSPs that is paying. A PSP that lists its events has a new
        one then."""
        ...

    async def tell(self, registration: Registration, token: str) -> Told:
        """What the PSP would tell us of this payment as it stands now, genuinely signed, under
        a fresh id."""
        ...

    def sign(self, body: bytes) -> Told:
        """Any body, signed as the PSP signs."""
        ...

    def foreign(self) -> bytes:
        """A readable body, of a kind that we want, about something that is none of ours."""
        ...

    def of_unknown_type(self) -> bytes:
        """A readable body of a kind that moves nothing of ours."""
        ...


@dataclass(slots=True)
class Bench:
    """A rig with a connector on it."""

    rig: Rig
    http: aiohttp.ClientSession
    connector: Connector = field(init=False)

    def __post_init__(self) -> None:
        self.connector = self.build()

    def build(
        self, *, deadline_s: float = 10.0, api_base: str | None = None,
        secrets: Mapping[str, Secret] | None = None,
    ) -> Connector:  # fmt: skip
        """Its gate has no breaker: the suite asks whatever was answered before."""
        rig = self.rig.credentials
        held = Credentials(secrets or rig.secrets, api_base or rig.api_base)
        gate = Gate(
            "con_1", self.rig.spec.name, Rates(), deadline_s=deadline_s,
            breaker=Breaker(trip_at=10**9),
        )  # fmt: skip
        return self.rig.spec.build(held, self.http, gate)
