"""The server as a child of a supervisor, which reaps it and starts it again."""

from pathlib import Path

from payloom.core.postgres.layout import layout_of, prepare
from payloom.core.postgres.lock import locked
from payloom.core.postgres.process import end
from payloom.core.postgres.starting import (
    READY_S,
    STOP_S,
    Started,
    as_child,
    bring_up,
    failure,
    shut_down,
    wait_ready,
)


class Postmaster:
    """Owns one server. Whoever makes it must `poll` it and `stop` it.

    The server does not die with its owner: the next `start` on the same home takes over from it.
    """

    def __init__(self, home: Path, *, version: int = 18, durable: bool = True) -> None:
        self.home = home
        self.version = version
        self.durable = durable
        self._started: Started | None = None
        self._layout = layout_of(home, version)

    @property
    def pid(self) -> int | None:
        """The child's process id, until it is known to have ended."""
        return self._started.pid if self._started and self.poll() is None else None

    def start(self) -> None:
        """Start the server, first stopping any other that serves this home.

        Returns once the start is no longer refused, which takes up to 5 s after a kill; the
        server may still be recovering then (`wait_ready`). Does nothing while the child runs.
        """
        if self.pid is not None:
            return
        prepare(self._layout)
        with locked(self._layout.lock):
            self._layout = layout_of(self.home, self.version)
            shut_down(self._layout)
            self._layout, self._started = bring_up(self._layout, as_child, durable=self.durable)

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Return once the server takes connections."""
        wait_ready(self._layout, lambda: self.pid is None, timeout_s)

    def poll(self) -> int | None:
        """The exit code of a child that ended, negative for a signal; reaps it. None while it
        runs, or before it was started."""
        child = self._started.child if self._started else None
        return child.poll() if child else None

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Shut down fast: clients are disconnected, what they committed is kept."""
        pid = self.pid
        if pid is None:
            return
        end(pid, lambda: self.poll() is not None, timeout_s)
        if self.poll() is None:
            raise failure(self._layout, f"PostgreSQL (process {pid}) does not stop")
