"""A tiny HTTP server that answers whatever a test wants, byte for byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Writer = asyncio.StreamWriter


@dataclass(slots=True)
class Request:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


Script = Callable[[Writer], Awaitable[None]]


@dataclass(slots=True)
class Wire:
    """The server: `script` writes the next answers; `requests` is what came."""

    url: str = ""
    script: Script | None = None
    requests: list[Request] = field(default_factory=list)

    def answer(self, status: int, body: bytes, *headers: str) -> None:
        """Answer like this from now on."""

        async def write(writer: Writer) -> None:
            lines = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(body)}", *headers]
            if status in (204, 304):
                lines.pop(1)
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            if status not in (204, 304):
                writer.write(body)
            await writer.drain()

        self.script = write

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.strip().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (each.partition(": ") for each in rest)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append(Request(line, headers, body))
            assert self.script is not None
            await self.script(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up, as it may
        finally:
            writer.close()


@asynccontextmanager
async def opened() -> AsyncIterator[Wire]:
    wire = Wire()
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.ensure_future(wire.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
