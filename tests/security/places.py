"""Where a secret could come to rest: every file, dump, log, answer and delivery, as bytes."""

import mmap
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from payloom.core.postgres.account import server_account
from payloom.core.postgres.locate import programs
from payloom.core.postgres.run import run
from tests.security.forms import Canary

Piece = tuple[str, "bytes | mmap.mmap"]  # where it is, and what is there


@dataclass(frozen=True, slots=True)
class Hit:
    """A canary that was found, and where."""

    canary: str
    form: str
    where: str


def search(pieces: Iterable[Piece], canaries: Sequence[Canary]) -> list[Hit]:
    """Every canary in every piece."""
    return [
        Hit(canary.name, form, where)
        for where, data in pieces
        for canary in canaries
        for form in canary.found_in(data)
    ]


def files(folder: Path, *, but: Sequence[Path] = ()) -> Iterator[Piece]:
    """All files below, links to folders followed, whole and as they are on the disk."""
    for at, _, names in os.walk(folder, followlinks=True):
        for name in sorted(names):
            path = Path(at) / name
            if path in but or not path.is_file() or not path.stat().st_size:
                continue
            with path.open("rb") as file, _mapped(file) as data:
                yield str(path), data


def _mapped(file: BinaryIO) -> mmap.mmap:
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def dump(dsn: str) -> Iterator[Piece]:
    """What pg_dump writes, as text: also what is compressed in the files."""
    pg_dump = programs(18, server_account()) / "pg_dump"
    done = run([pg_dump, "--restrict-key=x", dsn])
    assert done.returncode == 0, done.stdout[-500:]
    yield "pg_dump", done.stdout.encode()


def command_lines(pids: Iterable[int]) -> Iterator[Piece]:
    """What every user of the machine can see of these processes."""
    for pid in pids:
        yield f"command line of {pid}", Path(f"/proc/{pid}/cmdline").read_bytes()


def sqlite_rows(path: Path) -> Iterator[Piece]:
    """Every row of an SQLite file as text: also what its pages hold in two parts."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    named = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    tables = [row[0] for row in named]
    for table in tables:
        for row in connection.execute(f"SELECT * FROM {table}"):
            yield f"{path.name}, {table}", repr(row).encode()
    connection.close()
