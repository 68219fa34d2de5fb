"""Bringing a postmaster up, also over the remains of a killed one."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from payloom.core.postgres.cluster import create
from payloom.core.postgres.config import write_settings
from payloom.core.postgres.errors import LauncherError, tail
from payloom.core.postgres.layout import Layout, make_socket_directory
from payloom.core.postgres.locate import programs
from payloom.core.postgres.process import (
    end,
    is_alive,
    is_postmaster,
    kill_orphans,
    read_pid_file,
    running,
    wait_until,
)
from payloom.core.postgres.run import Command, run_as_child, run_detached

RETRY_S = 5.0
STOP_S = 30.0
READY_S = 120.0  # recovery after a crash replays up to max_wal_size

# The dead postmaster is not reaped yet, or its children still hold its memory.
REFUSALS = ('lock file "', "pre-existing shared memory block")


@dataclass(frozen=True, slots=True)
class Started:
    """A server process: its id, and how to see that it ended."""

    pid: int
    has_ended: Callable[[], bool]
    child: subprocess.Popen[bytes] | None = None


Spawn = Callable[[Command, Layout, int], Started]


def bring_up(layout: Layout, spawn: Spawn, *, durable: bool) -> tuple[Layout, Started]:
    """Create the cluster if need be, and start its server. The caller holds the lock, and has
    seen that none runs."""
    found = programs(layout.version, layout.account)
    if not layout.data.is_dir():
        layout = create(layout, found, durable=durable)
    make_socket_directory(layout)
    write_settings(layout, durable=durable)
    command: Command = [found / "postgres", "-D", layout.data]
    deadline = time.monotonic() + RETRY_S
    while True:
        _clear_remains(layout)
        started = _spawn_logged(command, layout, spawn)
        if _is_accepted(layout, started):
            return layout, started
        refused = any(reason in tail(layout.start_log) for reason in REFUSALS)
        if not refused or time.monotonic() > deadline:
            raise failure(layout, "PostgreSQL did not start")
        time.sleep(0.1)


def wait_ready(layout: Layout, has_ended: Callable[[], bool], timeout_s: float) -> None:
    """Return once the server takes connections; raise when it ended or time is over."""
    wait_until(lambda: is_serving(layout) or has_ended(), timeout_s)
    if not is_serving(layout):
        raise failure(layout, "PostgreSQL did not become ready")


def is_serving(layout: Layout) -> bool:
    """Whether a live server takes connections at our socket (a cleaner of /tmp may remove it)."""
    noted = running(layout)
    return noted is not None and noted.status == "ready" and layout.socket.is_socket()


def shut_down(layout: Layout, timeout_s: float = STOP_S) -> bool:
    """Stop whoever serves this cluster; False if nobody does."""
    noted = running(layout)
    if noted is None:
        return False
    end(noted.pid, lambda: not is_postmaster(layout, noted.pid), timeout_s)
    if is_postmaster(layout, noted.pid):
        raise failure(layout, f"PostgreSQL (process {noted.pid}) does not stop")
    return True


def as_child(command: Command, layout: Layout, log: int) -> Started:
    """Spawn for a caller who reaps the server."""
    child = run_as_child(command, layout.account.identity, log)
    return Started(child.pid, lambda: child.poll() is not None, child)


def detached(command: Command, layout: Layout, log: int) -> Started:
    """Spawn for a caller who goes away."""
    pid = run_detached(command, layout.account.identity, log)
    return Started(pid, lambda: not is_alive(pid))


def failure(layout: Layout, what: str) -> LauncherError:
    """An error that ends with what the server said."""
    logs = sorted(layout.log.glob("*.log"), key=lambda log: log.stat().st_mtime)
    return LauncherError(f"{what} in {layout.data}.{tail(layout.start_log, *logs[-1:])}")


def _clear_remains(layout: Layout) -> None:
    """Remove what a killed server left, where it could block the next one.

    A pid that meanwhile is a stranger's makes PostgreSQL refuse to start for ever. The lock that
    we hold, and the orphans being gone, make it safe to remove the note.
    """
    kill_orphans(layout)
    noted = read_pid_file(layout)
    if noted and is_alive(noted.pid) and not is_postmaster(layout, noted.pid):
        layout.pid_file.unlink()
    for left in layout.sockets.glob(".s.PGSQL.*"):
        left.unlink()


def _spawn_logged(command: Command, layout: Layout, spawn: Spawn) -> Started:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_NOFOLLOW
    log = os.open(layout.start_log, flags, 0o600)
    try:
        return spawn(command, layout, log)
    finally:
        os.close(log)


def _is_accepted(layout: Layout, started: Started) -> bool:
    """Wait until the server is past all refusals, or ended. It notes its status once it holds
    lock, memory and socket."""

    def has_noted_status() -> bool:
        noted = read_pid_file(layout)
        return noted is not None and noted.pid == started.pid and noted.status != ""

    wait_until(lambda: has_noted_status() or started.has_ended(), READY_S)
    return not started.has_ended()
