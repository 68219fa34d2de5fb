"""The one way out to a PSP: never inside a transaction, always within a total deadline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from payloom.core import waiting
from payloom.core.db import forbid_in_transaction
from payloom.core.metrics import PSP_CALL_SECONDS

DEADLINE_S = 10.0


class NoAnswer(Exception):
    """The PSP did not answer, or not in time: whether it acted is unknown (F13, F19)."""


@asynccontextmanager
async def psp_call(psp: str, verb: str, *, deadline_s: float = DEADLINE_S) -> AsyncIterator[None]:
    """Bounds a whole call (connect, send, every byte of the answer) to `deadline_s` seconds.

    Raises NoAnswer at the deadline, RuntimeError if a transaction is open (I25).
    """
    forbid_in_transaction(f"{psp}.{verb}")
    with PSP_CALL_SECONDS.labels(psp, verb).time(), waiting.counted():
        try:
            async with asyncio.timeout(deadline_s):
                yield
        except TimeoutError as late:
            raise NoAnswer(f"{psp} did not answer {verb} within {deadline_s:g} s") from late


def new_session() -> aiohttp.ClientSession:
    """The process's connections to PSPs: pooled, no redirects followed by callers, no proxies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=200, keepalive_timeout=30),
        timeout=aiohttp.ClientTimeout(total=30, connect=5),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
