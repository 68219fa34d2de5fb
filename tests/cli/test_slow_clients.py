"""Clients that send their request byte by byte, or not at all (F09)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from payloom.cli.bounded import BoundedProtocol

SLOW_CLIENTS = 500
HEAD_WITHIN_S = 0.3
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if Request(scope).url.path == "/slow":
        await asyncio.sleep(3 * HEAD_WITHIN_S)
    response: Response = PlainTextResponse("here")
    await response(scope, receive, send)


@asynccontextmanager
async def served(head_within: float) -> AsyncIterator[int]:
    """The port of a server with our limits, but for the time."""

    class Hasty(BoundedProtocol):
        head_within_s = head_within

    config = uvicorn.Config(
        app, port=0, http=Hasty, lifespan="off", log_level="warning", timeout_keep_alive=3_600
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 # uvicorn tells it by a flag only
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served(HEAD_WITHIN_S) as port:
        yield port


async def drip(streams: Streams) -> bytes:
    """A head that never ends; what came back when they hung up."""
    reader, writer = streams
    writer.write(b"GET / HTTP/1.1\r\nx-drip: ")
    try:
        while not reader.at_eof():
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.1)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_others_are_served_while_five_hundred_drip() -> None:
    async with served(60) as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(SLOW_CLIENTS)]
        dripping = [asyncio.create_task(drip(streams)) for streams in slow]
        await asyncio.sleep(0.5)
        async with aiohttp.ClientSession() as http:
            for _ in range(20):
                async with http.get(f"http://127.0.0.1:{port}/") as response:
                    assert await response.text() == "here"
        assert not any(task.done() for task in dripping)
        for task in dripping:
            task.cancel()
        await asyncio.gather(*dripping, return_exceptions=True)


async def test_who_drips_is_hung_up_on(port: int) -> None:
    assert await drip(await asyncio.open_connection("127.0.0.1", port)) == b""


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\n"])
async def test_a_head_that_does_not_come_is_not_waited_for(port: int, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await reader.read()  # to the end of the connection
    assert answer.count(b"200 OK") == sent.count(b"\r\n\r\n")
    writer.close()


async def test_an_answer_may_take_its_time_also_before_a_head_that_does_not_come(
    port: int,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\n")
    assert (await reader.read()).count(b"200 OK") == 1
    writer.close()
