"""The API of webhooks over real HTTP, called as a merchant's program calls it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI

from payloom.core.idempotency import Keys
from payloom.core.web import problems
from payloom.core.web.middleware import Correlate
from payloom.merchants.auth import Authenticate
from payloom.runtime import Runtime
from payloom.webhooks.api import router


class Api:
    """Calls as one merchant."""

    def __init__(self, session: aiohttp.ClientSession, key: str) -> None:
        self._session = session
        self._key = key

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._key}", **more.pop("headers", {})}
        async with self._session.request(method, path, headers=headers, **more) as response:
            return response.status, await response.json(content_type=None)

    async def get(self, path: str, **query: Any) -> tuple[int, Any]:
        return await self.call("GET", path, params=query)

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        return await self.call("POST", path, json=body, headers=headers)

    def as_(self, key: str) -> "Api":
        return Api(self._session, key)


@asynccontextmanager
async def serving(rt: Runtime) -> AsyncIterator[str]:
    """The routes on a free port of this loop; their URL."""
    app = FastAPI()
    app.state.rt = rt
    app.state.idempotency = Keys(rt.db)
    problems.install(app)
    app.include_router(router)
    app.add_middleware(Authenticate, rt_of=lambda _scope: rt)
    app.add_middleware(Correlate)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False)
    )
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 – uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task
