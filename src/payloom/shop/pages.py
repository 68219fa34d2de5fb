"""Turns a template into an answer; what every page knows is added here."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from payloom.shop import queries
from payloom.shop.context import shop_of
from payloom.shop.guards import cart_id_of
from payloom.shop.products import PRODUCTS, display

HERE = Path(__file__).parent
_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_environment.filters["money"] = display
_environment.globals["products"] = PRODUCTS

MESSAGES = {
    400: ("That did not come through", "The form we got was garbled. Please try once more."),
    403: ("Not from here", "That form was sent by another site, so we left it alone."),
    404: ("Nothing on this shelf", "The page you are looking for does not exist, or not any more."),
    405: ("Not this way in", "That address takes forms only. The shop is right here."),
    413: ("Too much of a good thing", "That was more than we can take in one go."),
    500: ("That did not work", "The fault is ours. Please go back and try again in a moment."),
}


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Render a template of ours."""
    in_cart = queries.cart_quantities(shop_of(request).db, cart_id_of(request))
    html = _environment.get_template(template).render(
        values, cart_count=sum(in_cart.values()), here=request.url.path
    )
    return HTMLResponse(html, status)


def message(request: Request, title: str, text: str, status: int, **values: Any) -> Response:
    """A page that says one thing, with a way on."""
    return page(request, "message.html", status, title=title, text=text, **values)


async def error_page(request: Request, error: Exception) -> Response:
    """What a refused request looks like to a person."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    title, text = MESSAGES.get(status, MESSAGES[500])
    return message(request, title, text, status)


async def broken_page(_: Request, __: Exception) -> Response:
    """A bug of ours, or a store that is away: say so without asking it anything."""
    title, text = MESSAGES[500]
    template = _environment.get_template("message.html")
    return HTMLResponse(template.render(title=title, text=text, cart_count=0, here=""), 500)
