"""The official Stripe CLI as a process of its own: a home of its own, and never for ever."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests import stripe_cli

WITHIN_S = 60


class Cli:
    """One account's CLI on one machine; `home` is where it keeps what it remembers."""

    def __init__(self, url: str, key: str, home: Path) -> None:
        self._api = ("--api-base", url)
        self._path = stripe_cli.executable() or ""
        self._environ = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "STRIPE_API_KEY": key,
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        }

    async def run(self, *words: str) -> tuple[int, str]:
        """Exit status, and all that it said."""
        process = await self._start(*words)
        try:
            async with asyncio.timeout(WITHIN_S):
                said, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        return process.returncode or 0, said.decode()

    @asynccontextmanager
    async def listening(self, *words: str) -> AsyncIterator["Listening"]:
        """`stripe listen`, from the moment that it is ready."""
        process = await self._start("listen", *words)
        listening = Listening(process)
        try:
            await listening.until("Ready!")
            yield listening
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(self._path, *words, *self._api),
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )


class Listening:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def until(self, words: str, times: int = 1) -> None:
        """Read on until it has said this so often."""
        assert self._process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            while self.said.count(words) < times:
                line = await self._process.stdout.readline()
                assert line, self.said
                self.said += line.decode()

    def secret(self) -> str:
        match = re.search(r"whsec_\w+", self.said)
        assert match, self.said
        return match[0]

    def heard(self) -> list[str]:
        """Types of the events that it showed, as they came."""
        return re.findall(r"--> (\S+) \[evt_", self.said)
