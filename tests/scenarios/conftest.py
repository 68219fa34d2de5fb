"""The stage for stories, and the sandbox they all share (a tenant each)."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import aiohttp
import pytest

from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime
from tests.scenarios.invariants import check_invariants
from tests.scenarios.stage import Stage, connect_psp, fresh_psp_key, serving, working


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
    async with aiohttp.ClientSession() as http, serving(rt) as api_url, working(rt) as worker:
        rt.settings = replace(rt.settings, public_url=api_url)
        merchant = await create_merchant(rt, "Corner Shop", "test")
        psp_key = fresh_psp_key()
        connection_id = await connect_psp(
            rt, http, merchant, api_url=api_url, sandbox_url=sandbox_url, psp_key=psp_key
        )
        stage = Stage(rt, api_url, sandbox_url, merchant, connection_id, psp_key, http, worker)
        yield stage
        await check_invariants(stage)
