"""The server's settings, fit for two to four cores; `ALTER SYSTEM` overrides them as usual."""

from payloom.core.postgres.layout import PORT, Layout

SETTINGS: dict[str, str | int] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": 200,
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
    "shared_buffers": "256MB",
    "wal_level": "replica",  # pg_basebackup needs it
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "autovacuum": "on",
    "jit": "off",
    # One file per weekday, so the log never needs tidying. It must not hold what statements carry
    # (passwords, customers): neither their text nor the DETAIL line that quotes a row.
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": 0,
    "log_truncate_on_rotation": "on",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d %e ",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_lock_waits": "on",
}
SAFETY = ("fsync", "synchronous_commit", "full_page_writes")


def write_settings(layout: Layout, *, durable: bool) -> None:
    """Write payloom.conf anew: the sockets move with the home, and durability is per start."""
    settings = SETTINGS | {
        "unix_socket_directories": str(layout.sockets),
        "port": PORT,
        "cluster_name": f"payloom-{layout.name}",
    }
    settings |= dict.fromkeys(SAFETY, "on" if durable else "off")
    lines = [f"{name} = {_quoted(value)}\n" for name, value in settings.items()]
    fresh = layout.settings.with_suffix(".new")
    fresh.write_text("".join(lines))
    fresh.chmod(0o644)  # the account reads it; nothing in it is secret
    fresh.replace(layout.settings)


def is_durable(layout: Layout) -> bool:
    """Whether the server was last started so that an acknowledged commit survives a crash."""
    return f"fsync = {_quoted('on')}\n" in layout.settings.read_text()


def _quoted(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
