"""The sandbox's memory: one SQLite file, one process, one transaction per request.

Objects are JSON documents found by id, with the few columns that lists are read by. The file is
locked for as long as it is open, so that a second process fails at once instead of sharing it.
"""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SETTINGS = (
    "locking_mode = EXCLUSIVE",
    "journal_mode = WAL",
    "synchronous = NORMAL",  # a killed process loses nothing; a power cut may
    "wal_autocheckpoint = 4000",
    "cache_size = -32000",
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS tenants (
    id           INTEGER PRIMARY KEY,
    key_digest   TEXT NOT NULL UNIQUE,
    livemode     INTEGER NOT NULL,
    clock_offset REAL NOT NULL DEFAULT 0
) STRICT;
-- keys that a tenant was given besides, and keys that have ended
CREATE TABLE IF NOT EXISTS rolled_keys (
    key_digest TEXT PRIMARY KEY,
    tenant     INTEGER NOT NULL,
    has_ended  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    seq     INTEGER PRIMARY KEY,
    tenant  INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    parent  TEXT,
    body    TEXT NOT NULL
) STRICT;
-- every list of one kind, newest first
CREATE INDEX IF NOT EXISTS objects_listed ON objects (tenant, kind, created, seq);
-- charges and sessions of a payment, transactions of a charge
CREATE INDEX IF NOT EXISTS objects_by_parent ON objects (parent) WHERE parent IS NOT NULL;
-- sums of money, per day on which it becomes available; 0 is the day of what is
CREATE TABLE IF NOT EXISTS funds (
    tenant       INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    available_on INTEGER NOT NULL,
    amount       INTEGER NOT NULL,
    PRIMARY KEY (tenant, available_on, currency)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    seq         INTEGER PRIMARY KEY,
    tenant      INTEGER NOT NULL,
    id          TEXT NOT NULL UNIQUE,
    type        TEXT NOT NULL,
    created     INTEGER NOT NULL,
    undelivered INTEGER NOT NULL,
    body        TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_listed ON events (tenant, created, seq);
CREATE TABLE IF NOT EXISTS timers (
    id      INTEGER PRIMARY KEY,
    tenant  INTEGER NOT NULL,
    due_at  REAL NOT NULL,
    kind    TEXT NOT NULL,
    ref     TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS timers_due ON timers (tenant, due_at) WHERE running = 0;
-- taking a session's expiry off the agenda
CREATE INDEX IF NOT EXISTS timers_by_ref ON timers (ref);
CREATE TABLE IF NOT EXISTS answers (
    tenant      INTEGER NOT NULL,
    key         TEXT NOT NULL,
    path        TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    request_id  TEXT NOT NULL,
    status      INTEGER NOT NULL,
    body        BLOB NOT NULL,
    at          REAL NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
-- deleting those that are a day old
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (tenant, at);
CREATE TABLE IF NOT EXISTS faults (
    id         INTEGER PRIMARY KEY,
    tenant     INTEGER NOT NULL,
    path       TEXT NOT NULL,
    method     TEXT,
    count      INTEGER NOT NULL,
    effect     TEXT NOT NULL,
    status     INTEGER,
    delay_s    REAL,
    event_type TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS log (
    tenant          INTEGER NOT NULL,
    n               INTEGER NOT NULL,
    at              REAL NOT NULL,
    method          TEXT NOT NULL,
    path            TEXT NOT NULL,
    idempotency_key TEXT,
    replayed        INTEGER NOT NULL,
    status          INTEGER,
    effect          TEXT,
    object          TEXT,
    PRIMARY KEY (tenant, n)
) STRICT, WITHOUT ROWID;
-- each try to deliver a webhook, and what came of it
CREATE TABLE IF NOT EXISTS tries (
    tenant      INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    at          REAL NOT NULL,
    event       TEXT NOT NULL,
    type        TEXT NOT NULL,
    endpoint    TEXT NOT NULL,
    url         TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    status      INTEGER,
    error       TEXT,
    effect      TEXT,
    duration_ms REAL NOT NULL,
    PRIMARY KEY (tenant, n)
) STRICT, WITHOUT ROWID;
"""
TABLES_OF_A_TENANT = ("objects", "funds", "events", "timers", "answers", "faults", "log", "tries")


@dataclass(slots=True)
class Tenant:
    """One API key at one PSP: the owner of data, log, faults and clock."""

    id: int
    livemode: bool
    clock_offset: float  # sandbox time less real time, in seconds


@dataclass(slots=True)
class Tx:
    """One request's view of one tenant; all it writes is committed together."""

    db: sqlite3.Connection
    tenant: Tenant
    now: float  # sandbox time
    deliver: Callable[["Tx", str, str], None]  # sends a webhook (kind, ref) after the commit
    announce: Callable[["Tx", str], None]  # tells of an event who listens live, after the commit
    # what an event says about the call that caused it
    cause: Json = field(default_factory=lambda: {"id": None, "idempotency_key": None})
    soonest_timer: float | None = None  # of those put on the agenda
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    memo: dict[str, Any] = field(default_factory=dict)  # read once per transaction

    def insert(self, kind: str, body: Json, *, parent: str | None = None) -> None:
        self.db.execute(
            "INSERT INTO objects (tenant, kind, id, created, parent, body) VALUES (?,?,?,?,?,?)",
            (self.tenant.id, kind, body["id"], body["created"], parent, _dump(body)),
        )

    def put(self, kind: str, body: Json, *, parent: str | None = None) -> None:
        """Insert it, or save it if it is there."""
        self.db.execute(
            "INSERT INTO objects (tenant, kind, id, created, parent, body) VALUES (?,?,?,?,?,?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (self.tenant.id, kind, body["id"], body["created"], parent, _dump(body)),
        )

    def load(self, kind: str, id_: str) -> Json | None:
        row = self.db.execute(
            "SELECT body FROM objects WHERE id = ? AND kind = ? AND tenant = ?",
            (id_, kind, self.tenant.id),
        ).fetchone()
        return json.loads(row[0]) if row else None

    def save(self, body: Json) -> None:
        self.db.execute("UPDATE objects SET body = ? WHERE id = ?", (_dump(body), body["id"]))

    def set_parent(self, id_: str, parent: str | None) -> None:
        self.db.execute("UPDATE objects SET parent = ? WHERE id = ?", (parent, id_))

    def delete(self, id_: str) -> None:
        self.db.execute("DELETE FROM objects WHERE id = ?", (id_,))


class StoreInUse(RuntimeError):
    """Another process has the file open."""


class Store:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # webhook secrets are in it
        self.db = sqlite3.connect(path, isolation_level=None, timeout=5, cached_statements=256)
        try:
            for setting in SETTINGS:
                self.db.execute(f"PRAGMA {setting}")
            self.db.executescript(SCHEMA)
            self.secret = self._secret()
        except sqlite3.OperationalError as error:
            self.db.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise StoreInUse(f"{path} is in use by another sandbox") from error
            raise

    def _secret(self) -> bytes:
        """Random bytes of this file: they key the card fingerprints and the form tokens."""
        self.db.execute(
            "INSERT OR IGNORE INTO meta VALUES ('secret', ?)", (secrets.token_bytes(32),)
        )
        value: bytes = self.db.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()[0]
        return value

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is one commit; nothing inside may await."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def owner(self, id_: str) -> int | None:
        """The tenant whose object this is: pages are reached by id alone, without a key."""
        row = self.db.execute("SELECT tenant FROM objects WHERE id = ?", (id_,)).fetchone()
        return int(row[0]) if row else None

    def close(self) -> None:
        self.db.close()


_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
