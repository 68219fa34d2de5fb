"""The cluster of a home, for callers who just want it to run (or to be gone)."""

import shutil
from pathlib import Path
from urllib.parse import quote

from payloom.core.postgres.cluster import passwords, remove_partial
from payloom.core.postgres.config import is_durable
from payloom.core.postgres.errors import LauncherError, explained
from payloom.core.postgres.layout import (
    DATABASE,
    LOGINS,
    PORT,
    Layout,
    Role,
    check_socket_directory,
    layout_of,
    make_home,
    remove_socket_directory,
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
    with explained(home):
        layout = layout_of(home, version)
        if not is_serving(layout):
            layout = _ensure_running(layout, durable=durable)
        check_socket_directory(layout)
        if durable and not is_durable(layout):
            raise LauncherError(
                f"The database in {layout.home} was started without durability, as for tests. "
                "Stop it first (`payloom db stop`), or ask for durable=False."
            )
        return _address(layout, role)


def stop(home: Path) -> bool:
    """Stop whatever runs under `home`, any version; False if nothing did."""
    with explained(home):
        stopped = [_stop(layout_of(home, version)) for version in DIRECTORIES]
    return any(stopped)


def remove(home: Path) -> None:
    """Stop the clusters under `home` and delete them with every row in them."""
    stop(home)
    with explained(home):
        for version in DIRECTORIES:
            layout = layout_of(home, version)
            if layout.data.is_dir():
                with locked(layout.lock):
                    _delete(layout)


def _ensure_running(layout: Layout, *, durable: bool) -> Layout:
    make_home(layout)
    with locked(layout.lock):
        # Somebody else may have created or started it while we waited for the lock.
        layout = layout_of(layout.home, layout.version)
        noted = running(layout)
        if noted and noted.status == "ready" and not layout.socket.exists():
            shut_down(layout)  # nobody can reach it, and only a start makes the socket again
            noted = None
        if noted is None:
            started = bring_up(layout, detached, durable=durable)
            layout, pid = started.layout, started.pid
        else:
            pid = noted.pid
        wait_ready(layout, lambda: not is_alive(pid), READY_S)
    return layout


def _address(layout: Layout, role: Role) -> str:
    """A DSN as asyncpg, psycopg and psql all take it. The port is said, lest PGPORT be asked."""
    password = quote(passwords(layout)[role], safe="")
    where = f"host={quote(str(layout.sockets))}&port={PORT}"
    return f"postgresql://{LOGINS[role]}:{password}@/{DATABASE}?{where}"


def _stop(layout: Layout) -> bool:
    if not layout.data.is_dir():
        return False
    with locked(layout.lock):
        stopped = shut_down(layout)
        remove_socket_directory(layout)
    return stopped


def _delete(layout: Layout) -> None:
    if layout.entry.is_symlink():
        layout.entry.unlink()
    shutil.rmtree(layout.place)
    remove_partial(layout)
