"""Who hears events live: a developer's tool on a socket, for as long as it holds it open.

What was sent and not acknowledged waits for the tool to come back, for a minute: a tool that
reconnects hears all, and some of it twice.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from payloom.sandbox.store import Tenant, Tx

WAITS_S = 60
UNHEARD_MAX = 10_000  # a tool that never acknowledges keeps no more than these


@dataclass(slots=True)
class Listener:
    """One tool, and the events that it has not acknowledged, oldest first."""

    copies: int  # of each event, each acknowledged by itself
    unheard: dict[str, int] = field(default_factory=dict)  # event id → acknowledgements to come
    sockets: int = 0
    forgetting: asyncio.TimerHandle | None = None
    _news: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def tell(self, event_id: str) -> None:
        self.unheard[event_id] = self.copies
        if len(self.unheard) > UNHEARD_MAX:
            del self.unheard[next(iter(self.unheard))]
        self._news.put_nowait(event_id)

    def rewind(self) -> None:
        """A socket begins with all that the last one left unheard."""
        self._news = asyncio.Queue()
        for event_id in self.unheard:
            self._news.put_nowait(event_id)

    async def next(self) -> str:
        return await self._news.get()

    def heard(self, event_id: str) -> None:
        left = self.unheard.pop(event_id, 0) - 1
        if left > 0:
            self.unheard[event_id] = left


class Listeners:
    def __init__(self) -> None:
        self._by_tenant: dict[int, dict[str, Listener]] = {}

    def announce(self, tx: Tx, event_id: str) -> None:
        """Tell the tenant's tools of an event as soon as the transaction has committed."""
        if tx.tenant.id in self._by_tenant:
            tx.after_commit.append(partial(self.tell, tx.tenant, event_id))

    def tell(self, tenant: Tenant, event_id: str) -> None:
        for listener in self._by_tenant.get(tenant.id, {}).values():
            listener.tell(event_id)

    @contextmanager
    def open(self, tenant: Tenant, name: str, *, copies: int) -> Iterator[Listener]:
        """The listener of this name, while its socket is open."""
        listener = self._by_tenant.setdefault(tenant.id, {}).setdefault(name, Listener(copies))
        if listener.forgetting is not None:
            listener.forgetting.cancel()
        listener.sockets += 1
        listener.rewind()
        try:
            yield listener
        finally:
            listener.sockets -= 1
            if listener.sockets == 0:
                forget = partial(self._forget, tenant.id, name)
                listener.forgetting = asyncio.get_running_loop().call_later(WAITS_S, forget)

    def _forget(self, tenant: int, name: str) -> None:
        named = self._by_tenant.get(tenant, {})
        named.pop(name, None)
        if not named:
            self._by_tenant.pop(tenant, None)
