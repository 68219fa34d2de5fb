"""Answers that break on the wire: a closed socket with nothing sent, or half a body."""

import asyncio
from typing import cast

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "payloom.transport"


class Protocol(HttpToolsProtocol):
    """uvicorn's own protocol, which also hands its transport to the application."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"transport": self.transport}}


class Dropped(Response):
    """Closes the connection; the client has not seen one byte of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _hang_up(scope, receive)


class Truncated(Response):
    """Promises the whole body, sends half of it and closes the connection."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _hang_up(scope, receive)


class ProxyPage(HTMLResponse):
    """What stands between a client and an API answers in its place, and not in JSON."""

    def __init__(self) -> None:
        super().__init__("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)


def broken(response: Response, effect: str | None) -> Response:
    """The answer as the ordered effect lets it through."""
    if effect == "apply_then_drop":
        return Dropped()
    if effect == "truncate":
        return Truncated(response)
    return response


async def _hang_up(scope: Scope, receive: Receive) -> None:
    transport = cast(asyncio.Transport, scope["extensions"][_EXTENSION]["transport"])
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass  # what is left of the request's body
