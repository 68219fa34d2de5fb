"""A front door before several API processes: each connection goes to one that listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class Front:
    """Its own URL, and where its connections go; a door that is shut is passed over."""

    url: str = ""
    behind: list[str] = field(default_factory=list)
    turn: int = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, inner = await self._open()
        except ConnectionRefusedError:
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, inner), _pass_on(answers, writer))

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.turn += 1
        for step in range(len(self.behind)):
            url = urlsplit(self.behind[(self.turn + step) % len(self.behind)])
            with suppress(ConnectionRefusedError):
                return await asyncio.open_connection(url.hostname, url.port)
        raise ConnectionRefusedError


@asynccontextmanager
async def open_front() -> AsyncIterator[Front]:
    front = Front()
    server = await asyncio.start_server(front.take, "127.0.0.1", 0)
    front.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield front


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
