"""`python -m bench.janitor HOME`: removes everything when the benchmark ends, however it ends.

It holds a pipe from the benchmark and reads the process ids it is told. When the pipe closes, be
it in good order, by Ctrl-C or because the benchmark was killed, it ends those processes, the
database, and deletes the home.
"""

import os
import select
import shutil
import signal
import sys
from pathlib import Path

from payloom.core import postgres

PATIENCE_S = 25.0  # the API and the worker finish what is in flight


def main() -> None:
    home = Path(sys.argv[1])
    handles = [handle for line in sys.stdin if (handle := _handle_of(int(line))) is not None]
    for number, patience_s in ((signal.SIGTERM, PATIENCE_S), (signal.SIGKILL, 5.0)):
        for handle in handles:
            _send(handle, number)
        handles = _still_alive(handles, patience_s)
    postgres.remove(home)
    shutil.rmtree(home, ignore_errors=True)


def _handle_of(pid: int) -> int | None:
    """A handle stays that of this process, even if its number is given to another one."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _send(handle: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return  # gone already, which is what we want


def _still_alive(handles: list[int], patience_s: float) -> list[int]:
    waiting = select.poll()
    left = set(handles)
    for handle in left:
        waiting.register(handle, select.POLLIN)
    while left and (ended := waiting.poll(patience_s * 1000)):
        for handle, _ in ended:
            waiting.unregister(handle)
            left.discard(handle)
    return list(left)


if __name__ == "__main__":
    main()
