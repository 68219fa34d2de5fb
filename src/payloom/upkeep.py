"""What a worker does now and then: measure the queues, forget what need not be kept."""

from datetime import timedelta

from payloom.core import idempotency
from payloom.core.metrics import OLDEST_SECONDS, QUARANTINED, WAITING
from payloom.merchants import vault
from payloom.runtime import Runtime

KEEP_ANSWERS = timedelta(days=30)
REAP_AT_ONCE = 1_000

_QUEUES = """
SELECT 'notices' AS queue, count(*) AS waiting, min(next_at) AS oldest
  FROM notices WHERE state = 'stored' AND next_at <= $1
UNION ALL
SELECT 'deliveries', count(*), min(next_at)
  FROM deliveries WHERE state = 'pending' AND next_at <= $1
UNION ALL
SELECT 'jobs', count(*), min(run_at)
  FROM jobs WHERE quarantined_at IS NULL AND run_at <= $1
"""

_QUARANTINED = """
SELECT 'notices' AS queue, count(*) AS waiting FROM notices WHERE state = 'quarantined'
UNION ALL
SELECT 'jobs', count(*) FROM jobs WHERE quarantined_at IS NOT NULL
UNION ALL
SELECT 'deliveries', count(*) FROM deliveries WHERE state = 'exhausted'
"""


async def upkeep(rt: Runtime) -> None:
    """Once round: gauges set, old answers and ended secrets reaped."""
    now = rt.clock()
    async with rt.db.statement() as tx:
        for row in await tx.fetch(_QUEUES, now):
            age = (now - row["oldest"]).total_seconds() if row["oldest"] else 0.0
            WAITING.labels(row["queue"]).set(row["waiting"])
            OLDEST_SECONDS.labels(row["queue"]).set(max(0.0, age))
        for row in await tx.fetch(_QUARANTINED):
            QUARANTINED.labels(row["queue"]).set(row["waiting"])
        await idempotency.reap(tx, now - KEEP_ANSWERS, limit=REAP_AT_ONCE)
        await vault.forget_ended(tx, now, limit=REAP_AT_ONCE)
