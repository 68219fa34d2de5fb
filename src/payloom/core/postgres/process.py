"""Telling our server's processes from everybody else's.

A pid file proves little: after a kill or a reboot the number may be nobody's or a stranger's. So a
process counts as ours only if it belongs to the server's account and its command line names our
data directory (the postmaster) or our cluster (its children). Both may be read for any process,
unlike its working directory, which root in a container may not see.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from payloom.core.postgres.layout import Layout
from payloom.core.postgres.run import run

PROC = Path("/proc")
PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class PidFile:
    """What the server says of itself; `status` is empty until it has all its resources."""

    pid: int
    status: str


def read_pid_file(layout: Layout) -> PidFile | None:
    """The server's own note, if there is one that can be read."""
    try:
        lines = layout.pid_file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    if not lines[0].strip().isdigit():
        return None
    return PidFile(int(lines[0]), lines[7].strip().decode() if len(lines) > 7 else "")


def running(layout: Layout) -> PidFile | None:
    """The live postmaster of this very data directory, if any."""
    noted = read_pid_file(layout)
    return noted if noted and is_postmaster(layout, noted.pid) else None


def is_postmaster(layout: Layout, pid: int) -> bool:
    program, *words = _command_line(layout, pid) or [b""]
    return os.path.basename(program) == b"postgres" and os.fsencode(layout.data) in words


def kill_remains(layout: Layout) -> None:
    """End every process of a server that has no pid file any more, or no postmaster.

    A child busy with a long query outlives its killed postmaster, and a new server may not touch
    the files meanwhile. What it did not commit is lost, as for every client of a crashed server.
    """
    title = f"postgres: payloom-{layout.name}: ".encode()
    for entry in PROC.glob("[0-9]*"):
        pid = int(entry.name)
        words = _command_line(layout, pid)
        if is_postmaster(layout, pid) or (words and words[0].startswith(title)):
            _signal(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether the process exists and is more than a zombie that nobody reaped."""
    try:
        after_name = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2]
        return after_name.split()[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        if PROC.joinpath("self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end(pid: int, is_gone: Callable[[], bool], timeout_s: float) -> None:
    """Shut a postmaster down: fast, then at once, then by force."""
    for number, patience_s in (
        (signal.SIGINT, timeout_s),  # disconnects clients and writes a checkpoint
        (signal.SIGQUIT, 5.0),  # the next start recovers, as after a crash
        (signal.SIGKILL, 5.0),
    ):
        _signal(pid, number)
        if wait_until(is_gone, patience_s):
            return


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Look again and again; False when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_S)
    return True


def words_by_proc(pid: int, uid: int) -> list[bytes]:
    """The words a process was started with; empty if it is gone, a zombie or another user's."""
    try:
        if (PROC / str(pid)).stat().st_uid != uid:
            return []
        return (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def words_by_ps(pid: int, uid: int) -> list[bytes]:
    """The same where there is no /proc. Words are not told apart there, but for our server's."""
    said = run(["ps", "-o", "uid=,command=", "-p", str(pid)]).stdout.split(None, 1)
    if len(said) < 2 or int(said[0]) != uid:
        return []
    program, _, data = said[1].strip().partition(" -D ")
    return [os.fsencode(program), os.fsencode(data)]


def _command_line(layout: Layout, pid: int) -> list[bytes]:
    read = words_by_proc if PROC.joinpath("self").exists() else words_by_ps
    return read(pid, layout.account.uid)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # gone already, which is what we want
