"""Processes on one database that hold different master keys."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from payloom.core.master_keys import MasterKeys
from payloom.runtime import Runtime, running
from payloom.settings import Settings

OLD, NEW, NEWER = (bytes([number]) * 32 for number in (1, 2, 3))

Holding = Callable[..., AbstractAsyncContextManager[Runtime]]


@pytest.fixture
def holding(dsn: str, settings: Settings) -> Holding:
    """`async with holding(NEW, OLD) as rt`: a process with these keys, the newest first."""

    @asynccontextmanager
    async def process(*keys: bytes) -> AsyncIterator[Runtime]:
        async with running(settings, dsn, MasterKeys(keys)) as rt:
            yield rt

    return process
