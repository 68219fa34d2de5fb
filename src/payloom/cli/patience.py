"""A process that starts before its database waits for it, and says so."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from payloom import embedded
from payloom.cli.failing import Failure
from payloom.core import points
from payloom.core.db import DatabaseAway
from payloom.merchants import queries
from payloom.runtime import Runtime, running
from payloom.settings import Settings

log = structlog.get_logger()

WAIT_S = 30.0
PAUSE_S, PAUSE_S_MAX = 0.25, 2.0
# Waiting does not mend these.
_HOPELESS = (
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


async def until_ready(settings: Settings) -> str:
    """The app's URL of a database that answers and is up to date.

    Raises Failure when it is away for WAIT_S, or holds real money and PAYLOOM_CRASH_AT is set;
    NotReady when migrations are missing, we come as the wrong role or our master key is lost; and
    MasterKeyWrong.
    """
    deadline, pause = time.monotonic() + WAIT_S, PAUSE_S
    while True:
        try:
            url = embedded.database_url(settings)
            await embedded.ensure_migrated(settings, url)
            await embedded.ensure_owns_nothing(url)
            await embedded.ensure_key(settings, url)
            if settings.crash_at:
                await _refuse_to_crash(url)
            return url
        except DatabaseAway as away:
            if isinstance(away.__cause__, _HOPELESS):
                raise Failure(f"The database refuses us: {away.detail}") from None
            if time.monotonic() + pause > deadline:
                raise Failure(f"The database was away for {WAIT_S:.0f} s: {away.detail}") from None
            log.warning("database.away", error=away.detail, again_in_s=round(pause, 2))
        await asyncio.sleep(pause)
        pause = min(pause * 2, PAUSE_S_MAX)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Runtime]:
    """A runtime, as soon as there is a database for it."""
    url = await until_ready(settings)
    async with running(settings, url, embedded.master_keys(settings)) as rt:
        if at := settings.crash_at:
            points.arm(at)
            log.warning("point.armed", point=at.name, passing=at.passing)
        yield rt


async def _refuse_to_crash(url: str) -> None:
    """Raises Failure where anybody's real money is at stake."""
    with embedded.reaching():
        connection = await asyncpg.connect(url, timeout=5)
        try:
            is_live = await queries.has_live_merchant(connection)
        finally:
            await connection.close()
    if is_live:
        raise Failure("PAYLOOM_CRASH_AT is for tests, and there is a merchant in live mode")
