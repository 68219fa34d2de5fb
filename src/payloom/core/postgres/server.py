"""The cluster of a home, for callers who just want it to run (or to be gone)."""

import shutil
from pathlib import Path
from urllib.parse import quote

from payloom.core.postgres.cluster import passwords
from payloom.core.postgres.config import is_durable
from payloom.core.postgres.errors import LauncherError
from payloom.core.postgres.layout import (
    DATABASE,
    LOGINS,
    PORT,
    Layout,
    Role,
    check_socket_directory,
    layout_of,
    prepare,
)
from payloom.core.postgres.locate import DIRECTORIES
from payloom.core.postgres.lock import locked
from payloom.core.postgres.process import is_alive, running
from payloom.core.postgres.starting import (
    READY_S,
    bring_up,
    detached,
    is_serving,
    shut_down,
    wait_ready,
)


def dsn(home: Path, *, role: Role = "app", version: int = 18, durable: bool = True) -> str:
    """Make sure that the cluster under `home` exists and runs, and say how to reach it.

    Joins the server that runs, else starts one that outlives the caller; `payloom db stop` (here
    `stop`) ends it. Blocks for a second on the very first call. With durable=False a crash of the
    machine may lose everything: for tests only, and refused to those who want a durable one.
    """
    layout = layout_of(home, version)
    prepare(layout)
    if not is_serving(layout):
        with locked(layout.lock):
            layout = _ensure_running(layout_of(home, version), durable=durable)
    check_socket_directory(layout)
    if durable and not is_durable(layout):
        raise LauncherError(
            f"The database in {layout.home} was started without durability, as for tests. "
            "Stop it first (`payloom db stop`), or ask for durable=False."
        )
    password = quote(passwords(layout)[role], safe="")
    directory = quote(str(layout.sockets))
    return f"postgresql://{LOGINS[role]}:{password}@/{DATABASE}?host={directory}&port={PORT}"


def stop(home: Path) -> bool:
    """Stop whatever runs under `home`, any version; False if nothing did."""
    layouts = [layout_of(home, version) for version in DIRECTORIES]
    stopped = []
    for layout in layouts:
        if layout.data.is_dir():
            with locked(layout.lock):
                stopped.append(shut_down(layout))
                if layout.sockets.is_dir():
                    shutil.rmtree(layout.sockets)
    return any(stopped)


def remove(home: Path) -> None:
    """Stop the clusters under `home` and delete them with every row in them."""
    stop(home)
    for version in DIRECTORIES:
        layout = layout_of(home, version)
        if layout.data.is_dir():
            with locked(layout.lock):
                if layout.entry.is_symlink():
                    layout.entry.unlink()
                shutil.rmtree(layout.place)


def _ensure_running(layout: Layout, *, durable: bool) -> Layout:
    noted = running(layout)
    if noted is None:
        layout, started = bring_up(layout, detached, durable=durable)
        pid = started.pid
    else:
        pid = noted.pid
    wait_ready(layout, lambda: not is_alive(pid), READY_S)
    return layout
