"""What endpoints answered: one short record of each try to deliver a webhook, per tenant."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from payloom.sandbox.store import Store, Tenant, Tx

KEPT = 20_000  # newest tries of a tenant
_TRIM_EVERY = 500
_COLUMNS = "at, event, type, endpoint, url, attempt, status, error, effect, duration_ms"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try went: an answer's status, or why there was none."""

    status: int | None = None
    error: str | None = None
    duration_ms: float = 0.0

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


NOT_SENT = Outcome(error="not sent")


@dataclass(frozen=True, slots=True)
class Try:
    """One try, as it is shown; `effect` is the fault that was ordered for it."""

    at: str  # by the sandbox's clock
    event: str
    type: str
    endpoint: str
    url: str
    attempt: int  # 1 is the first
    status: int | None
    error: str | None
    effect: str | None
    duration_ms: float

    def shown(self) -> dict[str, Any]:
        return asdict(self)


class Tries:
    """Written beside the timer that they move, so that both are there or neither is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[int, int] = dict(
            store.db.execute("SELECT tenant, MAX(n) FROM tries GROUP BY tenant").fetchall()
        )

    def write(
        self,
        tx: Tx,
        ref: str,
        *,
        type_: str,
        url: str,
        attempt: int,
        effect: str,
        outcome: Outcome,
    ) -> None:
        """`ref` is `{event id} {endpoint id}`, as a delivery's timer has it."""
        event, _, endpoint = ref.partition(" ")
        tenant = tx.tenant.id
        n = self._last[tenant] = self._last.get(tenant, 0) + 1
        how = (outcome.status, outcome.error, effect or None, outcome.duration_ms)
        tx.db.execute(
            f"INSERT OR REPLACE INTO tries (tenant, n, {_COLUMNS})"  # noqa: S608 our own columns
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (tenant, n, tx.now, event, type_, endpoint, url, attempt + 1, *how),
        )
        if n % _TRIM_EVERY == 0:
            tx.db.execute("DELETE FROM tries WHERE tenant = ? AND n <= ?", (tenant, n - KEPT))

    def read(self, tenant: Tenant, event: str | None = None, newest: int = KEPT) -> list[Try]:
        """The newest of them, of all events or of one; oldest first."""
        rows = self._store.db.execute(
            f"SELECT {_COLUMNS} FROM tries WHERE tenant = ? AND event = coalesce(?, event)"  # noqa: S608
            " ORDER BY n DESC LIMIT ?",
            (tenant.id, event, newest),
        ).fetchall()
        return [_read(row) for row in reversed(rows)]


def _read(row: tuple[Any, ...]) -> Try:
    at, *rest = row
    return Try(datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"), *rest)
