"""What the pages show, read from the store: one account's rows, newest first, a page at a time."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from payloom.sandbox.store import Store, Tenant
from payloom.sandbox.stripe.events.emit import COLUMNS, WEBHOOK, shown
from payloom.sandbox.stripe.events.resend import RESENT
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

LIMIT = 50
RECENT_EVENTS = 2_000  # in which an object's own are looked for


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows, and where those before them begin."""

    rows: Sequence[Json]
    older: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook that is to be tried again."""

    event: str
    endpoint: str
    due_at: float
    attempt: int  # the number of that try


def kinds(store: Store, tenant: Tenant) -> list[str]:
    """Of which there is at least one: found by steps along the index, however many there are."""
    found: list[str] = []
    while True:
        (kind,) = store.db.execute(
            "SELECT MIN(kind) FROM objects WHERE tenant = ? AND kind > ?",
            (tenant.id, found[-1] if found else ""),
        ).fetchone()
        if kind is None:
            return found
        found.append(kind)


def objects(store: Store, tenant: Tenant, kind: str, before: int | None, limit: int) -> Rows:
    """`before`: the sequence number of an object whose elders are wanted."""
    rows = store.db.execute(
        "SELECT seq, body FROM objects WHERE tenant = ? AND kind = ? AND (created, seq) <"
        " (coalesce((SELECT created FROM objects WHERE seq = ?), 1 << 60), ?)"
        " ORDER BY created DESC, seq DESC LIMIT ?",
        (tenant.id, kind, before, before or 1 << 60, limit + 1),
    ).fetchall()
    return _page(rows, limit, lambda row: render(kind, json.loads(row[1])))


def object_(store: Store, tenant: Tenant, id_: str) -> tuple[str, Json] | None:
    """Its kind, and the object as the API shows it."""
    row = store.db.execute(
        "SELECT kind, body FROM objects WHERE tenant = ? AND id = ?", (tenant.id, id_)
    ).fetchone()
    return (row[0], render(row[0], json.loads(row[1]))) if row else None


def belonging(store: Store, tenant: Tenant, id_: str) -> list[tuple[str, str]]:
    """Kind and id of what names this object as its parent."""
    return store.db.execute(
        "SELECT kind, id FROM objects WHERE parent = ? AND tenant = ? ORDER BY seq LIMIT ?",
        (id_, tenant.id, LIMIT),
    ).fetchall()


def events(store: Store, tenant: Tenant, before: int | None, limit: int) -> Rows:
    rows = store.db.execute(
        "SELECT seq, id, type, created, undelivered, json_extract(body, '$.object.id')"
        " FROM events WHERE tenant = ? AND (created, seq) <"
        " (coalesce((SELECT created FROM events WHERE seq = ?), 1 << 60), ?)"
        " ORDER BY created DESC, seq DESC LIMIT ?",
        (tenant.id, before, before or 1 << 60, limit + 1),
    ).fetchall()
    return _page(rows, limit, _event_row)


def events_about(store: Store, tenant: Tenant, id_: str) -> list[Json]:
    rows = store.db.execute(
        "SELECT * FROM (SELECT seq, id, type, created, undelivered,"
        " json_extract(body, '$.object.id') AS about"
        " FROM events WHERE tenant = ? ORDER BY created DESC, seq DESC LIMIT ?)"
        " WHERE about = ? LIMIT ?",
        (tenant.id, RECENT_EVENTS, id_, LIMIT),
    ).fetchall()
    return [_event_row(row) for row in rows]


def event(store: Store, tenant: Tenant, id_: str) -> Json | None:
    row = store.db.execute(
        f"SELECT {COLUMNS} FROM events WHERE tenant = ? AND id = ?",  # noqa: S608 our own columns
        (tenant.id, id_),
    ).fetchone()
    return shown(row, livemode=tenant.livemode) if row else None


def waiting(store: Store, tenant: Tenant, limit: int = LIMIT) -> list[Waiting]:
    """Webhooks that wait for their next try, the soonest first."""
    rows = store.db.execute(
        "SELECT ref, due_at, attempt FROM timers"
        " WHERE tenant = ? AND running = 0 AND kind IN (?, ?) ORDER BY due_at LIMIT ?",
        (tenant.id, WEBHOOK, RESENT, limit),
    )
    return [_waiting(*row) for row in rows]


def known(store: Store, tenant: Tenant, ids: Iterable[str]) -> set[str]:
    """Those of them that lead somewhere."""
    wanted = json.dumps(sorted(ids))
    rows = store.db.execute(
        "SELECT value FROM json_each(?1) WHERE"
        " EXISTS (SELECT 1 FROM objects WHERE id = value AND tenant = ?2)"
        " OR EXISTS (SELECT 1 FROM events WHERE id = value AND tenant = ?2)",
        (wanted, tenant.id),
    )
    return {id_ for (id_,) in rows}


def _waiting(ref: str, due_at: float, attempt: int) -> Waiting:
    event, _, endpoint = ref.partition(" ")
    return Waiting(event, endpoint, due_at, attempt + 1)


def _event_row(row: tuple[Any, ...]) -> Json:
    _, id_, type_, created, undelivered, about = row
    return {
        "id": id_,
        "type": type_,
        "created": created,
        "undelivered": undelivered,
        "about": about,
    }


def _page(rows: list[tuple[Any, ...]], limit: int, show: Any) -> Rows:
    kept = rows[:limit]
    older = kept[-1][0] if len(rows) > limit else None
    return Rows([show(row) for row in kept], older)
