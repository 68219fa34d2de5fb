"""A PostgreSQL of our own, so that nobody has to install one.

The binaries come with a wheel; starting, stopping and guarding the server is done here. A home
directory holds one cluster per major version, reached through a Unix socket only. The rest of the
program sees a DSN and cannot tell this server from any other.

    dsn(home)         make sure that the server runs, and say how to reach it
    Postmaster(home)  own the server as a child, for a supervisor that restarts it
    stop(home)        stop what runs; remove(home) also deletes every row
"""

from payloom.core.postgres.errors import LauncherError
from payloom.core.postgres.layout import Role
from payloom.core.postgres.postmaster import Postmaster
from payloom.core.postgres.server import dsn, remove, stop

__all__ = ["LauncherError", "Postmaster", "Role", "dsn", "remove", "stop"]
