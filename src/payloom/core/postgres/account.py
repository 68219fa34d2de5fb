"""Who the server runs as: PostgreSQL refuses to run as root, so root lends it a system account."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from payloom.core.postgres.errors import LauncherError
from payloom.core.postgres.lock import locked
from payloom.core.postgres.run import SELF, Identity, run

NAME = "payloom"
# What belongs to the account and not to one home. Only root writes here, so nobody can put
# anything in the way.
STATE = Path("/var/lib/payloom")


@dataclass(frozen=True, slots=True)
class Account:
    """The account that runs the server and owns its files."""

    uid: int
    gid: int
    borrowed: bool  # root acts for it; else it is simply the caller

    @property
    def identity(self) -> Identity:
        if not self.borrowed:
            return SELF
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Hand over a file or directory that root just made for the account."""
        if self.borrowed:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_enter(self, directory: Path) -> bool:
        """Whether the account gets through every parent; asked of the kernel, not guessed."""
        if not self.borrowed:
            return True
        return run(["test", "-x", directory], self.identity).returncode == 0


def server_account() -> Account:
    """The caller, or for root the system account, created when it does not exist yet."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), borrowed=False)
    make_passable(STATE)
    entry = _entry()
    if entry is None:
        with locked(STATE / "account.lock"):
            entry = _entry() or _create()
    if entry.pw_uid == 0:
        raise LauncherError(f"The account {NAME!r} is root itself; PostgreSQL refuses to run so.")
    return Account(entry.pw_uid, entry.pw_gid, borrowed=True)


def make_passable(directory: Path) -> None:
    """Make a directory of ours that the account passes through, also under a strict umask."""
    directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    mode = directory.stat().st_mode
    if mode & 0o011 != 0o011:
        directory.chmod(mode | 0o011)


def _entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", str(STATE), "--shell", "/usr/sbin/nologin", NAME]
    try:
        said = run(command).stdout.strip()
    except OSError as error:  # not every system has useradd
        said = str(error)
    entry = _entry()
    if entry is None:
        raise LauncherError(
            f"PostgreSQL does not run as root, and its account could not be made ({said}). "
            f"Create a system user named {NAME!r}, or start as an ordinary user, "
            "or set PAYLOOM_DATABASE_URL to a PostgreSQL of yours."
        )
    return entry
