"""The order page: where the shopper waits, comes back to, and sees what happened."""

import asyncio
import hmac
from datetime import timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from payloom.shop import queries
from payloom.shop.cart import to_payment
from payloom.shop.checkout import find_payment
from payloom.shop.context import Shop, shop_of
from payloom.shop.guards import cart_id_of
from payloom.shop.model import OPEN, Event, Order, Record, ShopStatus, Sighting
from payloom.shop.pages import page
from payloom.shop.record import record_answer, record_return
from payloom.shop.returns import verified_status
from payloom.shop.steps import steps_of

# The last lines of the story come a moment after the money.
LINGER = timedelta(seconds=20)
SLOW = timedelta(seconds=30)


async def show_order(request: Request) -> Response:
    order, values = await _story(shop_of(request), _order_of(request))
    return page(request, "order.html", order=order, warning="", **values)


async def show_order_json(request: Request) -> Response:
    """The same story for scripts."""
    order, values = await _story(shop_of(request), _order_of(request))
    return JSONResponse(
        {
            "number": order.number,
            "payment_order_id": order.payment_order_id,
            "payment_order_status": order.payment_order_status,
            "shop_status": order.shop_status,
            "steps": [step.as_json() for step in values["steps"]],
            "events": [_event_json(event) for event in values["events"]],
        }
    )


async def prepare_payment(request: Request) -> Response:
    """Ask again for the payment page of an order that has none yet."""
    shop, order = shop_of(request), _order_of(request)
    if not order.redirect_url and order.shop_status == ShopStatus.AWAITING_PAYMENT:
        order = await _ask_again(shop, order)
    if order.redirect_url or order.is_final:
        return to_payment(shop, order)
    if order.shop_status != ShopStatus.AWAITING_PAYMENT:
        return RedirectResponse(order.path, 303)
    is_slow = shop.clock() - order.created_at > SLOW
    return page(request, "preparing.html", order=order, is_slow=is_slow)


async def _ask_again(shop: Shop, order: Order) -> Order:
    result = await find_payment(shop, order)
    return result if isinstance(result, Order) else order


async def come_back(request: Request) -> Response:
    """The shopper returns from the payment page."""
    return await _return(request, "shop.returned")


async def come_back_cancelled(request: Request) -> Response:
    """The shopper returns over the payment page's cancel link."""
    return await _return(request, "shop.cancelled")


async def _return(request: Request, kind: str) -> Response:
    """Believe a signed return enough to ask the API; book only what the API answers."""
    shop, order = shop_of(request), _order_of(request)
    status = verified_status(
        request.query_params, order, secret=shop.settings.return_secret, now=shop.clock()
    )
    if status is None:
        order, values = await _story(shop, order)
        warning = "The link that brought you here is old or was changed, so we did not go by it."
        return page(request, "order.html", 400, order=order, warning=warning, **values)
    record_return(shop.db, order, kind, status, shop.clock())
    if kind == "shop.cancelled" and order.payment_order_status in OPEN:
        await _cancel(shop, order)
    elif not order.is_final:
        await _look_up(shop, order)
    return RedirectResponse(order.path, 303)


async def _cancel(shop: Shop, order: Order) -> None:
    """End the page at the provider, so that a new try can never be a second payment. If that was
    refused (paid just now, say) or got no answer, the order stays what the API says it is."""
    answer = await shop.api.cancel(order.payment_order_id or "")
    if isinstance(answer, Sighting):
        queries.set_shop_status(shop.db, order.id, ShopStatus.CANCELLED)
        record_answer(shop.db, order, answer)
    else:
        await _look_up(shop, order)


def _order_of(request: Request) -> Order:
    """The order in the path, for whoever holds its token or the cart it came from."""
    shop, number = shop_of(request), request.path_params["number"]
    digits = number.removeprefix("W-")
    known = number.startswith("W-") and digits.isascii() and digits.isdigit() and len(digits) < 16
    order = queries.find_order(shop.db, int(digits)) if known else None
    if order is None or order.number != number:
        raise HTTPException(404)
    token, cart_id = request.query_params.get("t", ""), cart_id_of(request)
    if not (_same(token, order.token) or _same(cart_id, order.basket.cart_id)):
        raise HTTPException(404)
    return order


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


async def _look_up(shop: Shop, order: Order) -> Order:
    """Ask the API for the truth about a payment, and book it."""
    if not order.payment_order_id:
        return order
    answer = await shop.api.look_up(order.payment_order_id)
    return record_answer(shop.db, order, answer) if isinstance(answer, Sighting) else order


async def _story(shop: Shop, order: Order) -> tuple[Order, dict[str, Any]]:
    """The order now, and everything the page tells about it."""
    log = queries.log_of(shop.db, order.id)
    is_back = any(record.kind in ("shop.returned", "shop.cancelled") for record in log)
    timeline: list[Record] = []
    if order.payment_order_id:
        timeline, order = await asyncio.gather(
            shop.api.timeline(order.payment_order_id),
            # While the shopper is back and waits, a lost webhook must not keep them waiting.
            _look_up(shop, order) if is_back and not order.is_final else _as_is(order),
        )
    events = queries.events_of(shop.db, order.payment_order_id)
    newest = max(
        order.created_at,
        *(record.at for record in log),
        *(event.received_at for event in events),
    )
    return order, {
        "timeline": timeline,
        "events": events,
        "steps": steps_of(log, timeline, events),
        "is_back": is_back,
        "is_live": not order.is_final or shop.clock() - newest < LINGER,
    }


async def _as_is(order: Order) -> Order:
    return order


def _event_json(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "sequence": event.sequence,
        "payment_order_status": event.sighting.status if event.sighting else None,
        "received_at": event.received_at.isoformat(),
    }
