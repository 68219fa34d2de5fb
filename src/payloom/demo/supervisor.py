"""Keeps children running: one that ends is started again, and is said to be."""

import asyncio
import signal
import time
from collections.abc import Callable

from payloom.core.postgres import LauncherError
from payloom.demo import DemoError
from payloom.demo.children import Child
from payloom.demo.home import Home

# The pause before a child is started again: none, unless it keeps ending.
PAUSES_S = (0.0, 0.2, 0.5, 1.0, 2.0, 3.0)
STEADY_S = 10.0  # who lived this long ended by accident, not by habit
TRIES_AT_FIRST = 3
FIRST_START_S = 90.0
TAIL_LINES = 8

Tell = Callable[[str], None]


class Keeper:
    """Keeps one child running from `start` to `stop`."""

    def __init__(self, child: Child, home: Home, tell: Tell) -> None:
        self.child = child
        self._home = home
        self._tell = tell
        self._healthy = asyncio.Event()  # set by the first life that got so far, and stays
        self._stopping = asyncio.Event()
        self._is_wanted_end = False
        self._ends_in_a_row = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once the child does its work. Raises DemoError with the end of its log."""
        self._task = asyncio.create_task(self._keep())
        self._task.add_done_callback(self._tell_if_broken)
        healthy = asyncio.create_task(self._healthy.wait())
        await asyncio.wait(
            {healthy, self._task}, timeout=FIRST_START_S, return_when=asyncio.FIRST_COMPLETED
        )
        healthy.cancel()
        if self._task.done():
            await self._task  # raises what it ended of
        if not self._healthy.is_set():
            raise DemoError(f"The {self.child.name} does not start.{self._tail()}")

    async def restart(self) -> None:
        """End the child so that it is started anew."""
        self._is_wanted_end = True
        await self.child.stop()

    async def stop(self) -> None:
        self._stopping.set()
        await self.child.stop()
        if self._task is not None:
            await asyncio.wait({self._task})

    def _tell_if_broken(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) and self._healthy.is_set():
            self._tell(f"{self.child.name} is not watched over any more: {error!r}")

    async def _keep(self) -> None:
        ended_at = time.monotonic()
        while not self._stopping.is_set():
            started_at = time.monotonic()
            how = await self._live(ended_at)
            if self._stopping.is_set():
                return
            self._ends_in_a_row += 1
            ended_at = time.monotonic()
            if ended_at - started_at > STEADY_S or self._is_wanted_end:
                self._ends_in_a_row = 1
            if not self._healthy.is_set() and self._ends_in_a_row >= TRIES_AT_FIRST:
                raise DemoError(f"The {self.child.name} {how}.{self._tail()}")
            await self._pause(how)

    async def _live(self, since: float) -> str:
        """One life of the child; how it ended."""
        try:
            await self.child.start()
        except (LauncherError, OSError) as error:
            return f"cannot be started: {error}"
        if self._stopping.is_set():
            await self.child.stop()
            return "was stopped"
        watching = asyncio.create_task(self._watch(since))
        code = await self.child.ended()
        watching.cancel()
        await asyncio.wait({watching})
        return _how(code)

    async def _watch(self, since: float) -> None:
        try:
            await self.child.until_healthy()
        except LauncherError:
            return  # it ended; `ended` tells
        is_again = self._healthy.is_set()
        self._healthy.set()
        if is_again and not self._stopping.is_set():
            took = time.monotonic() - since
            self._tell(f"{self.child.name} is back after {took:.1f} s (process {self.child.pid})")

    async def _pause(self, how: str) -> None:
        pause = PAUSES_S[min(self._ends_in_a_row, len(PAUSES_S)) - 1]
        when = f"starting it again in {pause} s" if pause else "starting it again"
        log = self._home.log(self.child.name)
        see = f"; see {log}" if self._ends_in_a_row > 1 and log.exists() else ""
        if not self._is_wanted_end:
            self._tell(f"{self.child.name} {how}; {when}{see}")
        self._is_wanted_end = False
        try:
            await asyncio.wait_for(self._stopping.wait(), pause or 0.001)
        except TimeoutError:
            return

    def _tail(self) -> str:
        log = self._home.log(self.child.name)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join(["", f"The end of {log}:", *lines[-TAIL_LINES:]]) if lines else ""


class Supervisor:
    """The keepers of all children."""

    def __init__(self, home: Home, tell: Tell) -> None:
        self._home = home
        self._tell = tell
        self._keepers: dict[str, Keeper] = {}

    async def start(self, child: Child) -> None:
        """Keep a child running; return once it does its work. Raises DemoError."""
        keeper = self._keepers[child.name] = Keeper(child, self._home, self._tell)
        await keeper.start()

    async def restart(self, *names: str) -> None:
        """End children so that they are started anew."""
        await asyncio.gather(*(self._keepers[name].restart() for name in names))

    async def stop(self, *order: set[str]) -> None:
        """Stop everything, group by group: who is asked last may be needed by the others."""
        for group in order:
            keepers = [keeper for name, keeper in self._keepers.items() if name in group]
            await asyncio.gather(*(keeper.stop() for keeper in keepers))


def _how(code: int) -> str:
    if code >= 0:
        return f"ended (exit code {code})"
    try:
        return f"was killed ({signal.Signals(-code).name})"
    except ValueError:
        return f"was killed (signal {-code})"
