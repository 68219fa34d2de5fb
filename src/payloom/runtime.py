"""What every flow is handed: database, clock, settings, connectors, and the way out to PSPs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import aiohttp
import structlog

from payloom.connectors.catalog import discover
from payloom.connectors.gates import Gates
from payloom.connectors.http import new_session
from payloom.core.cache import Cache
from payloom.core.clock import Clock
from payloom.core.db import Database, DatabaseAway
from payloom.core.master_keys import MasterKeys
from payloom.settings import Settings

log = structlog.get_logger()

CLOCK_REFRESH_S = 1.0
CACHE_TTL_S = 5.0  # how long a revoked key or changed connection may still be used
DRAIN_S = 20.0
NOTICES_AT_ONCE = 2  # taken in by one process; more of them keep shoppers' requests waiting


class Runtime:
    """One per process. `rt` in a signature means: opens transactions, may talk to the world."""

    def __init__(
        self, settings: Settings, db: Database, http: aiohttp.ClientSession, keys: MasterKeys
    ) -> None:
        self.settings = settings
        self.db = db
        self.http = http
        self.master_keys = keys
        self.clock = Clock()
        self.specs = discover()
        self.gates = Gates(percent=settings.psp_rate_percent)
        self.cache = Cache(ttl_s=CACHE_TTL_S)
        self.taking_notices = asyncio.Semaphore(NOTICES_AT_ONCE)
        self._spawned: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run to the end whoever stops waiting for it; shutdown waits for it too (F07)."""
        task = asyncio.create_task(work)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)
        return task

    async def drain(self) -> None:
        """Wait for everything spawned, DRAIN_S seconds at most."""
        if self._spawned:
            await asyncio.wait(self._spawned, timeout=DRAIN_S)


@asynccontextmanager
async def running(settings: Settings, dsn: str, keys: MasterKeys) -> AsyncIterator[Runtime]:
    """A runtime from connect to close, its clock following the database's row."""
    db = await Database.connect(dsn, size_max=settings.database_pool, label=keys.label)
    http = new_session()
    rt = Runtime(settings, db, http, keys)
    await follow_clock(rt)
    ticking = asyncio.create_task(_keep_following(rt))
    try:
        yield rt
    finally:
        await rt.drain()
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
        await http.close()
        await db.close()


async def follow_clock(rt: Runtime) -> None:
    """Take the business clock's offset from its row."""
    async with rt.db.statement() as tx:
        seconds = await tx.fetchval("SELECT offset_seconds FROM business_clock")
    rt.clock.offset = timedelta(seconds=seconds)


async def _keep_following(rt: Runtime) -> None:
    while True:
        await asyncio.sleep(CLOCK_REFRESH_S)
        try:
            await follow_clock(rt)
        except DatabaseAway as away:
            log.warning("clock.not_read", error=away.detail)
