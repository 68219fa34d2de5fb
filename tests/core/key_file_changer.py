"""Changes a file of master keys and dies by SIGKILL at its n-th touch of a file in that folder.

`python -m tests.core.key_file_changer PATH CHANGE N`; with N 0 it lives, and says how many
touches there were.
"""

import os
import signal
import sys
from pathlib import Path

from payloom.core.key_file import KeyFile

FILE_EVENTS = {"open", "os.rename", "os.remove", "os.link", "tempfile.mkstemp"}


def main(path: Path, change: str, fatal: int) -> None:
    touches = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal touches
        if event in FILE_EVENTS and str(path.parent) in str(arguments[0]):
            touches += 1
            if touches == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    file = KeyFile(path)
    sys.addaudithook(watch)
    if change == "begin":
        file.begin()
    elif change == "drop":
        file.drop(sys.argv[4:])
    else:
        file.read_or_make()
    print(touches)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
