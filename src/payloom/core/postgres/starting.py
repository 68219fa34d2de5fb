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
from payloom.core.postgres.lock import locked_at_once
from payloom.core.postgres.process import (
    PAUSE_S,
    end,
    is_alive,
    is_postmaster,
    kill_remains,
    read_pid_file,
    running,
    wait_until,
)
from payloom.core.postgres.run import Command, run_as_child, run_detached

RETRY_S = 5.0
STOP_S = 30.0
READY_S = 120.0  # recovery after a crash replays up to max_wal_size


@dataclass(frozen=True, slots=True)
class Started:
    """A server process: where it runs, its id, and how to see that it ended."""

    layout: Layout
    pid: int
    has_ended: Callable[[], bool]
    child: subprocess.Popen[bytes] | None = None


Spawn = Callable[[Command, Layout, int, int], Started]


def bring_up(layout: Layout, spawn: Spawn, *, durable: bool) -> Started:
    """Create the cluster if need be, and start its server. The caller holds the lock, and has
    seen that none runs."""
    found = programs(layout.version, layout.account)
    if not layout.data.is_dir():
        layout = create(layout, found, durable=durable)
    guard = _take_server_lock(layout)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_NOFOLLOW
    log = os.open(layout.start_log, flags, 0o600)
    try:
        make_socket_directory(layout)
        _remove_notes(layout)
        write_settings(layout, durable=durable)
        started = spawn([found / "postgres", "-D", layout.data], layout, log, guard)
    finally:
        os.close(log)
        os.close(guard)
    _wait_accepted(started)
    return started


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


def as_child(command: Command, layout: Layout, log: int, guard: int) -> Started:
    """Spawn for a caller who reaps the server."""
    child = run_as_child(command, layout.account.identity, log=log, keep=guard)
    return Started(layout, child.pid, lambda: child.poll() is not None, child)


def detached(command: Command, layout: Layout, log: int, guard: int) -> Started:
    """Spawn for a caller who goes away."""
    pid = run_detached(command, layout.account.identity, log=log, keep=guard)
    return Started(layout, pid, lambda: not is_alive(pid))


def failure(layout: Layout, what: str) -> LauncherError:
    """An error that ends with what the server said."""
    logs = sorted(layout.log.glob("*.log"), key=lambda log: log.stat().st_mtime)
    return LauncherError(f"{what} in {layout.data}.{tail(layout.start_log, *logs[-1:])}")


def _take_server_lock(layout: Layout) -> int:
    """Wait until no process of an earlier server is left, and keep others from starting one.

    The server inherits the lock with all its children, and the kernel lets go of it after their
    last file and memory. So it tells more than pids do: a killed server that nobody reaped is
    gone, and one in another container is not.
    """
    deadline = time.monotonic() + RETRY_S
    while True:
        kill_remains(layout)
        guard = locked_at_once(layout.server_lock)
        if guard is not None:
            return guard
        if time.monotonic() > deadline:
            raise failure(layout, "Another server, perhaps in another container, runs already")
        time.sleep(PAUSE_S)


def _remove_notes(layout: Layout) -> None:
    """Remove what a killed server wrote of itself, now that it is certainly gone. PostgreSQL
    would refuse to start as long as the pid is anybody's, be it a stranger's or a zombie's."""
    layout.pid_file.unlink(missing_ok=True)
    for left in layout.sockets.glob(".s.PGSQL.*"):
        left.unlink()


def _wait_accepted(started: Started) -> None:
    """Return once the server holds lock, memory and socket, which is when it notes its status."""

    def has_noted_status() -> bool:
        noted = read_pid_file(started.layout)
        return noted is not None and noted.pid == started.pid and noted.status != ""

    wait_until(lambda: has_noted_status() or started.has_ended(), READY_S)
    if started.has_ended():
        raise failure(started.layout, "PostgreSQL did not start")
