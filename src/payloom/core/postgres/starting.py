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

IN_USE = "PostgreSQL did not start: another server, perhaps in another container, holds the cluster"
# The dead postmaster is not reaped yet, or its children still hold its memory.
REFUSALS = ('lock file "', "pre-existing shared memory block")


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
    make_socket_directory(layout)
    write_settings(layout, durable=durable)
    command: Command = [found / "postgres", "-D", layout.data]
    deadline = time.monotonic() + RETRY_S
    while True:
        started = _spawn_guarded(command, layout, spawn)
        if started and _is_accepted(started):
            return started
        if time.monotonic() > deadline or (started and not _is_refused(layout)):
            raise failure(layout, "PostgreSQL did not start" if started else IN_USE)
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


def _spawn_guarded(command: Command, layout: Layout, spawn: Spawn) -> Started | None:
    """Spawn with `server.lock` held, which all processes of the server inherit; None if there
    still is one. It needs neither pids nor memory to be shared, so it also sees other containers.
    """
    kill_remains(layout)
    guard = locked_at_once(layout.server_lock)
    if guard is None:
        return None
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_NOFOLLOW
    log = os.open(layout.start_log, flags, 0o600)
    try:
        _remove_notes(layout)
        return spawn(command, layout, log, guard)
    finally:
        os.close(log)
        os.close(guard)


def _remove_notes(layout: Layout) -> None:
    """Remove what a killed server wrote of itself; that it is gone is certain by now.

    PostgreSQL refuses to start for ever if the pid it finds is meanwhile a stranger's.
    """
    noted = read_pid_file(layout)
    if noted and is_alive(noted.pid):
        layout.pid_file.unlink()
    for left in layout.sockets.glob(".s.PGSQL.*"):
        left.unlink()


def _is_accepted(started: Started) -> bool:
    """Wait until the server is past all refusals, or ended. It notes its status once it holds
    lock, memory and socket."""

    def has_noted_status() -> bool:
        noted = read_pid_file(started.layout)
        return noted is not None and noted.pid == started.pid and noted.status != ""

    wait_until(lambda: has_noted_status() or started.has_ended(), READY_S)
    return not started.has_ended()


def _is_refused(layout: Layout) -> bool:
    return any(reason in tail(layout.start_log) for reason in REFUSALS)
