"""Whatever an endpoint answers, a try ends in time, reads little, and follows no redirect."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiohttp import web

from payloom.core import ids
from payloom.core.clock import real_now
from payloom.core.secret import Secret
from payloom.runtime import Runtime
from payloom.webhooks.deliver import Outlet
from payloom.webhooks.send import Answer, Message, new_session, send
from tests.webhooks.receiver import Receiver, answering, open_receiver
from tests.webhooks.rows import deliver, deliveries, endpoint_at, tell

SECRETS = [Secret("whsec_c2VjcmV0IG9mIHR3ZW50eS1mb3VyIGJ5dGVz")]
Talking = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_means_delivered(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, status: int
) -> None:
    assert await ends(rt, merchant, receiver, outlet, status) == ("delivered", status, None)


@pytest.mark.parametrize("status", [304, 400, 401, 404, 418, 429, 500, 502, 503, 599])
async def test_any_other_answer_is_tried_again(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, status: int
) -> None:
    state, kept, error = await ends(rt, merchant, receiver, outlet, status)
    assert (state, kept) == ("pending", status)
    assert error is not None
    assert error.startswith(f"answered {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, status: int
) -> None:
    async with open_receiver() as elsewhere:
        receiver.answer = answering(status, Location=elsewhere.url)
        await endpoint_at(rt, merchant, receiver.url)
        await tell(rt, merchant)
        await deliver(rt, outlet)
        assert elsewhere.got == []
    (row,) = await deliveries(rt)
    assert row["last_error"] == f"answered {status}; redirects are not followed"


async def test_an_endpoint_that_never_answers_is_left_in_time() -> None:
    async def silence(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    answer, seconds = await answer_to(silence, timeout_s=0.3)
    assert answer == Answer(None, "no answer in time")
    assert seconds < 1


async def test_an_endpoint_that_drips_its_headers_is_left_in_time() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(300):
            writer.write(b"X-A: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)

    answer, seconds = await answer_to(drip, timeout_s=0.5)
    assert answer == Answer(None, "no answer in time")
    assert seconds < 1.5


async def test_a_2xx_whose_body_never_ends_counts_and_is_left_soon() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(300):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)

    answer, seconds = await answer_to(drip, timeout_s=15)
    assert answer == Answer(200, None)
    assert seconds < 2


async def test_of_a_huge_answer_only_a_little_is_read() -> None:
    written = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 500 Oh\r\nContent-Length: 1000000000\r\n\r\n")
        while written < 1_000_000_000:
            writer.write(bytes(65_536))
            await writer.drain()
            written += 65_536

    answer, seconds = await answer_to(flood, timeout_s=15)
    assert answer == Answer(500, "answered 500")
    assert seconds < 2
    assert written < 20_000_000  # what fits into the buffers of two kernels' ends


async def test_a_short_answer_is_read_as_it_came_and_its_connection_used_again(
    receiver: Receiver,
) -> None:
    """The answer unpacks to a megabyte: who unpacked it would stop reading, and hang up."""
    peers = set()

    async def bomb(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(
            body=gzip.compress(bytes(1_000_000)), headers={"Content-Encoding": "gzip"}
        )

    receiver.answer = bomb
    message = Message(ids.new(), receiver.url, "{}")
    async with new_session(allow_loopback=True) as session:
        for _ in range(3):
            assert await send(session, message, SECRETS, real_now()) == Answer(200, None)
    assert len(peers) == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"\x00\xff\xfe\x00" * 100,
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 \xff\xff\xff OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=range(11),
)
async def test_nonsense_is_a_failure_told_in_our_words(nonsense: bytes) -> None:
    async def babble(writer: asyncio.StreamWriter) -> None:
        writer.write(nonsense)
        await writer.drain()

    answer, _ = await answer_to(babble, timeout_s=5)
    assert answer.status is None
    assert answer.error is not None
    assert answer.error.isascii()
    assert answer.error.isprintable()


async def ends(
    rt: Runtime, merchant: UUID, receiver: Receiver, outlet: Outlet, status: int
) -> tuple[str, int | None, str | None]:
    await endpoint_at(rt, merchant, receiver.url)
    receiver.answer = answering(status)
    await tell(rt, merchant)
    await deliver(rt, outlet)
    (row,) = await deliveries(rt)
    return row["state"], row["last_status"], row["last_error"]


async def answer_to(talk: Talking, *, timeout_s: float) -> tuple[Answer, float]:
    """What `send` makes of a server that reads a request and then talks like this."""
    started = time.monotonic()
    async with (
        talker(talk) as url,
        new_session(allow_loopback=True, timeout_s=timeout_s) as session,
    ):
        message = Message(ids.new(), url, "{}")
        answer = await send(session, message, SECRETS, real_now())
        return answer, time.monotonic() - started


@asynccontextmanager
async def talker(talk: Talking) -> AsyncIterator[str]:
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks)
        server.close()
        await server.wait_closed()
