"""The log of requests, per tenant: the judge in tests of what really arrived."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from payloom.core.masking import mask
from payloom.sandbox.store import Store, Tenant, Tx

KEPT = 200_000  # newest entries of a tenant
_TRIM_EVERY = 1_000


@dataclass(slots=True)
class Entry:
    """One request."""

    at: float  # real time at which the request arrived
    method: str
    path: str
    idempotency_key: str | None = None
    replayed: bool = False
    status: int | None = None  # None: nothing was meant to be answered
    effect: str | None = None  # the fault that was ordered for it
    object: str | None = None  # the id made or touched

    @classmethod
    def begin(cls, method: str, path: str, **more: Any) -> "Entry":
        """A request that arrives now; of a card number in its URL nothing is kept."""
        return cls(time.time(), method, mask(path), **more)

    def columns(self) -> tuple[Any, ...]:
        return (
            *(self.at, self.method, self.path, self.idempotency_key),
            *(self.replayed, self.status, self.effect, self.object),
        )


class Log:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[int, int] = dict(
            store.db.execute("SELECT tenant, MAX(n) FROM log GROUP BY tenant").fetchall()
        )

    def write(self, tx: Tx, entry: Entry) -> None:
        """Part of the request's own transaction: logged exactly if it happened."""
        tenant = tx.tenant.id
        n = self._last[tenant] = self._last.get(tenant, 0) + 1
        tx.db.execute(
            "INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (tenant, n, *entry.columns()),
        )
        if n % _TRIM_EVERY == 0:
            tx.db.execute("DELETE FROM log WHERE tenant = ? AND n <= ?", (tenant, n - KEPT))

    def newest(
        self, tenant: Tenant, before: int | None, limit: int
    ) -> list[tuple[int, dict[str, Any]]]:
        """Each with its number, the newest first; `before`: of those with a lower one."""
        rows = self._store.db.execute(
            "SELECT n, at, method, path, idempotency_key, replayed, status, effect, object"
            " FROM log WHERE tenant = ? AND n < ? ORDER BY n DESC LIMIT ?",
            (tenant.id, before or 1 << 60, limit),
        )
        return [(n, _shown(tuple(row))) for n, *row in rows]

    def read(self, tenant: Tenant) -> list[dict[str, Any]]:
        rows = self._store.db.execute(
            "SELECT at, method, path, idempotency_key, replayed, status, effect, object"
            " FROM log WHERE tenant = ? ORDER BY n",
            (tenant.id,),
        )
        return [_shown(row) for row in rows]


def _shown(row: tuple[Any, ...]) -> dict[str, Any]:
    at, method, path, key, replayed, status, effect, object_ = row
    return {
        "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        "method": method,
        "path": path,
        "idempotency_key": key,
        "replayed": bool(replayed),
        "status": status,
        "effect": effect,
        "object": object_,
    }
