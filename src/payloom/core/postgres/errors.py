"""The one error of this package, and how it quotes the server."""

from pathlib import Path

TAIL_LINES = 15


class LauncherError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the message says what to do about it."""


def tail(*logs: Path) -> str:
    """The last lines of the server's logs, ready to end a message with."""
    parts = []
    for log in logs:
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        if lines:
            parts.append("\n".join([f"--- end of {log}", *lines[-TAIL_LINES:]]))
    return "\n".join(["", *parts]) if parts else ""
