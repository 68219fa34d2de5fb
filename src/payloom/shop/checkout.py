"""From a cart to a payment page: write our order, ask the API, record its answer."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import structlog

from payloom.shop import queries
from payloom.shop.context import Shop
from payloom.shop.model import Basket, Order, ShopStatus, Sighting
from payloom.shop.payment_api import Away, Refused
from payloom.shop.record import record_answer
from payloom.shop.store import transaction

log = structlog.get_logger()
# Somebody used our number before, say a shop whose store was lost since.
NUMBER_TAKEN = frozenset({"reference_conflict", "idempotency_key_reused"})
TRIES = 3
# Far enough to leave behind what an earlier life of the shop has used.
JUMP_MIN = 1000


@dataclass(frozen=True, slots=True)
class Trouble:
    """No payment came about; the cart is as it was."""

    can_retry: bool


async def check_out(shop: Shop, basket: Basket) -> Order | Trouble:
    """Get a payment for the basket. Clicking twice, or again after an error, is harmless."""
    skip = 0
    for _ in range(TRIES):
        order = _find_or_write_order(shop, basket, skip)
        result = await find_payment(shop, order)
        if isinstance(result, Refused) and result.code in NUMBER_TAKEN:
            skip = JUMP_MIN + secrets.randbelow(9000)
        elif isinstance(result, Order) and result.shop_status == ShopStatus.NOT_PAID:
            continue  # it ended before we heard of it: the next round starts afresh
        else:
            return Trouble(can_retry=False) if isinstance(result, Refused) else result
    return Trouble(can_retry=True)


async def find_payment(shop: Shop, order: Order) -> Order | Refused | Trouble:
    """The order with its payment as it is now; asks for one if there is none yet."""
    if not order.payment_order_id:
        return await _ask_for_payment(shop, order)
    # Asking again under our key would get the first answer once more, however old.
    answer = await shop.api.look_up(order.payment_order_id)
    if isinstance(answer, Sighting):
        return record_answer(shop.db, order, answer)
    return Trouble(can_retry=True)


async def _ask_for_payment(shop: Shop, order: Order) -> Order | Refused | Trouble:
    """Ask the API for a payment; the order's number makes asking again harmless."""
    queries.insert_log(
        shop.db,
        order.id,
        "shop.asked",
        summary=f"Order {order.number}, under the idempotency key {order.number}.",
        now=shop.clock(),
    )
    answer = await shop.api.register(_request_of(shop, order), key=order.number)
    if isinstance(answer, Away) or (isinstance(answer, Refused) and _is_running(answer)):
        log.warning("payment.no_answer", order=order.number, answer=str(answer))
        return order if isinstance(answer, Refused) else Trouble(can_retry=True)
    if isinstance(answer, Refused):
        log.warning("payment.refused", order=order.number, code=answer.code)
        taken = answer.code in NUMBER_TAKEN
        status = ShopStatus.ABANDONED if taken else ShopStatus.NOT_PAID
        queries.set_shop_status(shop.db, order.id, status)
        return answer
    order = record_answer(shop.db, order, answer)
    if order.redirect_url:
        queries.insert_log(shop.db, order.id, "shop.answered", now=shop.clock())
    return order


def _find_or_write_order(shop: Shop, basket: Basket, skip: int) -> Order:
    with transaction(shop.db) as tx:
        return queries.find_open_order(tx, basket) or queries.insert_order(
            tx, basket, shop.clock(), skip=skip
        )


def _is_running(answer: Refused) -> bool:
    """An earlier copy of this very request has not finished yet."""
    return answer.status == 409 and answer.code not in NUMBER_TAKEN


def _request_of(shop: Shop, order: Order) -> dict[str, Any]:
    """The body for the API, the same each time it is asked for one order."""
    basket, public_url = order.basket, shop.settings.public_url
    # The cart's id is a secret of the shopper's browser, so others get a digest: of twelve
    # characters, so that it never happens to be thirteen digits and look like a card number.
    customer = {"id": "shopper-" + hashlib.sha256(basket.cart_id.encode()).hexdigest()[:12]}
    if basket.email:
        customer["email"] = basket.email
    return {
        "reference": order.number,
        "amount": basket.amount,
        "currency": basket.currency,
        "description": f"Wrenfold order {order.number}",
        "line_items": [
            {"name": line.name, "quantity": line.quantity, "unit_amount": line.unit_amount}
            for line in basket.lines
        ],
        "customer": customer,
        "return_url": f"{public_url}/orders/{order.number}/return?t={order.token}",
        "cancel_url": f"{public_url}/orders/{order.number}/cancelled?t={order.token}",
        "metadata": {"shop": "wrenfold", "shop_order": order.number},
    }
