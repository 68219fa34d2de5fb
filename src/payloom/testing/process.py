"""The sandbox as a process that ends with the tests."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

STOP_S = 10.0


class DidNotStart(RuntimeError):
    """The sandbox ended before it was ready; why, it says on standard error."""


class SandboxProcess:
    """Runs from entering the context to leaving it. Port 0 takes a free one; without a store, the
    state is gone with the process."""

    def __init__(self, port: int = 0, store: Path | None = None) -> None:
        self._command = [sys.executable, "-m", "payloom.sandbox", "--port", str(port)]
        if store is not None:
            self._command += ["--store", str(store)]
        self._running: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._running = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)  # noqa: S603 our own program
        assert self._running.stdout is not None
        line = self._running.stdout.readline().strip()
        if not line:
            status = self._stop(self._running)
            raise DidNotStart(f"the sandbox ended with {status}: {' '.join(self._command)}")
        self.url = line.rpartition(" ")[2]
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._running is not None:
            self._stop(self._running)

    def _stop(self, running: subprocess.Popen[str]) -> int:
        running.terminate()
        try:
            status = running.wait(STOP_S)
        except subprocess.TimeoutExpired:
            running.kill()
            status = running.wait()
        if running.stdout is not None:
            running.stdout.close()
        return status
