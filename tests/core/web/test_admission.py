"""Too many requests, and requests that take too long: told so, cheaply and in good time (F10)."""

import asyncio
import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from payloom.app import ALWAYS, ROOMS
from payloom.core.web.admission import REQUEST_S, Admit
from tests.virtual_time import in_virtual_time, now

KINDS = {"": "/v1/payment-orders", "/psp/": "/psp/acme/con_1/notices", "/return/": "/return/att_1"}
SOONEST = sorted(ROOMS, key=lambda beginning: ROOMS[beginning].at_once)


class Door:
    """The middleware with its real limits, before an app that answers when it is told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.waited_s = 0.0  # somebody, for a database connection
        self.read = 0
        self.asgi = Admit(
            self._app, rooms=ROOMS, always=ALWAYS, db_waited_s=lambda scope: self.waited_s
        )

    async def ask(self, path: str = KINDS[""]) -> list[Message]:
        """Everything that is sent to the caller."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            self.read += 1
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {"type": "http", "method": "POST", "path": path, "headers": []}
        await self.asgi(scope, receive, send)
        return sent

    async def fill(self, count: int) -> "list[asyncio.Task[list[Message]]]":
        """So many requests that are being worked on."""
        asked = [asyncio.create_task(self.ask("/return/att_1")) for _ in range(count)]
        await asyncio.sleep(0)
        return asked

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await self.open.wait()
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b"made"})


def told(sent: list[Message]) -> tuple[int, str | None]:
    """The status, and the problem's code."""
    start, body = sent
    if start["status"] == 201:
        return 201, None
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"retry-after"] == b"1"
    return start["status"], json.loads(body["body"])["code"]


@pytest.mark.parametrize("beginning", ROOMS)
@in_virtual_time
async def test_one_request_too_many_is_told_to_come_again_and_not_even_read(
    beginning: str,
) -> None:
    door, room = Door(), ROOMS[beginning]
    inside = await door.fill(room.at_once - 1)
    inside.append(asyncio.create_task(door.ask(KINDS[beginning])))
    await asyncio.sleep(0)
    assert door.read == room.at_once
    assert told(await door.ask(KINDS[beginning])) == (503, "overloaded")
    assert door.read == room.at_once
    door.open.set()
    assert {told(sent) for sent in await asyncio.gather(*inside)} == {(201, None)}
    assert told(await door.ask(KINDS[beginning])) == (201, None)  # there is room at once


@in_virtual_time
async def test_shops_are_shed_first_then_psps_then_shoppers() -> None:
    assert SOONEST == ["", "/psp/", "/return/"]
    for name in ("at_once", "db_wait_s"):
        bounds = [getattr(ROOMS[beginning], name) for beginning in SOONEST]
        assert bounds == sorted(set(bounds))
    for beginning, path in KINDS.items():
        door = Door()
        assert door.asgi._room(path) is ROOMS[beginning]


@pytest.mark.parametrize("beginning", ROOMS)
@in_virtual_time
async def test_a_line_for_the_database_that_does_not_move_is_joined_by_nobody_else(
    beginning: str,
) -> None:
    door = Door()
    door.open.set()
    door.waited_s = ROOMS[beginning].db_wait_s - 0.01
    assert told(await door.ask(KINDS[beginning])) == (201, None)
    door.waited_s = ROOMS[beginning].db_wait_s
    assert told(await door.ask(KINDS[beginning])) == (503, "overloaded")


@in_virtual_time
async def test_operators_are_always_let_in() -> None:
    door = Door()
    inside = await door.fill(max(room.at_once for room in ROOMS.values()))
    door.waited_s = 60.0
    asked = [asyncio.create_task(door.ask(path)) for path in ALWAYS]
    await asyncio.sleep(0)
    door.open.set()
    assert {told(await each) for each in asked} == {(201, None)}
    await asyncio.gather(*inside)


@in_virtual_time
async def test_a_request_that_takes_too_long_is_answered_and_worked_on_to_its_end() -> None:
    door = Door()
    asked = asyncio.create_task(door.ask())
    await asyncio.sleep(REQUEST_S + 0.1)
    assert door.asgi._in_flight == 1, "what still works still counts"
    door.open.set()
    sent = await asked
    assert told(sent) == (503, "too_slow")  # and the app's own answer goes nowhere
    assert now() == pytest.approx(REQUEST_S + 0.1)
    assert door.asgi._in_flight == 0


@in_virtual_time
async def test_an_answer_in_time_is_the_only_one() -> None:
    door = Door()
    asked = asyncio.create_task(door.ask())
    await asyncio.sleep(REQUEST_S - 0.1)
    door.open.set()
    assert told(await asked) == (201, None)
    await asyncio.sleep(REQUEST_S)
    assert told(await asked) == (201, None)
