"""Storms play on the stage of the stories, and end with the same invariants.

The gates to the PSP count time as the business does here: what a minute does to them, a minute of
the business clock does.
"""

import time
from collections.abc import AsyncIterator

import pytest

from payloom.connectors.gates import Gates
from payloom.runtime import Runtime
from tests.scenarios.conftest import sandbox_url
from tests.scenarios.invariants import check_invariants
from tests.scenarios.stage import Stage, open_stage

__all__ = ["sandbox_url"]


@pytest.fixture
async def stage(rt: Runtime, sandbox_url: str) -> AsyncIterator[Stage]:
    rt.gates = Gates(clock=lambda: time.monotonic() + rt.clock.offset.total_seconds())
    async with open_stage(rt, sandbox_url) as stage:
        yield stage
        await stage.sandbox("DELETE", "/_sandbox/faults")
        await check_invariants(stage)
