"""payloom demo, from the first line on the terminal to the last."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from payloom.core import log
from payloom.demo import DemoError
from payloom.demo.claim import Claim, claimed, who_runs
from payloom.demo.home import Home
from payloom.demo.once import play
from payloom.demo.orphans import end_orphans
from payloom.demo.ports import choose
from payloom.demo.progress import Progress
from payloom.demo.reload import watch_sources
from payloom.demo.stack import TITLES, Stack
from payloom.demo.state import State
from payloom.demo.supervisor import Supervisor
from payloom.demo.terminal import Terminal
from payloom.settings import Settings

OTHER_READY_WITHIN_S = 90.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
URLS = ("shop_url", "api_url", "sandbox_url")

Facts = dict[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for."""

    port_base: int | None
    once: bool
    reload: bool
    as_json: bool


def run(settings: Settings, wanted: Wanted) -> int:
    """The exit code. Raises DemoError when the demo cannot run."""
    if settings.database_url is not None:
        raise DemoError("The demo brings its own database: unset PAYLOOM_DATABASE_URL")
    log.configure("WARNING", process="demo")
    return asyncio.run(_Run(settings, wanted).run())


class _Run:
    """One run of the command."""

    def __init__(self, settings: Settings, wanted: Wanted) -> None:
        self.settings = settings
        self.wanted = wanted
        self.home = Home(settings.home)
        self.terminal = Terminal(as_json=wanted.as_json)
        self.stopped = asyncio.Event()

    async def run(self) -> int:
        with claimed(self.home) as claim:
            if claim is None and not self.wanted.once:
                raise DemoError(
                    f"{_runs_already(self.home)}. Use that one, stop it with Ctrl-C in its"
                    " terminal, or set PAYLOOM_HOME for one of its own"
                )
            for number in SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, self.stopped.set)
            if claim is not None:
                return await self._run_own(claim)
            other = await self._unless_stopped(_facts_of_other(self.home))
            if other is None:
                return 1
            self.terminal.tell(f"{_runs_already(self.home)}; the payment is played on it")
            return await self._play(other)

    async def _run_own(self, claim: Claim) -> int:
        for orphan in await end_orphans(self.home):
            self.terminal.tell(f"{orphan.name} was left behind by a killed demo; ended it")
        async with self._up() as (stack, facts):
            if facts is None:
                return 1
            claim.say(ready=True, **{name: facts[name] for name in URLS})
            if self.wanted.once:
                return await self._play(facts)
            self.terminal.welcome(self.home, {name: facts[name] for name in URLS})
            reloading = asyncio.create_task(self._reload(stack))
            await self.stopped.wait()
            reloading.cancel()
            self.terminal.tell("stopping: shop, API, worker, sandbox, database")
        return 0

    @asynccontextmanager
    async def _up(self) -> AsyncIterator[tuple[Stack, Facts | None]]:
        """Everything started, and stopped afterwards; no facts if we were told to stop before."""
        state = State.load(self.home.state)
        stack = Stack(
            settings=self.settings,
            home=self.home,
            ports=choose(self.wanted.port_base, state.ports),
            state=state,
            supervisor=Supervisor(self.home, self.terminal.tell),
            progress=Progress(self.terminal.console, TITLES),
        )
        try:
            with stack.progress.shown():
                facts = await self._unless_stopped(stack.start())
            yield stack, facts
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            await stack.stop()

    async def _play(self, facts: Facts) -> int:
        played = await self._unless_stopped(play(self.settings, facts, self.terminal.console))
        if played is None:
            return 1
        self.terminal.as_json(played.as_json())
        return 0 if played.is_good else 1

    async def _reload(self, stack: Stack) -> None:
        if self.wanted.reload:
            async for names in watch_sources(self.terminal.tell):
                await stack.supervisor.restart(*names)

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What `work` answers; None if we are told to stop before it does."""
        task, told = asyncio.create_task(work), asyncio.create_task(self.stopped.wait())
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait({task})
        return None


async def _facts_of_other(home: Home) -> Facts:
    """What demo.json says once the demo that runs already is ready."""
    deadline = time.monotonic() + OTHER_READY_WITHIN_S
    while not (who_runs(home).get("ready") and home.facts.exists()):
        if time.monotonic() > deadline:
            raise DemoError(f"{_runs_already(home)}, but it does not become ready")
        await asyncio.sleep(0.1)
    facts: Facts = json.loads(home.facts.read_text())
    return facts


def _runs_already(home: Home) -> str:
    other = who_runs(home)
    where = f"; its shop is {other['shop_url']}" if "shop_url" in other else ""
    return f"A demo runs already on {home.root}: process {other.get('pid', 'unknown')}{where}"


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Tasks that started together fail together; one reason is enough for a person."""
    cause = group.exceptions[0]
    return _first(cause) if isinstance(cause, BaseExceptionGroup) else cause
