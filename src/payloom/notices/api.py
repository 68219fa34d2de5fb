"""Two doors that are not for shops: where PSPs call, and where shoppers come back.

Plain Starlette: the raw bytes count here, and the route is hot.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from payloom.core import ids
from payloom.core.web.requests import read_body
from payloom.notices.receive import BODY_MAX, receive
from payloom.notices.returns import come_back
from payloom.runtime import Runtime

_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


async def take_notice(request: Request) -> Response:
    """`POST /psp/{connector}/{connection}/notices`: stored before the 2xx (F43)."""
    rt: Runtime = request.app.state.rt
    connection_id = ids.parse("con", request.path_params["connection"])
    body = await read_body(request, BODY_MAX)
    reply = await receive(
        rt, request.path_params["connector"], connection_id, request.headers, body
    )
    return Response(reply.body, reply.status)


async def shopper_returns(request: Request) -> Response:
    """`GET|POST /return/{attempt}?t=…`: find out, then redirect to the shop."""
    rt: Runtime = request.app.state.rt
    attempt_id = ids.parse("att", request.path_params["attempt"])
    token = request.query_params.get("t", "")
    canceled = "canceled" in request.query_params
    coming = rt.spawn(come_back(rt, attempt_id, token, canceled=canceled))
    url = await asyncio.shield(coming)  # what it has begun it ends, whoever hangs up
    # not RedirectResponse: that would quote what the shop's URL may well hold as it is
    return Response(status_code=303, headers={"Location": url, **_NO_STORE})


routes = [
    Route("/psp/{connector}/{connection}/notices", take_notice, methods=["POST"]),
    Route("/return/{attempt}", shopper_returns, methods=["GET", "POST"]),
]
