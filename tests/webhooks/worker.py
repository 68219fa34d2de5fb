"""A worker of its own process that only delivers: `python -m tests.webhooks.worker DSN KEY`."""

import asyncio
import sys

from payloom.core.master_keys import MasterKeys, parse
from payloom.runtime import running
from payloom.settings import Settings
from payloom.webhooks.deliver import deliver_due, open_outlet


async def main(dsn: str, master_keys: str) -> None:
    settings = Settings.from_env({"PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes"})
    async with (
        running(settings, dsn, MasterKeys(parse(master_keys))) as rt,
        open_outlet(rt) as outlet,
    ):
        while True:
            await deliver_due(rt, outlet, limit=100)
            await asyncio.sleep(0.05)


asyncio.run(main(*sys.argv[1:]))
