"""What the worker calls; each job is one flow."""

from datetime import datetime

from payloom.core.jobs import Job
from payloom.notices.sweep import sweep
from payloom.runtime import Runtime


async def run_sweep(rt: Runtime, job: Job) -> datetime | None:
    """Read the connection's event list at the PSP; when to do so again, or None."""
    return await sweep(rt, job.subject)
