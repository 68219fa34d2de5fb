"""A demo as a process, on a home of the test's own, and what tests ask of it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PROGRAMS = ("api", "worker", "sandbox", "shop")
CHILDREN = (*PROGRAMS, "database")
UP_WITHIN_S = 90
BACK_WITHIN_S = 30


@dataclass(slots=True)
class Demo:
    """One `payloom demo` and its home."""

    home: Path
    process: "subprocess.Popen[bytes]"
    output: Path

    @property
    def facts(self) -> dict[str, str]:
        facts: dict[str, str] = json.loads((self.home / "demo.json").read_text())
        return facts

    def said(self) -> str:
        return self.output.read_text()

    def pid_of(self, name: str) -> int | None:
        """The pid of a child that is alive."""
        if name == "database":
            files = list((self.home / "postgres").glob("*/data/postmaster.pid"))
            pid = int(files[0].read_text().split()[0]) if files else None
        else:
            note = self.home / "demo" / "running" / f"{name}.json"
            pid = json.loads(note.read_text())["pid"] if note.exists() else None
        return pid if pid is not None and is_alive(pid) else None

    def pids(self) -> dict[str, int | None]:
        return {name: self.pid_of(name) for name in CHILDREN}

    def kill(self, name: str) -> int:
        """SIGKILL, and what it was called."""
        pid = self.pid_of(name)
        assert pid is not None, f"{name} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], Any], within_s: float, what: str) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)
    return answer


def environment(home: Path, **more: str) -> dict[str, str]:
    ours = ("PAYLOOM_", "SHOP_", "STRIPE_", "PORT_BASE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PAYLOOM_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), **more}


def payloom(
    home: Path, *arguments: str, within_s: float = 120, **more: str
) -> "subprocess.CompletedProcess[str]":
    """A command on this home, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "payloom.cli", *arguments],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )


@contextmanager
def demo_on(home: Path, *arguments: str, **more: str) -> Iterator[Demo]:
    """A demo that is up; stopped afterwards if it still runs."""
    home.parent.mkdir(parents=True, exist_ok=True)
    output = home.parent / f"{home.name}.out"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "payloom.cli", "demo", *arguments],
            env=environment(home, **more),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    demo = Demo(home, process, output)
    try:
        until(lambda: is_up(demo), UP_WITHIN_S, "the demo is up")
        yield demo
    finally:
        with suppress(ProcessLookupError):
            if process.poll() is None:
                demo.stop()


def is_up(demo: Demo) -> bool:
    assert demo.process.poll() is None, f"it ended:\n{demo.said()}"
    return "Ctrl-C" in demo.said() and (demo.home / "demo.json").exists()


def _first_port() -> int:
    """Where this process begins to look: none begins where a neighbour does."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return 20_000 + worker % 4 * 3_000 + os.getpid() % 900 * 3


def three_free_ports(after: int = 0) -> int:
    """The first of three in a row, below those that the system gives out by itself."""
    for base in range((after or _first_port()) + 1, 32000, 3):
        with suppress(OSError):
            for port in range(base, base + 3):
                with socket.create_server(("127.0.0.1", port)):
                    continue
            return base
    raise AssertionError("no three ports in a row are free")
