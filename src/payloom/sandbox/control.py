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

Action = Callable[[Runtime, Tenant, Request], Awaitable[Response]]


def routes(rt: Runtime) -> list[Route]:
    def route(path: str, method: str, action: Action) -> Route:
        async def endpoint(request: Request) -> Response:
            tenant = rt.tenants.of_key(key_in(request.headers.get("authorization", "")))
            if tenant is None:
                return _refuse(401, "the Authorization header must carry the secret API key")
            return await action(rt, tenant, request)

        return Route(f"/_sandbox/{path}", endpoint, methods=[method])

    return [
        route("faults", "POST", _order_fault),
        route("faults", "GET", _list_faults),
        route("faults", "DELETE", _clear_faults),
        route("log", "GET", _read_log),
        route("deliveries", "GET", _read_deliveries),
        route("clock", "GET", _read_clock),
        route("clock/advance", "POST", _advance_clock),
        route("keys", "POST", _roll_key),
        route("keys", "DELETE", _end_key),
        route("reset", "POST", _reset),
    ]


async def _order_fault(rt: Runtime, tenant: Tenant, request: Request) -> Response:
    try:
        fault = rt.faults.order(tenant, await _json(request))
    except (BadFault, _BadBody) as error:
        return _refuse(400, str(error))
    return JSONResponse(fault.shown(), 201)


async def _list_faults(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    return JSONResponse([fault.shown() for fault in rt.faults.all(tenant)])


async def _clear_faults(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    rt.faults.clear(tenant)
    return JSONResponse([])


async def _read_log(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    return JSONResponse(rt.log.read(tenant))


async def _read_deliveries(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    return JSONResponse([each.shown() for each in rt.tries.read(tenant)])


async def _read_clock(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    return JSONResponse(_clock(rt, tenant))


async def _advance_clock(rt: Runtime, tenant: Tenant, request: Request) -> Response:
    """Moves the clock and runs all that became due before it answers."""
    try:
        body = await _json(request)
    except _BadBody as error:
        return _refuse(400, str(error))
    seconds = body.get("seconds") if isinstance(body, dict) else None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return _refuse(400, "seconds must be a number")
    if not 0 <= seconds <= ADVANCE_S_MAX:
        return _refuse(400, f"seconds must be from 0 to {ADVANCE_S_MAX}")
    rt.tenants.advance(tenant, seconds)
    rt.agenda.clock_moved(tenant)
    return JSONResponse(_clock(rt, tenant))


async def _roll_key(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    """One more key for the same tenant, shown once."""
    return JSONResponse({"key": rt.tenants.roll(tenant)}, 201)


async def _end_key(rt: Runtime, _tenant: Tenant, request: Request) -> Response:
    """The calling key is refused from now on."""
    rt.tenants.end(key_in(request.headers.get("authorization", "")))
    return JSONResponse({"ended": True})


async def _reset(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    rt.tenants.reset(tenant)
    rt.faults.forget(tenant)
    rt.agenda.clock_moved(tenant)
    return JSONResponse({"reset": True})


def _clock(rt: Runtime, tenant: Tenant) -> dict[str, Any]:
    return {"now": int(rt.now(tenant)), "offset_s": tenant.clock_offset}


class _BadBody(ValueError):
    """Not JSON, or far more of it than an order needs."""


async def _json(request: Request) -> Any:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise _BadBody("the body is too large")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _BadBody("the body must be JSON") from None


def _refuse(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message}}, status)
