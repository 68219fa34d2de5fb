"""Running other programs: quietly, in a clean environment, as whom we choose.

Every command line is made here in this package; none carries a word from outside but paths.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

# A server must not depend on who starts it (PGDATA, PGOPTIONS, LC_*), nor see the caller's secrets.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "TZ": "UTC",
}

Command = Sequence[str | Path]


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that change who a program runs as."""

    user: int
    group: int
    extra_groups: list[int]


SELF: Identity = {}


def run(
    command: Command,
    identity: Identity = SELF,
    *,
    text: str = "",
    stderr: int = subprocess.STDOUT,
    keep: tuple[int, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run to the end and keep what it says. In a session of its own: a Ctrl-C is for the caller,
    who then cleans up. `keep` are descriptors that the program inherits."""
    return subprocess.run(  # noqa: S603 – see above
        command,
        input=text,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        cwd="/",
        umask=0o077,
        env=ENVIRONMENT,
        start_new_session=True,
        pass_fds=keep,
        check=False,
        **identity,
    )


def run_as_child(
    command: Command, identity: Identity, *, log: int, keep: int
) -> subprocess.Popen[bytes]:
    """Start a child that the caller must reap. In a session of its own: a Ctrl-C at the terminal
    must not stop a server before its clients."""
    return subprocess.Popen(  # noqa: S603 – see above
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        umask=0o077,
        env=ENVIRONMENT,
        start_new_session=True,
        pass_fds=(keep,),
        **identity,
    )


def run_detached(command: Command, identity: Identity, *, log: int, keep: int) -> int:
    """Start what is nobody's child, so it survives the caller and init reaps it.

    A shell forks in between, since a fork of our own could meet threads that hold locks.
    """
    script = '"$@" </dev/null >&2 & echo $!'
    shell: Command = ["/bin/sh", "-c", script, "sh", *command]
    return int(run(shell, identity, stderr=log, keep=(keep,)).stdout)
