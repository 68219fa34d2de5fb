"""Where a cluster keeps its things.

    home/postgres/lock              held while somebody starts or stops
    home/postgres/18/data, log      the server's own
    home/postgres/18/payloom.conf   our settings, rewritten at every start
    home/postgres/18/passwords.json 0600
    home/postgres/18/start.log      what the server said before its log was open
    home/postgres/18/server.lock    held by every process of the server, as long as it lives

Root's server account may not be able to enter the home (/root is 0700, and opening it to others
is not ours to do). Then home/postgres/18 is a link to a directory in /var/lib/payloom/clusters:
whoever backs up or moves such a home must take that directory along.
"""

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from payloom.core.postgres.account import STATE, Account, make_passable, server_account
from payloom.core.postgres.errors import LauncherError

Role = Literal["app", "owner", "reader", "superuser"]
LOGINS: dict[Role, str] = {
    "app": "payloom_app",
    "owner": "payloom_owner",
    "reader": "payloom_reader",
    "superuser": "postgres",
}
DATABASE = "payloom"
PORT = 5432  # only names the socket file; nothing listens on TCP


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one cluster. `place` is home/postgres/<version>, links followed."""

    home: Path
    version: int
    account: Account
    place: Path

    @property
    def entry(self) -> Path:
        return self.home / "postgres" / str(self.version)

    @property
    def lock(self) -> Path:
        return self.home / "postgres" / "lock"

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def log(self) -> Path:
        return self.place / "log"

    @property
    def start_log(self) -> Path:
        return self.place / "start.log"

    @property
    def server_lock(self) -> Path:
        return self.place / "server.lock"

    @property
    def settings(self) -> Path:
        return self.place / "payloom.conf"

    @property
    def passwords(self) -> Path:
        return self.place / "passwords.json"

    @property
    def name(self) -> str:
        """Tells this cluster from all others on the machine, in few and harmless characters."""
        return hashlib.sha256(os.fsencode(self.entry)).hexdigest()[:16]

    @property
    def sockets(self) -> Path:
        """Short whatever the home is called: a socket's path ends at 107 bytes.

        The same for every process of one user, so neither TMPDIR nor XDG_RUNTIME_DIR is asked.
        """
        if self.account.borrowed:
            return STATE / "sockets" / self.name
        return Path(f"/tmp/payloom-{self.account.uid}-{self.name}")  # noqa: S108 – checked below

    @property
    def socket(self) -> Path:
        return self.sockets / f".s.PGSQL.{PORT}"


def layout_of(home: Path, version: int) -> Layout:
    """The paths for a home, which need not exist yet; a cluster of somebody else is refused."""
    home = home.expanduser().resolve()
    if "\n" in str(home):
        raise LauncherError(f"PostgreSQL cannot live in a directory with a line break: {home!r}.")
    entry = home / "postgres" / str(version)
    if entry.is_symlink() and not entry.exists():
        raise LauncherError(
            f"{entry} leads to {entry.readlink()}, which is gone, and the data with it. "
            "Restore that directory from a backup, or remove the link to start empty."
        )
    layout = Layout(home, version, server_account(), entry.resolve())
    if layout.data.is_dir() and layout.data.stat().st_uid != layout.account.uid:
        raise LauncherError(
            f"The database in {home} belongs to another user. Start as that user, "
            "or set PAYLOOM_HOME to a directory of yours."
        )
    return layout


def make_home(layout: Layout) -> None:
    """Make the directories that starters share. A home that exists is left as it is."""
    if layout.account.borrowed and not layout.home.exists():
        make_passable(layout.home)
    layout.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    layout.lock.parent.mkdir(mode=0o700, exist_ok=True)
    if layout.account.borrowed:
        make_passable(layout.lock.parent)


def make_socket_directory(layout: Layout) -> None:
    """Create the private directory, or accept one only if nobody else can have touched it."""
    directory = layout.sockets
    if layout.account.borrowed:
        make_passable(directory.parent)
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    if directory.lstat().st_uid == os.geteuid():  # also by a starter who was killed right here
        layout.account.give(directory)
    check_socket_directory(layout)


def check_socket_directory(layout: Layout) -> None:
    """Raise unless it is a directory of the server's account, closed to all others.

    Whoever owned it could put a socket of his own there and be told our passwords.
    """
    directory = layout.sockets
    info = directory.lstat()
    is_private = stat.S_ISDIR(info.st_mode) and info.st_mode & 0o077 == 0
    if is_private and info.st_uid == layout.account.uid:
        return
    raise LauncherError(
        f"{directory} is in the way: it must be a directory of user {layout.account.uid} with "
        f"mode 0700, but user {info.st_uid} made something else of it. Find out who did, remove it "
        "and start again, or use another PAYLOOM_HOME."
    )


def remove_socket_directory(layout: Layout) -> None:
    """Tidy up, unless there is nothing of ours."""
    try:
        check_socket_directory(layout)
    except (LauncherError, FileNotFoundError):
        return
    shutil.rmtree(layout.sockets)
