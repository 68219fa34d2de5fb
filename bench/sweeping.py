"""What one sweep of a PSP's event list costs, by the number of pages that are open meanwhile."""

import asyncio
import time
from dataclasses import dataclass

from bench import accounts
from bench.stage import Stage
from payloom.embedded import opened
from payloom.notices.sweep import sweep

BATCHES, SWEEPS = 5, 500  # the least of the batches: what else a machine does only adds


@dataclass(frozen=True, slots=True)
class Sweeping:
    """CPU of a sweep, in milliseconds: of the process that sweeps, and of PostgreSQL for it."""

    open_pages: int
    own_ms: float
    database_ms: float

    @property
    def ms(self) -> float:
        return self.own_ms + self.database_ms


def cost_of_a_sweep(stage: Stage, open_pages: int) -> Sweeping:
    """Measured in this process, on the stage's database and sandbox, with nothing else to do."""
    return asyncio.run(_measure(stage, open_pages))


async def _measure(stage: Stage, open_pages: int) -> Sweeping:
    own, database = [], []
    async with opened(stage.settings) as rt:
        await sweep(rt, stage.whose.connection_id)  # connections open, statements are prepared
        for _ in range(BATCHES):
            own_before, database_before = time.process_time(), _database_s(stage)
            for _ in range(SWEEPS):
                await sweep(rt, stage.whose.connection_id)
            own.append(1000 * (time.process_time() - own_before) / SWEEPS)
            database.append(1000 * (_database_s(stage) - database_before) / SWEEPS)
    return Sweeping(open_pages, min(own), min(database))


def _database_s(stage: Stage) -> float:
    return accounts.cpu_seconds(accounts.read_books(), stage.pids["PostgreSQL"])
