"""The server as a child of a supervisor, which reaps it and starts it again."""

from pathlib import Path

from payloom.core.postgres.errors import LauncherError, explained
from payloom.core.postgres.layout import layout_of, make_home
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
    So two owners of one home would take it from each other without end.
    """

    def __init__(self, home: Path, *, version: int = 18, durable: bool = True) -> None:
        self.home = home
        self.version = version
        self.durable = durable
        self._started: Started | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id; None when it has ended or was not started."""
        return self._started.pid if self._started and self.poll() is None else None

    def start(self) -> None:
        """Start the server, first stopping any other that serves this home.

        Returns once the start is no longer refused, which takes up to 5 s after a kill; the
        server may still be recovering then (`wait_ready`). Does nothing while the child runs.
        """
        if self.pid is not None:
            return
        with explained(self.home):
            make_home(layout_of(self.home, self.version))
            layout = layout_of(self.home, self.version)
            make_home(layout)
            with locked(layout.lock):
                layout = layout_of(self.home, self.version)  # it may have been created meanwhile
                shut_down(layout)
                self._started = bring_up(layout, as_child, durable=self.durable)

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Return once the server takes connections."""
        if self._started is None:
            raise LauncherError("The server was not started yet: call start() first.")
        wait_ready(self._started.layout, lambda: self.pid is None, timeout_s)

    def poll(self) -> int | None:
        """The exit code of a child that ended, negative for a signal; reaps it. None while it
        runs, or before it was started."""
        child = self._started.child if self._started else None
        return child.poll() if child else None

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Shut down fast: clients are disconnected, what they committed is kept."""
        if self._started is None or self.pid is None:
            return
        end(self._started.pid, lambda: self.poll() is not None, timeout_s)
        if self.poll() is None:
            raise failure(self._started.layout, f"Process {self._started.pid} does not stop")
