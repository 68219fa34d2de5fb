"""What most commands begin with: settings, quiet logs, and a runtime on the database."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from payloom.runtime import Runtime
    from payloom.settings import Settings

T = TypeVar("T")


def read_settings() -> "Settings":
    """The environment, checked. Raises BadSettings."""
    from payloom.settings import Settings

    return Settings.from_env(os.environ, is_root=os.geteuid() == 0)


def with_runtime(work: "Callable[[Runtime], Awaitable[T]]") -> T:
    """Run `work` on the database, and answer what it answers. Logs only what is wrong."""
    from payloom.core import log
    from payloom.embedded import opened

    settings = read_settings()
    log.configure("WARNING", process="cli")

    async def run() -> T:
        async with opened(settings) as rt:
            return await work(rt)

    return asyncio.run(run())
