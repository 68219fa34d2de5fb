"""Ends what a supervisor left behind that was killed before it could stop its processes."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from payloom.demo.births import birth_of
from payloom.demo.home import Home

PATIENCE_S = 3.0
PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Orphan:
    """A process that one of our notes names, and that is that very process still."""

    name: str
    pid: int
    birth: str

    @property
    def is_alive(self) -> bool:
        return birth_of(self.pid) == self.birth

    def send(self, number: signal.Signals) -> None:
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


async def end_orphans(home: Home) -> list[Orphan]:
    """Ask them to end, then make them; the ones there were. The caller holds the claim."""
    found = [orphan for path in sorted(home.notes.glob("*.json")) if (orphan := _read(path))]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for orphan in found:
            orphan.send(number)
        await _until_gone(found)
    for path in home.notes.iterdir():
        path.unlink()
    return found


def _read(path: Path) -> Orphan | None:
    try:
        note = json.loads(path.read_text())
        orphan = Orphan(path.stem, int(note["pid"]), str(note["birth"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # half a note is from before the program started
    return orphan if orphan.is_alive else None


async def _until_gone(orphans: list[Orphan]) -> None:
    for _ in range(int(PATIENCE_S / PAUSE_S)):
        if not any(orphan.is_alive for orphan in orphans):
            return
        await asyncio.sleep(PAUSE_S)
