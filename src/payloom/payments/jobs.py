"""What the worker calls; each job is one flow."""

from datetime import datetime

from payloom.core.jobs import Job
from payloom.payments.recover import look_up
from payloom.runtime import Runtime


async def run_look_up(rt: Runtime, job: Job) -> datetime | None:
    """Ask the PSP about the attempt; when to ask again, or None."""
    return await look_up(rt, job.subject)
