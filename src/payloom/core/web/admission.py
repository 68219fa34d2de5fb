"""Before anything else is done for a request: is there room for it, and an end to it (F10).

Whoever is told to come again was told at once and cost next to nothing, and nothing of the request
was read. What is let in is worked on to its end, even when its caller has been told that it takes
too long.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payloom.core.errors import Unavailable
from payloom.core.metrics import HTTP_IN_FLIGHT, HTTP_SHED
from payloom.core.web.problems import problem_response

log = structlog.get_logger()

REQUEST_S = 30.0  # all of a request, from its head to its answer


@dataclass(frozen=True, slots=True)
class Room:
    """Until when requests under one path are let in."""

    at_once: int  # requests in this process, those under other paths included
    db_wait_s: float  # how long the first in line has waited for a database connection


class Overloaded(Unavailable):
    code = "overloaded"
    title = "There is too much to do at the moment; nothing was accepted"


class TooSlow(Unavailable):
    code = "too_slow"
    title = "This took too long; send it again to learn what became of it"


class Admit:
    """`rooms` by the beginning of a path; "" is any other. What is in `always` is let in."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        rooms: Mapping[str, Room],
        always: frozenset[str],
        db_waited_s: Callable[[Scope], float],
    ) -> None:
        self._app = app
        self._rooms = rooms
        self._always = always
        self._db_waited_s = db_waited_s
        self._refusal = problem_response(Overloaded())
        self._in_flight = 0
        HTTP_IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._always:
            await self._app(scope, receive, send)
            return
        if why := self._too_much(scope):
            HTTP_SHED.labels(why).inc()
            await self._refusal(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        timer = asyncio.get_running_loop().call_later(REQUEST_S, answer.give_up)
        self._in_flight += 1
        try:
            await self._app(scope, receive, answer.pass_on)
        finally:
            self._in_flight -= 1
            timer.cancel()

    def _too_much(self, scope: Scope) -> str | None:
        room = self._room(scope["path"])
        if self._in_flight >= room.at_once:
            return "requests"
        if self._db_waited_s(scope) >= room.db_wait_s:
            return "database"
        return None

    def _room(self, path: str) -> Room:
        for beginning, room in self._rooms.items():
            if path.startswith(beginning):
                return room
        raise LookupError(f"there is no room for {path}")


class _Answer:
    """The way back of one request: its own answer, or ours when that takes too long."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._asgi = scope, receive, send
        self._is_begun = False
        self._giving_up: asyncio.Task[None] | None = None

    async def pass_on(self, message: Message) -> None:
        if self._giving_up is None:
            self._is_begun = True
            await self._asgi[2](message)

    def give_up(self) -> None:
        if not self._is_begun:
            log.warning("request.too_slow", path=self._asgi[0]["path"])
            self._giving_up = asyncio.create_task(problem_response(TooSlow())(*self._asgi))
