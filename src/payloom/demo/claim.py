"""One supervisor per home: two would take the database from each other without end."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from payloom.demo import DemoError
from payloom.demo.home import Home


class Claim:
    """The right to run this home's demo; given back by dying, however that happens."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def say(self, **facts: Any) -> None:
        """What others may know of us; they read it, and find the lock taken."""
        text = json.dumps({"pid": os.getpid(), **facts}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)


@contextmanager
def claimed(home: Home) -> Iterator[Claim | None]:
    """None if a demo runs on this home already. Raises DemoError when it cannot be written."""
    descriptor = _open(home)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        claim = Claim(descriptor)
        claim.say(ready=False)
        yield claim
    finally:
        os.close(descriptor)


def _open(home: Home) -> int:
    try:
        home.make()
        return os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise DemoError(
            f"The demo cannot write to {home.root} ({error.filename}: {error.strerror}):"
            " set PAYLOOM_HOME to a directory of yours"
        ) from None


def who_runs(home: Home) -> dict[str, Any]:
    """What the supervisor of this home says of itself; empty in the moment when it is writing."""
    try:
        said: dict[str, Any] = json.loads(home.lock.read_text())
    except (OSError, ValueError):
        return {}
    return said
