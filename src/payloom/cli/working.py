"""The worker as a process, with a small door for operators."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uvloop
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from payloom.cli.failing import Failure
from payloom.cli.patience import opened
from payloom.core import log
from payloom.settings import Settings
from payloom.worker import Worker


def run(settings: Settings, host: str, port: int | None, *, as_json: bool) -> None:
    """Work until SIGTERM or SIGINT, then finish what was begun."""
    log.configure(settings.log_level, process="worker")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, host, port, as_json=as_json))


async def _work(settings: Settings, host: str, port: int | None, *, as_json: bool) -> None:
    async with opened(settings) as rt, _door(host, port) as url:
        worker = Worker(rt)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)
        line = f"worker ready at {url}" if url else "worker ready"
        print(json.dumps({"url": url}) if as_json else line, flush=True)
        await worker.run()
        structlog.get_logger().info("worker.stopped")


@asynccontextmanager
async def _door(host: str, port: int | None) -> AsyncIterator[str | None]:
    """/healthz and /metrics, if a port was given; its URL."""
    if port is None:
        yield None
        return
    app = web.Application()
    app.add_routes([web.get("/healthz", _healthz), web.get("/metrics", _metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise Failure(f"Cannot listen on {host}, port {port}: {error.strerror}") from None
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
