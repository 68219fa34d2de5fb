"""A whole payloom of real processes for tests of secrets: what they say goes to files."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from payloom.core.postgres.layout import layout_of

PROGRAM = (sys.executable, "-m", "payloom.cli")
WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Program:
    """A long-running process; its log is a file of its own, appended to by the next one."""

    process: Process
    said: Any  # what it said when it was ready
    log: Path

    @property
    def url(self) -> str:
        url: str = self.said["url"]
        return url

    async def stop(self) -> int:
        """SIGTERM: what is in flight is finished."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), WITHIN_S)

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@dataclass(slots=True)
class House:
    """One environment, and the processes in it."""

    folder: Path
    environment: dict[str, str]
    programs: list[Program] = field(default_factory=list)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    async def run(self, *arguments: str, **more: str) -> Ended:
        """A command to its end; what it writes to stderr is kept like a log."""
        process = await self.begin(*arguments, **more)
        out, err = await asyncio.wait_for(process.communicate(), WITHIN_S)
        with (self.logs / "commands.log").open("ab") as file:
            file.write(err)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def done(self, *arguments: str, **more: str) -> Any:
        """What a command that must not fail answers as JSON."""
        ended = await self.run(*arguments, "--json", **more)
        assert ended.code == 0, (ended.code, ended.out, ended.err)
        return ended.json

    async def begin(self, *arguments: str, **more: str) -> Process:
        return await asyncio.create_subprocess_exec(
            *PROGRAM, *arguments, env=self.environment | more, stdin=DEVNULL, stdout=PIPE,
            stderr=PIPE,
        )  # fmt: skip

    async def start(self, name: str, *arguments: str, **more: str) -> Program:
        """A program, as soon as it says that it is ready."""
        log = self.logs / f"{name}.log"
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *PROGRAM, *arguments, "--json", env=self.environment | more, stdin=DEVNULL,
                stdout=PIPE, stderr=file,
            )  # fmt: skip
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), WITHIN_S)
        assert line, log.read_text()
        program = Program(process, json.loads(line), log)
        self.programs.append(program)
        return program

    def kill_database(self) -> None:
        """SIGKILL to the embedded server."""
        layout = layout_of(self.folder / "payloom", 18)
        os.kill(int(layout.pid_file.read_text().split()[0]), signal.SIGKILL)

    async def close(self) -> None:
        for program in self.programs:
            if program.process.returncode is None:
                await program.kill()


@asynccontextmanager
async def opened(folder: Path, **settings: str) -> AsyncIterator[House]:
    """A house in this folder; everything in it ends with the test."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = {
        **kept,
        "HOME": str(folder),
        "PAYLOOM_HOME": str(folder / "payloom"),
        "PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    house = House(folder, environment | settings)
    house.logs.mkdir(parents=True)
    try:
        yield house
    finally:
        await house.close()
