"""What stands between the shop and the open internet: bounds, origins, cookies, headers."""

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payloom.shop.context import shop_of

BODY_BYTES_MAX = 1_000_000
CART_COOKIE = "wrenfold_cart"
CART_DAYS = 30
HEADERS = {
    # No form-action: Chromium applies it to redirects too, and checkout redirects to the PSP.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    # Order links carry a token, so other sites never see where a shopper came from.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


async def read_body(request: Request) -> bytes:
    """The raw bytes, up to a bound."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise HTTPException(413)
    return bytes(body)


async def read_form(request: Request) -> Mapping[str, str]:
    """A form of ours; refuses one that another site's page sends along.

    The cookie's SameSite=Lax stops browsers that know it; the origin stops the others.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc not in _own_hosts(request):
        raise HTTPException(403)
    try:
        fields = parse_qsl(
            (await read_body(request)).decode(),
            keep_blank_values=True,
            max_num_fields=50,
            errors="strict",
        )
    except ValueError as error:
        raise HTTPException(400) from error
    return dict(fields)


def cart_id_of(request: Request) -> str:
    """The browser's cart; the empty name for a browser without one."""
    cart_id = request.cookies.get(CART_COOKIE, "")
    return cart_id if len(cart_id) <= 64 else ""


def new_cart_id() -> str:
    return secrets.token_urlsafe(24)


def set_cart_cookie(request: Request, response: Response, cart_id: str) -> None:
    response.set_cookie(
        CART_COOKIE,
        cart_id,
        max_age=CART_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=shop_of(request).settings.public_url.startswith("https://"),
    )


class SecurityHeaders:
    """Adds HEADERS to every answer; pages are never kept by caches."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                is_static = str(scope.get("path", "")).startswith("/static/")
                headers.setdefault("Cache-Control", "max-age=300" if is_static else "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _own_hosts(request: Request) -> set[str]:
    return {urlsplit(shop_of(request).settings.public_url).netloc, request.headers.get("host", "")}
