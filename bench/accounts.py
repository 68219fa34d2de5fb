"""What the operating system has on its books: CPU time and memory of a process and all it started.

The time of a child that ended counts for whoever waited for it, so a tree's sum loses nobody: a
PostgreSQL backend that is gone is still in its postmaster's account.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MEGABYTE = 1_000_000

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the books; `cpu_s` includes ended children that were waited for."""

    parent: int
    cpu_s: float
    resident_bytes: int


def read_books() -> dict[int, Process]:
    """Every process of the machine, at one moment (nearly)."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (entry / "stat").read_bytes().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended between the listing and the look
        ticks = sum(int(field) for field in after_name[11:15])
        found[int(entry.name)] = Process(
            parent=int(after_name[1]),
            cpu_s=ticks / TICKS_PER_S,
            resident_bytes=int(after_name[21]) * PAGE_BYTES,
        )
    return found


def busy_seconds() -> float:
    """CPU time of the whole machine, whoever spent it, since it was started."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    user, nice, system, _idle, _waiting, *rest = (int(field) for field in fields)
    return (user + nice + system + sum(rest)) / TICKS_PER_S


def cpu_seconds(books: Mapping[int, Process], root: int) -> float:
    """CPU time of a process and all below it, since they began."""
    return sum(books[pid].cpu_s for pid in _tree(books, root))


def resident_mb(books: Mapping[int, Process], root: int) -> float:
    """Memory of a process and all below it, each page counted once for everyone who has it."""
    return sum(books[pid].resident_bytes for pid in _tree(books, root)) / MEGABYTE


def proportional_mb(books: Mapping[int, Process], root: int) -> float:
    """The same with a shared page split among its owners: for processes that share a buffer."""
    return sum(_proportional_kb(pid) for pid in _tree(books, root)) * 1024 / MEGABYTE


def _tree(books: Mapping[int, Process], root: int) -> Iterable[int]:
    children: dict[int, list[int]] = {}
    for pid, process in books.items():
        children.setdefault(process.parent, []).append(pid)
    todo = [root] if root in books else []
    while todo:
        pid = todo.pop()
        yield pid
        todo += children.get(pid, ())


def _proportional_kb(pid: int) -> int:
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0
