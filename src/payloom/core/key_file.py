"""A file of master keys, one a line, newest first: it changes whole or not at all.

Whoever is killed while changing it leaves the old file or the new one, on disk and complete.
"""

import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from payloom.core import crypto, master_keys
from payloom.core.postgres.lock import locked


@dataclass(frozen=True, slots=True)
class KeyFile:
    """`PAYLOOM_HOME/master.key`, readable by its owner only."""

    path: Path

    def read(self) -> tuple[bytes, ...]:
        """Raises NotMasterKeys when the file is damaged, FileNotFoundError."""
        return master_keys.parse(self.path.read_text("ascii", errors="replace"))

    def read_or_make(self) -> tuple[bytes, ...]:
        """The same; a file that is missing is made, with one key."""
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._changing():
                if not self.path.exists():
                    self._write([crypto.new_key()])
        return self.read()

    def begin(self) -> bool:
        """Put a fresh key before the one in use. False when there is one already: a rotation
        that has not ended goes on with it."""
        with self._changing():
            keys = self.read()
            if len(keys) > 1:
                return False
            self._write([crypto.new_key(), *keys])
            return True

    def drop(self, ids: Collection[str]) -> None:
        """Forget these keys. The newest always stays."""
        with self._changing():
            newest, *others = self.read()
            kept = [key for key in others if master_keys.id_of(key) not in ids]
            if kept != others:
                self._write([newest, *kept])

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process at a time; what a killed one left half written goes."""
        with locked(self.path.with_name(f"{self.path.name}.lock")):
            for left in self.path.parent.glob(f".{self.path.name}.*"):
                left.unlink()
            yield

    def _write(self, keys: Sequence[bytes]) -> None:
        descriptor, name = tempfile.mkstemp(
            dir=self.path.parent, prefix=f".{self.path.name}."
        )  # made 0600
        with open(descriptor, "w") as file:
            file.write(master_keys.written(keys, "\n") + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the database will soon rely on this file
        finally:
            os.close(folder)
