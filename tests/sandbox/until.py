"""Waiting for what happens in another process."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(is_so: Callable[[], Awaitable[bool]], within_s: float = 5) -> None:
    async with asyncio.timeout(within_s):
        while not await is_so():  # noqa: ASYNC110 another process sets no event of ours
            await asyncio.sleep(0.02)
