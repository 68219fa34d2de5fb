"""What is in the database, counted: a refusal must change nothing."""

from payloom.runtime import Runtime

# not `jobs`, which the worker empties, nor what only grows by reading
TABLES = (
    "merchants api_keys connections secrets idempotency_keys payment_orders attempts payment_log"
    " ledger_postings ledger_entries notices notices_seen webhook_endpoints events deliveries"
).split()


async def counted(rt: Runtime) -> dict[str, int]:
    """Rows of every table."""
    async with rt.db.statement() as tx:
        return {table: await tx.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}
