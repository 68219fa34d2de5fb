"""The process: uvicorn around the stand-ins, ready when it prints its URL."""

import asyncio
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from payloom.core import log
from payloom.sandbox import console, control, stripe
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.wire import Protocol

BACKLOG = 1024
WS_MESSAGE_MAX = 1024 * 1024


def listen(host: str, port: int) -> socket.socket:
    """Where to serve; port 0 takes a free one. Raises OSError when nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def serve(listener: socket.socket, store: Path) -> None:
    """Serve the stand-ins until SIGTERM or SIGINT. Raises StoreInUse."""
    log.mask_others()
    config = uvicorn.Config(
        build_app(Runtime(store)),
        loop="uvloop",
        http=Protocol,
        ws="wsproto",
        ws_max_size=WS_MESSAGE_MAX,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    _Server(config).run(sockets=[listener])


def build_app(rt: Runtime) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        agenda = asyncio.create_task(rt.agenda.run())
        try:
            yield
        finally:
            agenda.cancel()
            with suppress(asyncio.CancelledError):
                await agenda
            await rt.close()

    answered, steered = stripe.routes(rt)
    app = Starlette(
        # the busiest first: they are tried in this order
        routes=[
            *answered,
            *console.routes(rt),
            *control.routes(rt, steered),
            Route("/healthz", _healthz),
            Route("/favicon.ico", _no_icon),
        ],
        exception_handlers={ClientDisconnect: _gone},
        lifespan=lifespan,
    )
    app.router.default = _unknown
    return app


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's own, but `serve` returns after a signal instead of dying of it."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"sandbox ready at http://{shown}:{port}\n")
            sys.stdout.flush()


async def _gone(_: Request, __: Exception) -> Response:
    """The client went away while it was sending: nobody reads this."""
    return Response(status_code=400)


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    method = scope.get("method", "GET")  # a WebSocket's opening names none
    message = f"Unrecognized request URL ({method}: {scope['path'][:200]})."
    error = {"type": "invalid_request_error", "message": message}
    request_id = f"req_{secrets.token_hex(7)}"
    answer = JSONResponse({"error": error}, 404, {"Request-Id": request_id})
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _no_icon(_: Request) -> Response:
    """Browsers ask for one beside every answer that is no page of ours."""
    return Response(status_code=204)
