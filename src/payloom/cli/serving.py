"""The API as processes: uvicorn around the app, in one process or several."""

import asyncio
import functools
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from payloom.app import create_app
from payloom.cli.bounded import BoundedProtocol
from payloom.cli.failing import FAILED, Failure
from payloom.cli.opening import read_settings
from payloom.cli.patience import opened, until_ready
from payloom.core import log
from payloom.runtime import DRAIN_S, Runtime
from payloom.settings import Settings
from payloom.worker import Worker

BACKLOG = 2048
CONNECTIONS_MAX = 10_000  # per process; more are told 503 before they cost memory
KEEP_ALIVE_S = 75  # longer than a load balancer's, so that it is never us who hang up first
GRACE_S = int(DRAIN_S) + 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked for."""

    host: str
    port: int
    workers: int
    with_worker: bool
    as_json: bool


def run(settings: Settings, wanted: Wanted) -> None:
    """Serve until a signal; what is in flight is finished. Raises Failure when it cannot start."""
    log.configure(settings.log_level, process="api")
    # Looked at before anything listens: a process that cannot work must say so and end.
    asyncio.run(until_ready(settings))
    listener = _listen(wanted.host, wanted.port)
    url = _url(listener)
    config = uvicorn.Config(
        "payloom.cli.serving:" + ("app_with_worker" if wanted.with_worker else "app"),
        factory=True,
        workers=wanted.workers,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    # uvicorn shuts down in good order and hands the signal on: that is a good end, not a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    if wanted.workers == 1:
        _Server(config, url, as_json=wanted.as_json).run(sockets=[listener])
        raise Failure("The API could not start; the log says why", FAILED)
    tell_ready(url, as_json=wanted.as_json, processes=wanted.workers)
    Multiprocess(config, sockets=[listener]).run()


def app() -> FastAPI:
    """What each process of uvicorn makes for itself."""
    settings = _settings_of_process()
    return create_app(lambda: opened(settings))


def app_with_worker() -> FastAPI:
    """The same, with the worker's loops beside the requests."""
    settings = _settings_of_process()
    return create_app(functools.partial(_opened_with_worker, settings))


def tell_ready(url: str, *, as_json: bool, **facts: object) -> None:
    """The line on stdout that scripts wait for."""
    line = json.dumps({"url": url, **facts}) if as_json else f"api ready at {url}"
    print(line, flush=True)


class _Server(uvicorn.Server):
    """Says on stdout when it is ready."""

    def __init__(self, config: uvicorn.Config, url: str, *, as_json: bool) -> None:
        super().__init__(config)
        self._url, self._as_json = url, as_json

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            tell_ready(self._url, as_json=self._as_json)


@asynccontextmanager
async def _opened_with_worker(settings: Settings) -> AsyncIterator[Runtime]:
    async with opened(settings) as rt:
        worker = Worker(rt)
        working = asyncio.create_task(worker.run())
        working.add_done_callback(lambda task: _end_if_broken(worker, task))
        try:
            yield rt
        finally:
            worker.stop()
            await working


def _end_if_broken(worker: Worker, task: "asyncio.Task[None]") -> None:
    """Half a process is worse than none: whoever supervises us starts a whole one."""
    if not task.cancelled() and (broken := task.exception()):
        structlog.get_logger().error("worker.ended", exc_info=broken)
        os.kill(os.getpid(), signal.SIGTERM)


def _settings_of_process() -> Settings:
    settings = read_settings()
    log.configure(settings.log_level, process="api")
    return settings


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Failure(f"Cannot listen on {host}, port {port}: {error.strerror}") from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
