"""python -m payloom.demo.tied NOTE PARENT PROGRAM …: a program that must not outlive its parent.

Run between the supervisor and each of its processes, which it then becomes. It leaves a note of
who it is, so that the next supervisor can end what a killed one left behind; and where the kernel
can, it asks to be ended together with its parent. The parent is looked at last: had it died
before, nobody would ever come for us.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from payloom.demo.births import birth_of
from payloom.demo.home import write_private

PR_SET_PDEATHSIG = 1


def main(note: Path, parent: int, program: list[str]) -> None:
    """Become the program; exits 1 if the parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    pid = os.getpid()
    write_private(note, json.dumps({"pid": pid, "birth": birth_of(pid)}))
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 – our own programs


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
