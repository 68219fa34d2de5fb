"""The routes of the page: who is asking, then what is shown or done."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from payloom.sandbox.console import actions, views
from payloom.sandbox.console.render import page
from payloom.sandbox.console.visitor import (
    PATH,
    Visitor,
    forget,
    read_form,
    recognize,
    remember,
)
from payloom.sandbox.runtime import Runtime

View = Callable[[Visitor, Request], Response]
Action = Callable[[Visitor, Request, dict[str, str]], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

NO_KEY = "This is no secret key: sk_test_ or sk_live_ (or rk_…) and 12 more characters."
ENDED = "This key has ended. Use the one it was rolled to."
OUT_OF_DATE = "This page was out of date. Look again, and repeat what you wanted."

VIEWS: tuple[tuple[str, View], ...] = (
    ("/list/{kind}", views.objects),
    ("/objects/{id}", views.object_),
    ("/events", views.events),
    ("/webhooks", views.webhooks),
    ("/requests", views.requests),
    ("/ask-reset", views.ask_reset),
)
ACTIONS: tuple[tuple[str, Action], ...] = (
    ("/do/order-fault", actions.order_fault),
    ("/do/clear-faults", actions.clear_faults),
    ("/do/advance", actions.advance),
    ("/do/reset", actions.reset),
)


def routes(rt: Runtime) -> list[Route]:
    return [
        Route(PATH, _first(rt), methods=["GET"]),
        Route(f"{PATH}/", _to_first, methods=["GET"]),
        Route(f"{PATH}/account", _sign_in(rt), methods=["POST"]),
        Route(f"{PATH}/leave", _leave, methods=["POST"]),
        *(Route(PATH + path, _viewer(rt, view), methods=["GET"]) for path, view in VIEWS),
        *(Route(PATH + path, _doer(rt, action), methods=["POST"]) for path, action in ACTIONS),
    ]


def _first(rt: Runtime) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        visitor = recognize(rt, request)
        if visitor is None:
            return page(None, "account.html", {"problem": ""})
        return views.overview(visitor, request)

    return endpoint


async def _to_first(_: Request) -> Response:
    return RedirectResponse(PATH, 303)


def _viewer(rt: Runtime, view: View) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        visitor = recognize(rt, request)
        return view(visitor, request) if visitor else RedirectResponse(PATH, 303)

    return endpoint


def _doer(rt: Runtime, action: Action) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        visitor = recognize(rt, request)
        if visitor is None:
            return RedirectResponse(PATH, 303)
        form = await read_form(request)
        if form is None or not hmac.compare_digest(
            form.pop("token", "").encode(), visitor.token.encode()
        ):
            return views.overview(visitor, request, problem=OUT_OF_DATE, status=403)
        return action(visitor, request, form)

    return endpoint


def _sign_in(rt: Runtime) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        form = await read_form(request)
        if form is None:
            return page(None, "account.html", {"problem": OUT_OF_DATE}, 403)
        key = form.get("key", "")
        if rt.tenants.of_key(key) is None:
            problem = ENDED if rt.tenants.has_ended(key) else NO_KEY
            return page(None, "account.html", {"problem": problem}, 422)
        response = RedirectResponse(PATH, 303)
        remember(rt, request, response, key)
        return response

    return endpoint


async def _leave(request: Request) -> Response:
    """Harmless from wherever it comes, so it needs no token."""
    response = RedirectResponse(PATH, 303)
    forget(request, response)
    return response
