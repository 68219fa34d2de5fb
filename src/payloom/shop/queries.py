"""All SQL of the shop; a parameter named `tx` wants to be inside `store.transaction`."""

import json
import secrets
from dataclasses import asdict
from datetime import datetime
from sqlite3 import Connection, Row

from payloom.shop.model import Basket, Event, Line, Order, Record, ShopStatus, Sighting


def cart_quantities(db: Connection, cart_id: str) -> dict[str, int]:
    """What lies in a cart, in the order it was put there."""
    rows = db.execute(
        "SELECT sku, quantity FROM cart_items WHERE cart_id = ? ORDER BY rowid", (cart_id,)
    )
    return {row["sku"]: row["quantity"] for row in rows}


def set_quantity(db: Connection, cart_id: str, sku: str, quantity: int) -> None:
    """Put that many in the cart; none removes the line."""
    if quantity <= 0:
        db.execute("DELETE FROM cart_items WHERE cart_id = ? AND sku = ?", (cart_id, sku))
        return
    db.execute(
        """
        INSERT INTO cart_items (cart_id, sku, quantity) VALUES (?, ?, ?)
        ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = excluded.quantity
        """,
        (cart_id, sku, quantity),
    )


def find_open_order(db: Connection, basket: Basket) -> Order | None:
    """The unpaid order this very basket has already led to."""
    row = db.execute(
        """
        SELECT * FROM orders
         WHERE cart_id = ? AND currency = ? AND lines = ? AND email = ?
           AND shop_status = 'awaiting_payment'
        """,
        (basket.cart_id, basket.currency, _to_text(basket.lines), basket.email),
    ).fetchone()
    return _order(row) if row else None


def insert_order(db: Connection, basket: Basket, now: datetime, *, skip: int = 0) -> Order:
    """Write a new order; `skip` leaves that many numbers out."""
    row = db.execute(
        """
        INSERT INTO orders (id, token, cart_id, currency, lines, email, created_at)
        SELECT seq + 1 + ?, ?, ?, ?, ?, ?, ? FROM sqlite_sequence WHERE name = 'orders'
        RETURNING *
        """,
        (
            skip,
            secrets.token_urlsafe(16),
            basket.cart_id,
            basket.currency,
            _to_text(basket.lines),
            basket.email,
            now.isoformat(),
        ),
    ).fetchone()
    return _order(row)


def find_order(db: Connection, order_id: int) -> Order | None:
    row = db.execute("SELECT * FROM orders WHERE id = ?", (order_id,)).fetchone()
    return _order(row) if row else None


def find_order_by_payment(db: Connection, payment_order_id: str) -> Order | None:
    row = db.execute(
        "SELECT * FROM orders WHERE payment_order_id = ?", (payment_order_id,)
    ).fetchone()
    return _order(row) if row else None


def set_shop_status(db: Connection, order_id: int, status: ShopStatus) -> None:
    """Close an unpaid order ourselves; what is paid stays paid."""
    db.execute(
        "UPDATE orders SET shop_status = ? WHERE id = ? AND shop_status <> 'paid'",
        (status, order_id),
    )


def update_payment(tx: Connection, order_id: int, seen: Sighting, status: ShopStatus) -> bool:
    """Write what was seen unless a later event was seen before, or the order is paid."""
    changed = tx.execute(
        """
        UPDATE orders
           SET payment_order_status = :payment_order_status, shop_status = :shop_status,
               status_sequence = coalesce(:sequence, status_sequence),
               redirect_url = coalesce(:redirect_url, redirect_url)
         WHERE id = :id AND shop_status <> 'paid'
           AND (:sequence IS NULL OR :sequence > status_sequence)
        """,
        {
            "id": order_id,
            "payment_order_status": seen.status,
            "shop_status": status,
            "sequence": seen.sequence,
            "redirect_url": seen.redirect_url,
        },
    )
    return changed.rowcount == 1


def set_payment_order_id(tx: Connection, order_id: int, payment_order_id: str) -> None:
    tx.execute(
        "UPDATE orders SET payment_order_id = ? WHERE id = ? AND payment_order_id IS NULL",
        (payment_order_id, order_id),
    )


def insert_log(
    db: Connection, order_id: int, kind: str, *, summary: str = "", now: datetime
) -> None:
    """Note that something happened to an order; only its first time is kept."""
    db.execute(
        "INSERT INTO order_log VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (order_id, kind, now.isoformat(), summary),
    )


def log_of(db: Connection, order_id: int) -> list[Record]:
    rows = db.execute("SELECT * FROM order_log WHERE order_id = ? ORDER BY at", (order_id,))
    return [
        Record(
            at=datetime.fromisoformat(row["at"]), kind=row["kind"], summary=row["summary"], data={}
        )
        for row in rows
    ]


def insert_event(tx: Connection, event: Event) -> bool:
    """Keep an event; False when it came before."""
    sighting = json.dumps(asdict(event.sighting)) if event.sighting else None
    inserted = tx.execute(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            event.id,
            event.type,
            event.sequence,
            event.payment_order_id,
            sighting,
            event.received_at.isoformat(),
        ),
    )
    return inserted.rowcount == 1


def events_of(db: Connection, payment_order_id: str | None) -> list[Event]:
    """The events about one payment order, in the order they happened."""
    rows = db.execute(
        "SELECT * FROM events WHERE payment_order_id = ? ORDER BY sequence, received_at",
        (payment_order_id,),
    )
    return [
        Event(
            id=row["id"],
            type=row["type"],
            sequence=row["sequence"],
            payment_order_id=row["payment_order_id"],
            sighting=Sighting(**json.loads(row["sighting"])) if row["sighting"] else None,
            received_at=datetime.fromisoformat(row["received_at"]),
        )
        for row in rows
    ]


def _to_text(lines: tuple[Line, ...]) -> str:
    return json.dumps([asdict(line) for line in lines])


def _order(row: Row) -> Order:
    return Order(
        id=row["id"],
        token=row["token"],
        basket=Basket(
            cart_id=row["cart_id"],
            currency=row["currency"],
            lines=tuple(Line(**line) for line in json.loads(row["lines"])),
            email=row["email"],
        ),
        shop_status=ShopStatus(row["shop_status"]),
        payment_order_id=row["payment_order_id"],
        payment_order_status=row["payment_order_status"],
        redirect_url=row["redirect_url"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
