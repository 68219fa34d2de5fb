"""A merchant's server: a real HTTP server that keeps what it gets and answers as told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Got:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """`answer` may be replaced at any time."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answer: Answering = field(default_factory=lambda: answering(200))
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append(
            Got(
                request.path,
                {k.lower(): v for k, v in request.headers.items()},
                await request.read(),
            )
        )
        async with self._news:
            self._news.notify_all()
        return await self.answer(request)

    async def wait_for(self, count: int) -> None:
        """Until so many requests have arrived; the test's own timeout bounds it."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.got) >= count)


def answering(status: int, **headers: str) -> Answering:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, text="thank you")

    return answer


@asynccontextmanager
async def open_receiver(*, port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        yield receiver
    finally:
        await runner.cleanup()
