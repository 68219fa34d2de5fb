"""Where a demo keeps its things, below PAYLOOM_HOME.

demo.json        0600, what scripts need to know of a demo that runs
master.key       0600, see payloom.embedded
postgres/        see payloom.core.postgres
logs/            one file per process
demo/lock        held by the supervisor, as long as it lives
demo/state.json  0600, what the next run uses again
demo/running/    one note per process, for whoever cleans up after a killed supervisor
demo/*.sqlite    the shop's and the sandbox's data
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one demo."""

    root: Path

    @property
    def facts(self) -> Path:
        return self.root / "demo.json"

    @property
    def lock(self) -> Path:
        return self.root / "demo" / "lock"

    @property
    def state(self) -> Path:
        return self.root / "demo" / "state.json"

    @property
    def notes(self) -> Path:
        return self.root / "demo" / "running"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def note(self, name: str) -> Path:
        return self.notes / f"{name}.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def store(self, name: str) -> Path:
        return self.root / "demo" / f"{name}.sqlite"

    def make(self) -> None:
        """Make the directories. The home itself lets root's server account pass to its data."""
        mode = 0o711 if os.geteuid() == 0 else 0o700
        self.root.mkdir(mode=mode, parents=True, exist_ok=True)
        for directory in (self.logs, self.lock.parent, self.notes):
            directory.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Put a file in place of another in one step; only its owner can read it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made 0600
    with open(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
