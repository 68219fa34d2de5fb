"""One API request as its handler sees it, and what a handler may answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from payloom.sandbox.store import Tx

Json = dict[str, Any]


@dataclass(slots=True)
class Call:
    tx: Tx
    form: Json  # decoded, not yet checked
    ids: tuple[str, ...]  # from the path
    path: str
    version: str
    base_url: str  # how the client reached us, for links to hosted pages
    secret: bytes  # the store's, for fingerprints
    expand: list[str] = field(default_factory=list)

    @property
    def now(self) -> int:
        """Sandbox time in whole seconds, as objects carry it."""
        return int(self.tx.now)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that keeps its writes although it is not a success (a declined card)."""

    status: int
    body: Json


Handler = Callable[[Call], Json | Reply]
