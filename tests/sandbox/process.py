"""A sandbox of its own process, as users run it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

Start = Callable[..., "SandboxProcess"]


class SandboxProcess:
    def __init__(self, store: Path, port: int = 0, *, stderr: IO[str] | None = None) -> None:
        self._store = store
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "payloom.sandbox", "--port", str(port), "--store", str(store)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        assert self._popen.stdout is not None
        self.printed = ""  # after the first line; known when it has ended
        self.first_line = self._popen.stdout.readline().strip()
        self.url = self.first_line.rpartition(" ")[2]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._popen.pid

    def kill(self) -> None:
        """SIGKILL; harmless when it has ended already."""
        if self._popen.poll() is None:
            os.kill(self._popen.pid, signal.SIGKILL)
            self._ended()

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self._popen.terminate()
        return self._ended()

    def _ended(self) -> int:
        status = self._popen.wait(15)
        assert self._popen.stdout is not None
        self.printed = self._popen.stdout.read()
        self._popen.stdout.close()
        return status
