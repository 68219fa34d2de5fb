"""The API and the worker of a chain: started again whenever they die, to die of something else."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from payloom.audit.run import Finding
from tests.crash.aims import API, WORKER, Aim, Aims, random_moment
from tests.crash.relay import Relay
from tests.crash.warm import become

WORDS = {API: ("serve", "--port", "0"), WORKER: ("worker",)}
READY_S = 300
# A life that has not come to its point after so many things is taken at a random moment.
THINGS_PATIENCE = 800

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.crash.warm"])


@dataclass(slots=True)
class Life:
    """One process from start to death."""

    process: ForkServerProcess
    aim: Aim | None
    things_left: int
    told: Connection  # its standard output; closed with it, since a process may not write to nobody
    is_ready: bool = False
    is_taken: bool = False  # by us, and not by itself at its point


class Lives:
    """Keeps both processes alive. `happened` counts what goes on, and takes who is due.

    `between` runs after each death and before the next life of that process.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        log: Path,
        aims: Aims,
        api: Relay,
        between: Callable[[str], Awaitable[None]],
    ) -> None:
        self.findings: list[Finding] = []
        self.is_over = False  # from now on nobody is sent to die
        self._environ, self._log, self._aims, self._between = environ, log, aims, between
        self._api = api  # where the API is to be reached, whatever its port
        self._lives: dict[str, Life] = {}
        self._news = asyncio.Event()  # somebody was born or buried

    def happened(self) -> bool:
        """One thing more; whether somebody died of it."""
        died = False
        for process, life in self._lives.items():
            if life.aim is None:
                continue
            life.things_left -= 1
            if life.things_left == 0 and self._take(life):
                self._aims.hit[random_moment(process)] += 1
                died = True
        return died

    async def keep(self, process: str) -> None:
        """Until cancelled."""
        try:
            while True:
                aim = None if self.is_over else self._aims.next(process)
                life = await self._start(process, aim)
                await _readable(life.process.sentinel)
                life.process.join()
                self._bury(process, life)
                await self._between(process)
        finally:
            if process in self._lives:
                self._take(self._lives.pop(process))

    async def let_live(self) -> None:
        """Take those who are still sent to die, and wait until those who follow live for good."""
        self.is_over = True
        for life in self._lives.values():
            if life.aim is not None:
                self._take(life)
        while not self.findings and not all(
            life.is_ready and life.aim is None for life in self._lives.values()
        ):
            self._news.clear()
            await self._news.wait()

    async def _start(self, process: str, aim: Aim | None) -> Life:
        crash_at = {"PAYLOOM_CRASH_AT": str(aim)} if aim and aim.point else {}
        told, tell = _context.Pipe(duplex=False)
        born = _context.Process(
            target=become, args=(WORDS[process], {**self._environ, **crash_at}, tell, self._log)
        )
        born.start()
        tell.close()
        things = aim.count if aim and not aim.point else THINGS_PATIENCE
        life = self._lives[process] = Life(born, aim, things, told)
        async with asyncio.timeout(READY_S):
            await _readable(told.fileno())
        line = os.read(told.fileno(), 1_000).decode().strip()  # nothing, if it died already
        life.is_ready = bool(line)
        if process == API and line:
            self._api.target = int(line.rpartition(":")[2])
        self._news.set()
        return life

    def _take(self, life: Life) -> bool:
        """Kill it, unless it is dead; whether it was us."""
        if life.process.pid is None or not life.process.is_alive():
            return False
        os.kill(life.process.pid, signal.SIGKILL)
        life.is_taken = True
        return True

    def _bury(self, process: str, life: Life) -> None:
        """Nobody may end but by SIGKILL: that would be a bug, or a refusal to start."""
        life.told.close()
        if process == API:
            self._api.target = None
        code = life.process.exitcode
        if code != -signal.SIGKILL:
            last = self._last_words()
            self.findings.append(Finding("I28", process, f"ended with {code}", last))
        elif life.aim and life.aim.point and not life.is_taken:
            self._aims.hit[life.aim.point] += 1
        self._news.set()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "".join(lines[-1:])[:1_000]


async def _readable(descriptor: int) -> None:
    """Until there is something to read from it, or its other end is closed."""
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
