"""For those who work on payloom: which processes to start anew when a source file changes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import payloom

SOURCES = Path(payloom.__file__).parent
SUFFIXES = (".py", ".html", ".css", ".js", ".svg")
PAUSE_S = 0.5
# Programs of their own; everything else is part of the API and the worker.
APART = {"shop": ("shop",), "sandbox": ("sandbox",), "demo": (), "cli": ("api", "worker")}


async def watch_sources(
    tell: Callable[[str], None], sources: Path = SOURCES
) -> AsyncIterator[tuple[str, ...]]:
    """The names of the processes to restart, each time something was saved."""
    before = await asyncio.to_thread(_times, sources)
    while True:
        await asyncio.sleep(PAUSE_S)
        now = await asyncio.to_thread(_times, sources)
        changed = sorted(path for path in now if now[path] != before.get(path))
        before = now
        names = dict.fromkeys(name for path in changed for name in _programs_of(path))
        if names:
            shown = ", ".join(str(path) for path in changed[:3])
            tell(f"{shown} changed; restarting {', '.join(names)}")
            yield tuple(names)


def _programs_of(path: Path) -> tuple[str, ...]:
    return APART.get(path.parts[0], ("api", "worker"))


def _times(sources: Path) -> dict[Path, int]:
    times = {}
    for path in sources.rglob("*"):
        if path.suffix in SUFFIXES:
            with suppress(FileNotFoundError):  # an editor's file, gone already
                times[path.relative_to(sources)] = path.stat().st_mtime_ns
    return times
