"""The shelf, the cart, and the Checkout button."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from payloom.shop import queries
from payloom.shop.checkout import Trouble, check_out
from payloom.shop.context import Shop, shop_of
from payloom.shop.guards import cart_id_of, new_cart_id, read_form, set_cart_cookie
from payloom.shop.model import OPEN, Basket, Line, Order
from payloom.shop.pages import message, page
from payloom.shop.products import PRODUCTS
from payloom.shop.store import transaction

QUANTITY_MAX = 20


async def show_shelf(request: Request) -> Response:
    return page(request, "shelf.html", currency=shop_of(request).settings.currency)


async def show_cart(request: Request) -> Response:
    basket = _basket(shop_of(request), cart_id_of(request))
    return page(request, "cart.html", basket=basket, mistake="", quantity_max=QUANTITY_MAX)


async def add_to_cart(request: Request) -> Response:
    """One more of a product; a browser without a cart gets one."""
    sku = (await read_form(request)).get("sku", "")
    if sku not in PRODUCTS:
        raise HTTPException(404)
    db, cart_id = shop_of(request).db, cart_id_of(request)
    with transaction(db) as tx:
        in_cart = queries.cart_quantities(tx, cart_id)
        # An id we know nothing of may have been planted, so it is replaced.
        cart_id = cart_id if in_cart else new_cart_id()
        queries.set_quantity(tx, cart_id, sku, min(in_cart.get(sku, 0) + 1, QUANTITY_MAX))
    response = RedirectResponse("/cart", 303)
    set_cart_cookie(request, response, cart_id)
    return response


async def change_quantity(request: Request) -> Response:
    """Set a line's quantity; 0 removes it."""
    text = (await read_form(request)).get("quantity", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise HTTPException(400)
    db, cart_id, sku = shop_of(request).db, cart_id_of(request), request.path_params["sku"]
    with transaction(db) as tx:
        if sku in queries.cart_quantities(tx, cart_id):
            queries.set_quantity(tx, cart_id, sku, min(int(text), QUANTITY_MAX))
    return RedirectResponse("/cart", 303)


async def back_to_cart(_: Request) -> Response:
    """Whoever opens the till's address anew, say from the browser's history."""
    return RedirectResponse("/cart", 303)


async def start_checkout(request: Request) -> Response:
    """Make the order, ask for its payment, and send the shopper to the payment page."""
    email = (await read_form(request)).get("email", "").strip()
    shop = shop_of(request)
    basket = _basket(shop, cart_id_of(request), email)
    if not basket.lines:
        return RedirectResponse("/cart", 303)
    if mistake := _email_mistake(email):
        values = {"basket": basket, "mistake": mistake, "quantity_max": QUANTITY_MAX}
        return page(request, "cart.html", 422, **values)
    result = await check_out(shop, basket)
    return (
        _trouble_page(request, result) if isinstance(result, Trouble) else to_payment(shop, result)
    )


def to_payment(shop: Shop, order: Order) -> Response:
    """Where a shopper with this order goes next."""
    if order.payment_order_status not in OPEN:
        return RedirectResponse(order.path, 303)
    if not order.redirect_url:
        return RedirectResponse(f"/orders/{order.number}/preparing?t={order.token}", 303)
    queries.insert_log(shop.db, order.id, "shop.redirected", now=shop.clock())
    return RedirectResponse(order.redirect_url, 303)


def _basket(shop: Shop, cart_id: str, email: str = "") -> Basket:
    currency = shop.settings.currency
    in_cart = queries.cart_quantities(shop.db, cart_id)
    lines = tuple(
        Line(sku, PRODUCTS[sku].name, quantity, PRODUCTS[sku].price(currency))
        for sku, quantity in in_cart.items()
        if sku in PRODUCTS
    )
    return Basket(cart_id=cart_id, currency=currency, lines=lines, email=email)


def _email_mistake(email: str) -> str:
    """A light look: leaving it empty is fine, a slip of the finger is not."""
    name, _, host = email.rpartition("@")
    if not email or (name and "." in host and len(email) <= 254 and not set(email) & set(" ,;<>")):
        return ""
    return "That does not look like an email address."


def _trouble_page(request: Request, trouble: Trouble) -> Response:
    if trouble.can_retry:
        title, status = "The till is not answering", 503
        text = "We could not reach our payment service just now. You have not been charged."
    else:
        title, status = "This payment was turned away", 502
        text = "Our payment service would not take this order. You have not been charged."
    return message(request, title, f"{text} Your cart is just as you left it.", status, retry=True)
