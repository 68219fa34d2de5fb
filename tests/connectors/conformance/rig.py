"""What the suite needs of a PSP to try a connector on it: a stand-in that can be made to fail.

To try a connector of yours, write a rig for it and list it in `conftest.py`. The suite itself
stays as it is.
"""

from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from payloom.connectors.breaker import Breaker
from payloom.connectors.contract import Connector, Registration
from payloom.connectors.gate import Gate
from payloom.connectors.pace import Rates
from payloom.connectors.spec import Credentials, Spec

# A call and how it goes wrong; a stand-in closes real sockets.
DROP, APPLY_THEN_DROP, TRUNCATE, LATE = "drop", "apply_then_drop", "truncate", "late"
FAULTS = (DROP, APPLY_THEN_DROP, TRUNCATE)


@dataclass(frozen=True, slots=True)
class Told:
    """A call of the PSP as it would come in."""

    headers: dict[str, str]
    body: bytes


class Rig(Protocol):
    """One PSP's stand-in, and what is peculiar to the PSP."""

    spec: Spec
    currency_not_taken: str
    pages_can_be_ended: bool  # by us
    shoppers_approve: bool  # and we take the money: Approved, then `complete`

    @property
    def credentials(self) -> Credentials: ...

    async def fault(self, verb: str, effect: str, count: int = 1) -> None:
        """Order it for the next calls of `register`, `look_up`, `complete` or `refund`."""
        ...

    async def executed(self) -> list[str]:
        """The keys under which registrations and refunds were carried out, each once."""
        ...

    async def approve(self, token: str) -> None:
        """The shopper agrees: on most PSPs that is paying."""
        ...

    async def tell(self, registration: Registration, token: str) -> Told:
        """What the PSP would tell us of this payment as it stands now, genuinely signed."""
        ...

    def sign(self, body: bytes) -> Told:
        """Any body, signed as the PSP signs."""
        ...

    def foreign(self) -> bytes:
        """A body about something at the PSP that is none of ours."""
        ...

    def of_unknown_type(self) -> bytes:
        """A body of a kind that moves nothing of ours."""
        ...


@dataclass(slots=True)
class Bench:
    """A rig with a connector on it."""

    rig: Rig
    http: aiohttp.ClientSession
    connector: Connector = field(init=False)

    def __post_init__(self) -> None:
        self.connector = self.build()

    def build(self, *, deadline_s: float = 10.0, api_base: str | None = None) -> Connector:
        """Its gate has no breaker: the suite asks whatever was answered before."""
        held = self.rig.credentials
        if api_base is not None:
            held = Credentials(held.secrets, api_base)
        gate = Gate(
            "con_1", self.rig.spec.name, Rates(), deadline_s=deadline_s,
            breaker=Breaker(trip_at=10**9),
        )  # fmt: skip
        return self.rig.spec.build(held, self.http, gate)
