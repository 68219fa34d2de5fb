"""What happens later, in each tenant's own time: expiries, settlements, webhook retries.

A timer is a row written with its cause. The loop sleeps until the next one is due anywhere and is
woken when a sooner one is added or a clock is moved.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from payloom.sandbox.store import Store, Tenant, Tx
from payloom.sandbox.tenants import Tenants

log = logging.getLogger(__name__)

BATCH = 200
SET_ASIDE_S = 60


@dataclass(frozen=True, slots=True)
class Timer:
    id: int
    due_at: float
    kind: str
    ref: str
    attempt: int


Handler = Callable[[Tx, Timer], None]


def schedule(tx: Tx, kind: str, ref: str, due_at: float) -> None:
    tx.db.execute(
        "INSERT INTO timers (tenant, due_at, kind, ref) VALUES (?, ?, ?, ?)",
        (tx.tenant.id, due_at, kind, ref),
    )
    _soonest(tx, due_at)


def schedule_once(tx: Tx, kind: str, ref: str, due_at: float) -> None:
    """Unless it is on the agenda: for what is done once for all who ask for it."""
    row = tx.db.execute(
        "SELECT 1 FROM timers WHERE ref = ? AND kind = ? AND tenant = ?",
        (ref, kind, tx.tenant.id),
    ).fetchone()
    if row is None:
        schedule(tx, kind, ref, due_at)


def schedule_running(tx: Tx, kind: str, ref: str) -> Timer:
    """A timer that whoever adds it starts at once: it only fires again after a restart."""
    cursor = tx.db.execute(
        "INSERT INTO timers (tenant, due_at, kind, ref, running) VALUES (?, ?, ?, ?, 1)",
        (tx.tenant.id, tx.now, kind, ref),
    )
    return Timer(cursor.lastrowid or 0, tx.now, kind, ref, 0)


def postpone(tx: Tx, timer: Timer, due_at: float, attempt: int) -> bool:
    """False: the timer is gone, by a reset. Its id alone may be another's by now."""
    moved = tx.db.execute(
        "UPDATE timers SET due_at = ?, attempt = ?, running = 0 WHERE id = ? AND ref = ?",
        (due_at, attempt, timer.id, timer.ref),
    )
    _soonest(tx, due_at)
    return moved.rowcount == 1


def finish(tx: Tx, timer: Timer) -> bool:
    """False: it was gone already, as above."""
    gone = tx.db.execute("DELETE FROM timers WHERE id = ? AND ref = ?", (timer.id, timer.ref))
    return gone.rowcount == 1


def cancel(tx: Tx, kind: str, ref: str) -> None:
    tx.db.execute(
        "DELETE FROM timers WHERE ref = ? AND kind = ? AND tenant = ?", (ref, kind, tx.tenant.id)
    )


def _soonest(tx: Tx, due_at: float) -> None:
    tx.soonest_timer = due_at if tx.soonest_timer is None else min(tx.soonest_timer, due_at)


class Agenda:
    """Runs timers when they are due. A handler finishes its timer, postpones it, or keeps it."""

    def __init__(
        self, store: Store, tenants: Tenants, open_tx: Callable[[Tenant, float], Tx]
    ) -> None:
        self._store = store
        self._open_tx = open_tx
        self._tenants = tenants
        self._next: dict[int, float] = {}  # tenant → sandbox time of its next timer
        self._wake = asyncio.Event()
        self.handlers: dict[str, Handler] = {}
        with store.transaction() as db:
            # what a killed process had begun
            db.execute("UPDATE timers SET running = 0 WHERE running = 1")
        for tenant in tenants.all():
            self._look_ahead(tenant)

    def added(self, tenant: Tenant, due_at: float) -> None:
        """Timers were written, the soonest of them due then."""
        known = self._next.get(tenant.id)
        if known is None or due_at < known:
            self._next[tenant.id] = due_at
            self._wake.set()

    def clock_moved(self, tenant: Tenant) -> None:
        """Run what became due, and look again when the next is."""
        self.fire(tenant)
        self._wake.set()

    async def run(self) -> None:
        while True:
            delay = self._seconds_to_next()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), delay)
            self._wake.clear()
            for tenant in self._due_tenants():
                self.fire(tenant)

    def fire(self, tenant: Tenant) -> None:
        """Run all that is due for this tenant, oldest first, each at the time it was due."""
        while batch := self._due(tenant):
            try:
                self._fire_together(tenant, batch)
            except Exception:
                log.exception("timers failed together, now one by one")
                self._fire_singly(tenant, batch)
        self._look_ahead(tenant)

    def _fire_together(self, tenant: Tenant, batch: list[Timer]) -> None:
        """Run these in one commit, up to the first that something added meanwhile comes before."""
        actions: list[Callable[[], None]] = []
        added: list[float] = []
        with self._store.transaction() as db:
            for timer in batch:
                if added and min(added) < timer.due_at:
                    break
                still_there = db.execute(
                    "UPDATE timers SET running = 1 WHERE id = ? AND running = 0", (timer.id,)
                ).rowcount
                if still_there:
                    tx = self._open_tx(tenant, timer.due_at)
                    self.handlers[timer.kind](tx, timer)
                    actions += tx.after_commit
                    if tx.soonest_timer is not None:
                        added.append(tx.soonest_timer)
        for action in actions:
            action()

    def _fire_singly(self, tenant: Tenant, batch: list[Timer]) -> None:
        for timer in batch:
            try:
                self._fire_together(tenant, [timer])
            except Exception:
                log.exception("timer %s %s failed", timer.kind, timer.ref)
                self._set_aside(tenant, timer)

    def _set_aside(self, tenant: Tenant, timer: Timer) -> None:
        """A timer that fails must not stop the others: it gets its turn again later."""
        with self._store.transaction() as db:
            due_at = time.time() + tenant.clock_offset + SET_ASIDE_S
            db.execute("UPDATE timers SET due_at = ? WHERE id = ?", (due_at, timer.id))

    def _due(self, tenant: Tenant) -> list[Timer]:
        rows = self._store.db.execute(
            "SELECT id, due_at, kind, ref, attempt FROM timers"
            " WHERE tenant = ? AND running = 0 AND due_at <= ? ORDER BY due_at, id LIMIT ?",
            (tenant.id, time.time() + tenant.clock_offset, BATCH),
        ).fetchall()
        return [Timer(*row) for row in rows]

    def _look_ahead(self, tenant: Tenant) -> None:
        (due_at,) = self._store.db.execute(
            "SELECT MIN(due_at) FROM timers WHERE tenant = ? AND running = 0", (tenant.id,)
        ).fetchone()
        if due_at is None:
            self._next.pop(tenant.id, None)
        else:
            self._next[tenant.id] = due_at

    def _seconds_to_next(self) -> float | None:
        if not self._next:
            return None
        soonest = min(at - self._tenants.get(id_).clock_offset for id_, at in self._next.items())
        return max(0.0, soonest - time.time())

    def _due_tenants(self) -> list[Tenant]:
        now = time.time()
        tenants = [self._tenants.get(id_) for id_ in self._next]
        return [t for t in tenants if self._next[t.id] <= now + t.clock_offset]
