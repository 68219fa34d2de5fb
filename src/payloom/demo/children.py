"""The two kinds of children a supervisor has: programs of ours, and the database server."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

from payloom.core.postgres import Postmaster
from payloom.demo.home import Home

PROBE_PAUSE_S = 0.05
PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2)
POLL_S = 0.05
STOP_S = 10.0
LOG_BYTES_MAX = 20_000_000


class Child(Protocol):
    """What is started, watched, and started again."""

    name: str

    @property
    def pid(self) -> int | None: ...

    async def start(self) -> None: ...

    async def until_healthy(self) -> None:
        """Return once it does its work; may take for ever, when it never will."""

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""

    async def stop(self) -> None:
        """In good order, and if that takes too long by force; harmless when it does not run."""


@dataclass(slots=True)
class Program:
    """One of our programs as a process with its own log, tied to this one."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    probe: str  # a URL that answers 200 when it does its work
    home: Home
    stop_s: float = STOP_S
    _process: Process | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        log = self.home.log(self.name)
        _shorten(log)
        note, parent = str(self.home.note(self.name)), str(os.getpid())
        with log.open("ab") as file:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "payloom.demo.tied", note, parent, *self.command),
                stdin=DEVNULL,
                stdout=file,
                stderr=file,
                env=self.environment,
                start_new_session=True,  # a Ctrl-C is for the supervisor, who stops us in order
            )

    async def until_healthy(self) -> None:
        async with aiohttp.ClientSession(timeout=PROBE_TIMEOUT) as http:
            while True:
                if await _answers(http, self.probe):
                    return
                await asyncio.sleep(PROBE_PAUSE_S)

    async def ended(self) -> int:
        return await self._process.wait() if self._process else 0

    async def stop(self) -> None:
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), self.stop_s)


class DatabaseServer:
    """The embedded PostgreSQL; its launcher blocks, so it is called in threads."""

    name = "database"

    def __init__(self, home: Path) -> None:
        self._postmaster = Postmaster(home, durable=True)

    @property
    def pid(self) -> int | None:
        return self._postmaster.pid

    async def start(self) -> None:
        await asyncio.to_thread(self._postmaster.start)

    async def until_healthy(self) -> None:
        await asyncio.to_thread(self._postmaster.wait_ready)

    async def ended(self) -> int:
        while True:
            if (code := self._postmaster.poll()) is not None:
                return code
            await asyncio.sleep(POLL_S)

    async def stop(self) -> None:
        await asyncio.to_thread(self._postmaster.stop)


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _shorten(log: Path) -> None:
    """One old log is kept; a demo that runs for weeks must not fill the disk."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".old.log"))
