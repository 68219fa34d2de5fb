"""The one door for what becomes of a payment: an event, an answer of the API, a look-up."""

from datetime import datetime
from sqlite3 import Connection

import structlog

from payloom.shop import queries
from payloom.shop.model import SHOP_STATUS, Event, Order, ShopStatus, Sighting
from payloom.shop.store import transaction

log = structlog.get_logger()


def record_event(db: Connection, event: Event) -> bool:
    """Keep an event and act on it, once; False when it came before."""
    with transaction(db) as tx:
        if not queries.insert_event(tx, event):
            return False
        order = queries.find_order_by_payment(tx, event.payment_order_id)
        if order and event.sighting:
            _apply(tx, order, event.sighting)
    return True


def record_answer(db: Connection, order: Order, seen: Sighting) -> Order:
    """Book what the API answered about our order, and events that came before the answer did."""
    with transaction(db) as tx:
        queries.set_payment_order_id(tx, order.id, seen.payment_order_id)
        order = queries.find_order(tx, order.id) or order
        early = [event.sighting for event in queries.events_of(tx, seen.payment_order_id)]
        for sighting in (seen, *early):
            if sighting:
                _apply(tx, order, sighting)
    return queries.find_order(db, order.id) or order


def record_return(db: Connection, order: Order, kind: str, status: str, now: datetime) -> None:
    """Note that the shopper is back. What the query claims is shown, never booked."""
    told = f"They bring back the signed status {status}."
    queries.insert_log(db, order.id, kind, summary=told, now=now)


def _apply(tx: Connection, order: Order, seen: Sighting) -> None:
    if seen.payment_order_id != order.payment_order_id or not _is_ours(order, seen):
        log.error("payment.does_not_fit", order=order.number, payment=seen.payment_order_id)
        return
    current = queries.find_order(tx, order.id) or order
    # A status that settles nothing leaves ours: a cancelled order may still have an open page.
    status = SHOP_STATUS.get(seen.status, current.shop_status)
    if status == ShopStatus.NOT_PAID and current.shop_status == ShopStatus.CANCELLED:
        status = ShopStatus.CANCELLED
    if queries.update_payment(tx, order.id, seen, status) and status == ShopStatus.PAID:
        _take_out_of_cart(tx, order)
        log.info("order.paid", order=order.number, payment=seen.payment_order_id)


def _is_ours(order: Order, seen: Sighting) -> bool:
    """Whether the payment is for what we sold, to the cent."""
    return (seen.amount, seen.currency) == (order.basket.amount, order.basket.currency)


def _take_out_of_cart(tx: Connection, order: Order) -> None:
    """What was paid for leaves the cart; what was added since stays."""
    in_cart = queries.cart_quantities(tx, order.basket.cart_id)
    for line in order.basket.lines:
        left = in_cart.get(line.sku, 0) - line.quantity
        queries.set_quantity(tx, order.basket.cart_id, line.sku, left)
