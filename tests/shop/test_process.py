"""The shop as a process: it starts, it is killed, it starts again and has lost nothing."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.shop import stand_in
from tests.shop.conftest import Browser
from tests.shop.stand_in import StandIn


def environment(api: StandIn, store: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SHOP_API_URL": api.url,
        "SHOP_API_KEY": stand_in.API_KEY,
        "SHOP_RETURN_SECRET": stand_in.RETURN_SECRET,
        "SHOP_WEBHOOK_SECRET": stand_in.WEBHOOK_SECRET,
        "SHOP_STORE": str(store),
    }


async def start(*, port: int, env: dict[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "payloom.shop", "--port", str(port), env=env, stdout=PIPE, stderr=PIPE
    )


@asynccontextmanager
async def running(api: StandIn, store: Path, port: int = 0) -> AsyncIterator[tuple[Process, str]]:
    process = await start(port=port, env=environment(api, store))
    try:
        assert process.stdout
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
        assert line.startswith("shop ready at http://127.0.0.1:"), line
        yield process, line.split()[-1]
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@pytest.mark.crash
async def test_kill_9_loses_no_cart_no_order_and_no_event(
    api: StandIn, tmp_path: Path, new_browser: Callable[[str], Awaitable[Browser]]
) -> None:
    store = tmp_path / "deep" / "shop.sqlite"
    async with running(api, store) as (process, url):
        browser = await new_browser(url)
        await browser.buy("beans", "grinder")
        (order,) = api.orders.values()
        told = stand_in.event(order | {"payment_order_status": "PROCESSING"}, "payment_order.x", 2)
        assert await stand_in.deliver(url, told) == 200
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with running(api, store, port=int(url.rpartition(":")[2])) as (_, same_url):
        assert same_url == url
        assert await browser.cart_count() == 2
        story = await browser.story(order)
        assert story["payment_order_status"] == "PROCESSING"
        assert [one["sequence"] for one in story["events"]] == [2]
        paid = stand_in.event(
            order | {"payment_order_status": "SUCCEEDED"}, "payment_order.succeeded", 3
        )
        assert await stand_in.deliver(url, paid) == 200
        assert (await browser.story(order))["shop_status"] == "paid"


async def test_sigterm_ends_it_well(
    api: StandIn, tmp_path: Path, new_browser: Callable[[str], Awaitable[Browser]]
) -> None:
    async with running(api, tmp_path / "shop.sqlite") as (process, url):
        browser = await new_browser(url)
        assert await browser.get("/healthz") == "ok\n"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_bad_settings_end_it_at_once_naming_them_all() -> None:
    process = await start(port=0, env={"PYTHONPATH": os.pathsep.join(sys.path)})
    _, complaints = await process.communicate()
    assert process.returncode == 2
    assert all(name in complaints for name in (b"SHOP_API_URL", b"SHOP_API_KEY", b"SHOP_STORE"))
    assert b"Traceback" not in complaints
