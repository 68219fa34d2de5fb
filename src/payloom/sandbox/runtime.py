"""What every part of the sandbox is handed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from payloom.sandbox.agenda import Agenda
from payloom.sandbox.deliveries import Deliveries
from payloom.sandbox.faults import Faults
from payloom.sandbox.listeners import Listeners
from payloom.sandbox.log import Log
from payloom.sandbox.store import Store, Tenant, Tx
from payloom.sandbox.tenants import Tenants
from payloom.sandbox.tries import Tries


class Runtime:
    def __init__(self, store: Path) -> None:
        self.store = Store(store)
        self.tenants = Tenants(self.store)
        self.faults = Faults(self.store)
        self.log = Log(self.store)
        self.tries = Tries(self.store)
        self.agenda = Agenda(self.store, self.tenants, self.open_tx)
        self.deliveries = Deliveries(self)
        self.listeners = Listeners()
        # what each part forgets of a tenant that is reset
        self.forgetters: list[Callable[[Tenant], None]] = [self.faults.forget]

    def now(self, tenant: Tenant) -> float:
        """The time it is for this tenant, in seconds."""
        return time.time() + tenant.clock_offset

    def open_tx(self, tenant: Tenant, now: float) -> Tx:
        return Tx(self.store.db, tenant, now, self.deliveries.start, self.listeners.announce)

    @contextmanager
    def transaction(self, tenant: Tenant) -> Iterator[Tx]:
        """One commit; what it put on the agenda and into the post starts after it."""
        tx = self.open_tx(tenant, self.now(tenant))
        with self.store.transaction():
            yield tx
        if tx.soonest_timer is not None:
            self.agenda.added(tenant, tx.soonest_timer)
        for action in tx.after_commit:
            action()

    async def close(self) -> None:
        await self.deliveries.close()
        self.store.close()
