"""The shop's own database: one SQLite file that survives kill -9.

Calls are made straight from the request handlers: a statement takes well under a millisecond,
and this shop has few shoppers.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS cart_items (
    cart_id  TEXT NOT NULL,
    sku      TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (cart_id, sku)
) STRICT;

CREATE TABLE IF NOT EXISTS orders (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    token                TEXT NOT NULL UNIQUE,
    cart_id              TEXT NOT NULL,
    currency             TEXT NOT NULL,
    lines                TEXT NOT NULL,
    email                TEXT NOT NULL,
    shop_status          TEXT NOT NULL DEFAULT 'awaiting_payment' CHECK (shop_status IN
        ('awaiting_payment', 'paid', 'cancelled', 'not_paid', 'abandoned')),
    payment_order_id     TEXT UNIQUE,
    payment_order_status TEXT NOT NULL DEFAULT 'CREATED',
    status_sequence      INTEGER NOT NULL DEFAULT 0,
    redirect_url         TEXT,
    created_at           TEXT NOT NULL,
    CHECK ((shop_status = 'paid') = (payment_order_status = 'SUCCEEDED'))
) STRICT;

-- A second click on Checkout finds the first one's order instead of making another.
CREATE UNIQUE INDEX IF NOT EXISTS one_open_order_per_cart_and_content
    ON orders (cart_id, currency, lines, email) WHERE shop_status = 'awaiting_payment';

CREATE TABLE IF NOT EXISTS order_log (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    kind     TEXT NOT NULL,
    at       TEXT NOT NULL,
    summary  TEXT NOT NULL,
    PRIMARY KEY (order_id, kind)  -- the first time is the one we tell
) STRICT;

CREATE TABLE IF NOT EXISTS events (
    id               TEXT PRIMARY KEY,
    type             TEXT NOT NULL,
    sequence         INTEGER NOT NULL,
    payment_order_id TEXT NOT NULL,
    sighting         TEXT,
    received_at      TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_of_a_payment_order ON events (payment_order_id, sequence);
"""
FIRST_NUMBER = 1001


def connect(path: Path) -> sqlite3.Connection:
    """Open the store, creating what is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA busy_timeout = 5000")
    db.execute("PRAGMA journal_mode = WAL")
    # FULL: an event we acknowledged must outlive the machine, not only the process.
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.executescript(SCHEMA)
    with transaction(db):
        if not db.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'orders'").fetchone():
            db.execute("INSERT INTO sqlite_sequence VALUES ('orders', ?)", (FIRST_NUMBER - 1,))
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; holds the write lock from the start, so what was read stays true."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
