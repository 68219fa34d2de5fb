"""`/_sandbox/*`: faults, log, clock, keys and reset of the calling key."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from payloom.sandbox.faults import BadFault
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.tenants import key_in

BODY_MAX = 64 * 1024
ADVANCE_S_MAX = 10 * 366 * 86_400
WAIT_S_MAX = 120
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
NO_KEY = "the Authorization header must carry the secret API key: Authorization: Bearer sk_test_…"
FAULT_EXAMPLE = '{"path": "/v1/charges", "effect": "status", "status": 503}'
CLOCK_EXAMPLE = '{"seconds": 60}'

Action = Callable[[Runtime, Tenant, Request], Awaitable[Response]]
Routes = tuple[tuple[str, str, Action], ...]  # path, method, and what is done


def routes(rt: Runtime, more: Routes) -> list[Route]:
    """The routes below, and those of the stand-ins."""

    async def no_such(request: Request) -> Response:
        """A path or a method that is none of the routes'."""
        known = ", ".join(f"{method} /_sandbox/{path}" for path, method, _ in (*ROUTES, *more))
        asked = f"{request.method} {request.url.path[:200]}"
        return refuse(404, f"there is no {asked}; there are: {known}")

    return [
        *(route(rt, path, method, action) for path, method, action in (*ROUTES, *more)),
        Route("/_sandbox/{path:path}", no_such, methods=METHODS),
    ]


def route(rt: Runtime, path: str, method: str, action: Action) -> Route:
    """One order, from whoever has a key."""

    async def endpoint(request: Request) -> Response:
        tenant = rt.tenants.of_key(key_in(request.headers.get("authorization", "")))
        if tenant is None:
            return refuse(401, NO_KEY)
        try:
            return await action(rt, tenant, request)
        except (BadFault, BadOrder) as error:
            return refuse(400, str(error))

    return Route(f"/_sandbox/{path}", endpoint, methods=[method])


async def _order_fault(rt: Runtime, tenant: Tenant, request: Request) -> Response:
    fault = rt.faults.order(tenant, await read_json(request, FAULT_EXAMPLE))
    return JSONResponse(fault.shown(), 201)


async def _list_faults(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    return JSONResponse([fault.shown() for fault in rt.faults.all(tenant)])


async def _clear_faults(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    rt.faults.clear(tenant)
    return JSONResponse([])


async def _read_log(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    return JSONResponse(rt.log.read(tenant))


async def _read_deliveries(rt: Runtime, tenant: Tenant, request: Request) -> Response:
    """At once, or with `wait_s` when nothing is under way any more, that long at most."""
    if wait_s := _wait_s(request.query_params.get("wait_s", "0")):
        await rt.deliveries.settle(tenant, wait_s)
    return JSONResponse([each.shown() for each in rt.tries.read(tenant)])


async def _read_clock(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    return JSONResponse(_clock(rt, tenant))


async def _advance_clock(rt: Runtime, tenant: Tenant, request: Request) -> Response:
    """Moves the clock and runs all that became due before it answers."""
    body = await read_json(request, CLOCK_EXAMPLE)
    if not isinstance(body, dict) or set(body) != {"seconds"}:
        raise BadOrder(f"the body must hold seconds and nothing else: {CLOCK_EXAMPLE}")
    advance(rt, tenant, body["seconds"])
    return JSONResponse(_clock(rt, tenant))


def advance(rt: Runtime, tenant: Tenant, seconds: Any) -> None:
    """Move the clock forward and run what became due. Raises BadOrder."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise BadOrder(f"seconds must be a number: {CLOCK_EXAMPLE}")
    if not 0 <= seconds <= ADVANCE_S_MAX:
        raise BadOrder(f"seconds must be from 0 to {ADVANCE_S_MAX}: a clock never goes back")
    rt.tenants.advance(tenant, seconds)
    rt.agenda.clock_moved(tenant)


async def _roll_key(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    """One more key for the same tenant, shown once."""
    return JSONResponse({"key": rt.tenants.roll(tenant)}, 201)


async def _end_key(rt: Runtime, _tenant: Tenant, request: Request) -> Response:
    """The calling key is refused from now on."""
    rt.tenants.end(key_in(request.headers.get("authorization", "")))
    return JSONResponse({"ended": True})


async def _reset(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    reset(rt, tenant)
    return JSONResponse({"reset": True})


def reset(rt: Runtime, tenant: Tenant) -> None:
    """Forget all that this account ever did."""
    rt.tenants.reset(tenant)
    for forget in rt.forgetters:
        forget(tenant)
    rt.agenda.clock_moved(tenant)


def _clock(rt: Runtime, tenant: Tenant) -> dict[str, Any]:
    return {"now": int(rt.now(tenant)), "offset_s": tenant.clock_offset}


class BadOrder(ValueError):
    """What was sent does not say something that can be done."""


def _wait_s(text: str) -> float:
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1
    if not 0 <= wait_s <= WAIT_S_MAX:
        raise BadOrder(f"wait_s must be a number from 0 to {WAIT_S_MAX}")
    return wait_s


async def read_json(request: Request, example: str) -> Any:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise BadOrder(f"the body is too large: the most is {BODY_MAX} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadOrder(f"the body must be JSON, such as {example}") from None


def refuse(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message}}, status)


ROUTES: Routes = (
    ("faults", "POST", _order_fault),
    ("faults", "GET", _list_faults),
    ("faults", "DELETE", _clear_faults),
    ("log", "GET", _read_log),
    ("deliveries", "GET", _read_deliveries),
    ("clock", "GET", _read_clock),
    ("clock/advance", "POST", _advance_clock),
    ("keys", "POST", _roll_key),
    ("keys", "DELETE", _end_key),
    ("reset", "POST", _reset),
)
