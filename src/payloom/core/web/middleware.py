"""Around every request: a correlation id, one log line, the time it took."""

import re
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payloom.core import ids, waiting
from payloom.core.masking import holds_card_or_secret
from payloom.core.metrics import HTTP_SECONDS, OWN_SECONDS

log = structlog.get_logger()

HEADER = b"x-request-id"
_GIVEN = re.compile(rb"[\w.:-]{8,100}")


class Correlate:
    """Binds `correlation_id` (the caller's X-Request-Id, or a fresh one) and answers with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = _given(scope) or ids.text("req", ids.new())
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        started = time.perf_counter()
        status = 500
        outside = waiting.start()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (HEADER, correlation_id.encode()),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, receive, answer)
            finally:
                self._tell(scope, status, time.perf_counter() - started, outside.seconds)

    def _tell(self, scope: Scope, status: int, seconds: float, outside: float) -> None:
        route = _route(scope)
        HTTP_SECONDS.labels(route, scope["method"], status).observe(seconds)
        OWN_SECONDS.labels(route, scope["method"]).observe(max(0.0, seconds - outside))
        log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
        )


def _route(scope: Scope) -> str:
    """The path's template: few values, whatever ids are asked for."""
    if "endpoint" not in scope:
        return "unmatched"
    template = getattr(scope.get("route"), "path", None)
    if template is None:  # a plain Starlette route does not leave itself in the scope
        template = scope["path"]
        for name, value in scope.get("path_params", {}).items():
            template = template.replace(str(value), f"{{{name}}}")
    return str(template)


def _given(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER and _GIVEN.fullmatch(value):
            text: str = value.decode("ascii")
            return None if holds_card_or_secret(text) else text
    return None
