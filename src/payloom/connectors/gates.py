"""The gates of one process, by connection."""

import time
from collections.abc import Callable
from uuid import UUID

from payloom.connectors.gate import Gate
from payloom.connectors.pace import Rates
from payloom.core import ids
from payloom.core.metrics import PSP_BREAKERS_OPEN

GATES_MAX = 10_000  # then those that nobody uses are forgotten


class Gates:
    """`percent` of what is published is this process's share (PAYLOOM_PSP_RATE_PERCENT). `clock`
    is monotonic, in seconds."""

    def __init__(self, *, percent: int = 100, clock: Callable[[], float] = time.monotonic) -> None:
        self._percent = percent
        self._clock = clock
        self._gates: dict[UUID, Gate] = {}

    def of(self, connection_id: UUID, psp: str, published: Rates | None) -> Gate:
        """The connection's own, always the same. `published` None: nobody said how much it
        bears, so its answers alone tell."""
        gate = self._gates.get(connection_id)
        if gate is None:
            if len(self._gates) >= GATES_MAX:
                self._gates = {id_: g for id_, g in self._gates.items() if not g.is_idle()}
            rates = published.share(self._percent) if published else Rates()
            gate = Gate(ids.text("con", connection_id), psp, rates, clock=self._clock)
            self._gates[connection_id] = gate
            PSP_BREAKERS_OPEN.labels(psp).set_function(lambda: self._failing(psp))
        return gate

    def _failing(self, psp: str) -> int:
        now = self._clock()
        return sum(g.psp == psp and g.breaker.is_failing(now) for g in self._gates.values())
