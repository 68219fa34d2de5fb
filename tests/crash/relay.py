"""Carries bytes to one of the processes and back, and sees each piece go by.

So a kill can come in the midst of a conversation: the request is out and nobody will hear the
answer (F12, F13), or the answer is out and whoever gave it is gone (F01, F43).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PIECE_BYTES = 65_536


@dataclass
class Relay:
    """Listens at `url`; `target` is the port behind, None while nobody listens there.

    `happened` is told of each piece before it goes on, and answers whether somebody died of it;
    then the piece is lost, and the conversation with it.
    """

    url: str = ""
    target: int | None = None
    happened: Callable[[], bool] = bool
    talks: set["asyncio.Task[None]"] = field(default_factory=set)

    def begin(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._talk(near, back))
        self.talks.add(talk)
        talk.add_done_callback(self.talks.discard)

    async def _talk(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        ends = [back]
        try:
            if self.target is None:
                return
            far, there = await asyncio.open_connection("127.0.0.1", self.target)
            ends.append(there)
            ways = [
                asyncio.create_task(self._pump(near, there)),
                asyncio.create_task(self._pump(far, back)),
            ]
            # When one side has hung up, so has the other.
            _, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in rest:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # nobody there any more
        finally:
            for end in ends:
                end.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while (piece := await source.read(PIECE_BYTES)) and not self.happened():
            sink.write(piece)
            await sink.drain()


@asynccontextmanager
async def open_relay(relay: Relay) -> AsyncIterator[None]:
    server = await asyncio.start_server(relay.begin, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield
    finally:
        server.close()
        for talk in relay.talks:
            talk.cancel()
        await asyncio.gather(*relay.talks, return_exceptions=True)
