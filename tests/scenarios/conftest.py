"""The stage for stories, and the sandbox they all share (a tenant each)."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from payloom.runtime import Runtime
from tests.scenarios.invariants import check_invariants
from tests.scenarios.stage import Stage, open_stage


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """One sandbox process for the run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "payloom.sandbox", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    url = next(word for word in line.split() if word.startswith("http"))
    yield url.rstrip("/")
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
async def stage(rt: Runtime, sandbox_url: str) -> AsyncIterator[Stage]:
    """Whatever a story plays, the invariants hold at its end."""
    async with open_stage(rt, sandbox_url) as stage:
        yield stage
        await check_invariants(stage)
