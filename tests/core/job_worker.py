"""A worker of its own process: `python -m tests.core.job_worker DSN KEY`."""

import asyncio
import sys

from payloom.core.master_keys import MasterKeys, parse
from payloom.runtime import running
from payloom.settings import Settings
from payloom.worker import Worker


async def main(dsn: str, master_keys: str) -> None:
    settings = Settings.from_env({"HOME": "."})
    async with running(settings, dsn, MasterKeys(parse(master_keys))) as rt:
        await Worker(rt).run()


asyncio.run(main(*sys.argv[1:]))
