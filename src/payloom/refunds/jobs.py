"""What the worker calls; each job is one flow."""

from datetime import datetime

from payloom.core.jobs import Job
from payloom.refunds.ask import carry_on
from payloom.refunds.return_surplus import return_surplus
from payloom.runtime import Runtime


async def run_return_surplus(rt: Runtime, job: Job) -> datetime | None:
    """Send unwanted money back; when to go on, or None."""
    return await return_surplus(rt, job.merchant_id, job.subject)


async def run_refund(rt: Runtime, job: Job) -> datetime | None:
    """Ask what became of a refund; when to ask again, or None."""
    return await carry_on(rt, job.merchant_id, job.subject)
