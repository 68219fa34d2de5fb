"""The shop as an application: every route is listed here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from typing import TypedDict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from payloom.shop import cart, orders, payment_api, store
from payloom.shop.context import Shop
from payloom.shop.guards import SecurityHeaders
from payloom.shop.model import Clock
from payloom.shop.pages import HERE, broken_page, error_page
from payloom.shop.settings import Settings
from payloom.shop.webhooks import receive_webhook


class State(TypedDict):
    shop: Shop


def create_app(settings: Settings, clock: Clock = lambda: datetime.now(UTC)) -> Starlette:
    """Opens nothing yet: store and connections live as long as the application runs."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        with closing(store.connect(settings.store)) as db:
            async with payment_api.connect(settings) as api:
                yield {"shop": Shop(settings=settings, db=db, api=api, clock=clock)}

    return Starlette(
        routes=[
            Route("/", cart.show_shelf),
            Route("/cart", cart.show_cart),
            Route("/cart/items", cart.add_to_cart, methods=["POST"]),
            Route("/cart/items/{sku}", cart.change_quantity, methods=["POST"]),
            Route("/checkout", cart.back_to_cart),
            Route("/checkout", cart.start_checkout, methods=["POST"]),
            Route("/orders/{number}.json", orders.show_order_json),
            Route("/orders/{number}", orders.show_order),
            Route("/orders/{number}/preparing", orders.prepare_payment),
            Route("/orders/{number}/return", orders.come_back),
            Route("/orders/{number}/cancelled", orders.come_back_cancelled),
            Route("/webhooks", receive_webhook, methods=["POST"]),
            Route("/healthz", _healthz),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: error_page, Exception: broken_page},
        lifespan=lifespan,
    )


async def _healthz(request: Request) -> Response:
    request.state.shop.db.execute("SELECT 1 FROM orders LIMIT 1")
    return PlainTextResponse("ok\n")
