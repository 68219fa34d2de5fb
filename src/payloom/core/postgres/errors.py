"""The one error of this package, and how it quotes the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TAIL_LINES = 15


class LauncherError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the message says what to do about it."""


@contextmanager
def explained(home: Path) -> Iterator[None]:
    """Turn what the system refuses (a file, a directory, an account) into words for a person."""
    try:
        yield
    except OSError as error:
        raise LauncherError(
            f"The database in {home} cannot be reached or run: {error}. Set PAYLOOM_HOME to a "
            "directory of yours, or PAYLOOM_DATABASE_URL to a PostgreSQL of yours."
        ) from error


def tail(*logs: Path) -> str:
    """The last lines of the server's logs, ready to end a message with."""
    parts = []
    for log in logs:
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        if lines:
            parts.append("\n".join([f"--- end of {log}", *lines[-TAIL_LINES:]]))
    return "\n".join(["", *parts]) if parts else ""
