"""What the worker calls; each job is one flow."""

from datetime import datetime

from payloom.core.jobs import Job
from payloom.refunds.return_surplus import return_surplus
from payloom.runtime import Runtime


async def run_return_surplus(rt: Runtime, job: Job) -> datetime | None:
    """Send unwanted money back; when to go on, or None."""
    return await return_surplus(rt, job.merchant_id, job.subject)
