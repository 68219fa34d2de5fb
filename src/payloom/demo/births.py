"""Telling a process from a later one with the same number: by when it was born."""

import os
import subprocess
from pathlib import Path

PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"


def birth_of(pid: int) -> str | None:
    """A text that no other process on this machine ever has; None when there is no such process,
    or only a zombie. It stays the same when the process executes another program."""
    if BOOT.exists():
        return _by_proc(pid)
    return _by_ps(pid)


def _by_proc(pid: int) -> str | None:
    try:
        after_name = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, threads, ticks_since_boot = after_name[0], int(after_name[17]), after_name[19]
    # The first thread may be a zombie while others still hold the files and ports of the process.
    if state == b"X" or (state == b"Z" and threads <= 1):
        return None
    return f"{BOOT.read_text().strip()}:{ticks_since_boot.decode()}"


def _by_ps(pid: int) -> str | None:
    """For systems without /proc; to the second, which is as fast as numbers come round."""
    said = subprocess.run(  # noqa: S603 – a number is all that comes from outside
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    ).stdout.split(None, 1)
    return said[1].strip() if len(said) == 2 and not said[0].startswith("Z") else None
