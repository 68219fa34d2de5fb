"""Setting up: everything once, and whatever got lost again."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from payloom.connectors.stripe.notices import EVENT_TYPES
from payloom.core import ids
from payloom.demo.ports import Ports, any_free
from payloom.demo.setup import Setup
from payloom.demo.state import State
from payloom.merchants.connections import connection_for_psp
from payloom.runtime import Runtime
from payloom.webhooks.endpoints import get_endpoint


@asynccontextmanager
async def sandbox(port: int, store: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "payloom.sandbox", "--port", str(port), "--store", str(store)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert re.match(rb"sandbox ready at ", await asyncio.wait_for(process.stdout.readline(), 30))
    try:
        yield
    finally:
        process.terminate()
        await process.communicate()


@pytest.fixture
def ports() -> Ports:
    return Ports(any_free(), any_free(), any_free())


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


@pytest.fixture
def setup(rt: Runtime, http: aiohttp.ClientSession, ports: Ports, tmp_path: Path) -> Setup:
    state = State()
    return Setup(rt, http, ports, state, lambda: state.save(tmp_path / "state.json"))


async def all_of(setup: Setup) -> list[bool]:
    """What had to be made, step by step."""
    return [
        await setup.merchant(),
        await setup.connection(),
        await setup.webhooks_to_us(),
        await setup.webhooks_to_shop(),
    ]


async def psp_endpoints(setup: Setup) -> Any:
    headers = {"Authorization": f"Bearer {setup.state.psp_api_key}"}
    url = f"{setup.ports.sandbox_url}/v1/webhook_endpoints"
    async with setup.http.get(url, headers=headers) as response:
        return (await response.json())["data"]


async def test_a_second_run_makes_nothing(setup: Setup, ports: Ports, tmp_path: Path) -> None:
    async with sandbox(ports.sandbox, tmp_path / "s"):
        assert await all_of(setup) == [True] * 4
        kept = State.load(tmp_path / "state.json")
        assert kept == setup.state
        assert await all_of(setup) == [False] * 4
        assert setup.state == kept


async def test_a_sandbox_that_forgot_everything_gets_its_endpoint_again(
    setup: Setup, ports: Ports, tmp_path: Path
) -> None:
    async with sandbox(ports.sandbox, tmp_path / "one"):
        await all_of(setup)
    before = setup.state.psp_webhook_secret
    async with sandbox(ports.sandbox, tmp_path / "two"):
        assert await all_of(setup) == [False, False, True, False]
        (endpoint,) = await psp_endpoints(setup)
        assert endpoint["id"] == setup.state.psp_endpoint_id
        assert setup.state.psp_webhook_secret != before


async def test_the_psp_is_asked_for_the_events_that_move_something_and_no_others(
    setup: Setup, ports: Ports, tmp_path: Path
) -> None:
    async with sandbox(ports.sandbox, tmp_path / "s"):
        await all_of(setup)
        (endpoint,) = await psp_endpoints(setup)
        assert endpoint["enabled_events"] == list(EVENT_TYPES)
        headers = {"Authorization": f"Bearer {setup.state.psp_api_key}"}
        url = f"{ports.sandbox_url}/v1/webhook_endpoints/{endpoint['id']}"
        asked_before = {"enabled_events[0]": "*"}  # by an earlier version
        async with setup.http.post(url, headers=headers, data=asked_before) as response:
            assert response.status == 200
        assert await setup.webhooks_to_us()
        (mended,) = await psp_endpoints(setup)
        assert (mended["id"], mended["enabled_events"]) == (endpoint["id"], list(EVENT_TYPES))


async def test_an_endpoint_whose_secret_was_never_noted_is_replaced(
    setup: Setup, ports: Ports, tmp_path: Path
) -> None:
    async with sandbox(ports.sandbox, tmp_path / "s"):
        await all_of(setup)
        setup.state.psp_endpoint_id = ""  # killed between making it and noting it
        assert await setup.webhooks_to_us()
        assert [each["id"] for each in await psp_endpoints(setup)] == [setup.state.psp_endpoint_id]


async def test_other_ports_move_all_addresses(
    setup: Setup, rt: Runtime, http: aiohttp.ClientSession, ports: Ports, tmp_path: Path
) -> None:
    async with sandbox(ports.sandbox, tmp_path / "s"):
        await all_of(setup)
    old_endpoint, secret = setup.state.shop_endpoint_id, setup.state.psp_webhook_secret
    moved = Ports(any_free(), any_free(), any_free())
    again = Setup(rt, http, moved, setup.state, setup.save)
    async with sandbox(moved.sandbox, tmp_path / "s"):
        assert await all_of(again) == [False, True, True, True]
        state = again.state
        merchant_id = ids.parse("mer", state.merchant_id)
        used = await connection_for_psp(rt, merchant_id, "stripe")
        assert (ids.text("con", used.id), used.api_base) == (state.connection_id, moved.sandbox_url)
        (endpoint,) = await psp_endpoints(again)
        assert endpoint["url"] == f"{moved.api_url}/psp/stripe/{state.connection_id}/notices"
        assert state.psp_webhook_secret == secret
        gone = await get_endpoint(rt, merchant_id, ids.parse("whe", old_endpoint))
        assert gone.disabled_at is not None
        here = await get_endpoint(rt, merchant_id, ids.parse("whe", state.shop_endpoint_id))
        assert here.url == f"{moved.shop_url}/webhooks"


async def test_a_merchant_whose_database_is_gone_is_made_anew(
    setup: Setup, ports: Ports, tmp_path: Path
) -> None:
    async with sandbox(ports.sandbox, tmp_path / "s"):
        await all_of(setup)
        before = setup.state.api_key
        setup.state.merchant_id = ids.text("mer", ids.new())  # as an empty database sees it
        assert await all_of(setup) == [True] * 4
        assert setup.state.api_key != before


def test_a_state_that_cannot_be_read_is_a_fresh_one(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert State.load(path) == State()
    for text in ("", "[]", "{", '{"ports": {"api": 1}}', '{"ports": 3}', "null"):
        path.write_text(text)
        assert State.load(path) == State()
