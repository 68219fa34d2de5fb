"""Faults on command: what a test orders to go wrong, and for how many calls."""

from dataclasses import asdict, dataclass
from typing import Any

from payloom.sandbox.store import Store, Tenant

REQUEST_EFFECTS = (
    *("late", "status", "apply_then_drop", "drop", "truncate"),
    *("lock_timeout", "proxy_page"),
)
HOOK_EFFECTS = ("hook_lose", "hook_duplicate", "hook_delay", "hook_reorder", "hook_missign")
FOR_EVER = -1
COUNT_MAX = 1_000_000
TEXT_MAX = 500
# what else an order may say goes with these effects only
TAKES = {
    "method": REQUEST_EFFECTS,
    "status": ("status",),
    "delay_s": ("late", "hook_delay", "hook_reorder"),
    "event_type": HOOK_EFFECTS,
}

_COLUMNS = "id, path, method, count, effect, status, delay_s, event_type"
_FIELDS = frozenset({"path", "method", "count", "effect", "status", "delay_s", "event_type"})


class BadFault(ValueError):
    """The order for a fault does not say something that can be done."""


@dataclass(slots=True)
class Fault:
    id: int
    path: str  # may end in *
    method: str | None  # None: any
    count: int  # calls left; FOR_EVER
    effect: str
    status: int | None
    delay_s: float | None
    event_type: str | None

    def fits(self, path: str, method: str | None, event_type: str | None) -> bool:
        if self.path.endswith("*"):
            path_fits = path.startswith(self.path[:-1])
        else:
            path_fits = path == self.path
        return (
            path_fits
            and (self.method is None or method is None or self.method == method)
            and (self.event_type is None or event_type is None or self.event_type == event_type)
        )

    def shown(self) -> dict[str, Any]:
        return asdict(self)


class Faults:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._active: dict[int, list[Fault]] = {}
        for tenant, *columns in store.db.execute(
            f"SELECT tenant, {_COLUMNS} FROM faults ORDER BY id"  # noqa: S608 our own columns
        ):
            self._active.setdefault(tenant, []).append(Fault(*columns))

    def order(self, tenant: Tenant, wanted: Any) -> Fault:
        fault = read(wanted)
        with self._store.transaction() as db:
            row = db.execute(
                "INSERT INTO faults (tenant, path, method, count, effect, status, delay_s,"
                " event_type) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (tenant.id, *list(asdict(fault).values())[1:]),
            ).fetchone()
        fault.id = row[0]
        self._active.setdefault(tenant.id, []).append(fault)
        return fault

    def all(self, tenant: Tenant) -> list[Fault]:
        return list(self._active.get(tenant.id, ()))

    def clear(self, tenant: Tenant) -> None:
        with self._store.transaction() as db:
            db.execute("DELETE FROM faults WHERE tenant = ?", (tenant.id,))
        self.forget(tenant)

    def forget(self, tenant: Tenant) -> None:
        self._active.pop(tenant.id, None)

    def take_for_request(self, tenant: Tenant, method: str, path: str) -> Fault | None:
        return self._take(tenant, REQUEST_EFFECTS, path=path, method=method, event_type=None)

    def take_for_hook(self, tenant: Tenant, path: str, event_type: str) -> Fault | None:
        return self._take(tenant, HOOK_EFFECTS, path=path, method=None, event_type=event_type)

    def _take(
        self,
        tenant: Tenant,
        effects: tuple[str, ...],
        *,
        path: str,
        method: str | None,
        event_type: str | None,
    ) -> Fault | None:
        """The oldest order that fits, one call less of it."""
        active = self._active.get(tenant.id)
        if not active:
            return None
        for fault in active:
            if fault.effect in effects and fault.fits(path, method, event_type):
                self._use_up(active, fault)
                return fault
        return None

    def _use_up(self, active: list[Fault], fault: Fault) -> None:
        if fault.count == FOR_EVER:
            return
        fault.count -= 1
        with self._store.transaction() as db:
            if fault.count:
                db.execute("UPDATE faults SET count = ? WHERE id = ?", (fault.count, fault.id))
            else:
                db.execute("DELETE FROM faults WHERE id = ?", (fault.id,))
                active.remove(fault)


def read(wanted: Any) -> Fault:
    """A fault from its JSON order; what it leaves out gets a default."""
    if not isinstance(wanted, dict):
        raise BadFault("the body must be a JSON object")
    if unknown := sorted(set(wanted) - _FIELDS):
        named = ", ".join(str(name)[:50] for name in unknown)
        raise BadFault(f"unknown fields: {named}; there are: {', '.join(sorted(_FIELDS))}")
    fault = Fault(
        id=0,
        path=_text(wanted, "path") or "",
        method=(_text(wanted, "method") or "").upper() or None,
        count=_number(wanted, "count", 1),
        effect=_text(wanted, "effect") or "",
        status=_status(wanted),
        delay_s=_delay(wanted),
        event_type=_text(wanted, "event_type"),
    )
    _check(fault)
    return fault


def _check(fault: Fault) -> None:
    if fault.effect not in REQUEST_EFFECTS + HOOK_EFFECTS:
        raise BadFault(f"effect must be one of {', '.join(REQUEST_EFFECTS + HOOK_EFFECTS)}")
    if not fault.path.startswith(("/", "*")):
        raise BadFault("path must begin with / (it may end in *)")
    if fault.count != FOR_EVER and not 1 <= fault.count <= COUNT_MAX:
        raise BadFault(f"count must be from 1 to {COUNT_MAX}, or -1 for ever")
    if fault.status is not None and not 200 <= fault.status <= 599:
        raise BadFault("status must be from 200 to 599")
    for name, effects in TAKES.items():
        if getattr(fault, name) is not None and fault.effect not in effects:
            raise BadFault(f"{name} goes with the effects {', '.join(effects)}")


def _text(wanted: dict[str, Any], name: str) -> str | None:
    value = wanted.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > TEXT_MAX or not value.isprintable():
        raise BadFault(f"{name} must be text, of at most {TEXT_MAX} characters")
    return value


def _status(wanted: dict[str, Any]) -> int | None:
    """An ordered status is 500 unless it says otherwise."""
    if wanted.get("status") is None and wanted.get("effect") != "status":
        return None
    return _number(wanted, "status", 500)


def _delay(wanted: dict[str, Any]) -> float | None:
    value = wanted.get("delay_s")
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 86_400:
        raise BadFault("delay_s must be from 0 to 86400")
    return float(value)


def _number(wanted: dict[str, Any], name: str, default: int) -> int:
    value = wanted.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadFault(f"{name} must be a whole number")
    return value
