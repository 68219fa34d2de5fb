"""The whole configuration: read once from the environment, every mistake reported together.

No other module reads the environment. Secrets are masked in `repr`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from payloom.core import master_keys
from payloom.core.points import CrashAt
from payloom.core.secret import Secret


class BadSettings(Exception):
    """Every mistake in the environment, one a line, each with what to do."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can set. Names are the environment variables without `PAYLOOM_`."""

    # PAYLOOM_HOME: where the embedded database and its secrets live.
    # Default: ~/.local/share/payloom; as root /var/lib/payloom.
    home: Path
    # PAYLOOM_DATABASE_URL: a PostgreSQL 16 to 18 of yours, as the app role.
    # Unset: the embedded one.
    database_url: Secret | None
    # PAYLOOM_MIGRATE_DATABASE_URL: the same database as its owner, for `payloom db migrate`.
    migrate_database_url: Secret | None
    # PAYLOOM_MASTER_KEY: base64 of 32 random bytes that seal all other secrets. Up to three, with
    # commas, the newest first, while one takes the place of another. With the embedded database
    # it is made on first use and kept in PAYLOOM_HOME/master.key.
    master_key: Secret | None
    # PAYLOOM_PUBLIC_URL: how shoppers and PSPs reach this API. Default: http://127.0.0.1:8400.
    public_url: str
    # PAYLOOM_WEBHOOKS_TO_LOOPBACK: yes or no. With yes, test-mode merchants may have webhook
    # endpoints on this machine. Default: no.
    webhooks_to_loopback: bool
    # PAYLOOM_SWEEP: yes or no. With no, the PSPs' event lists are not read for what webhooks did
    # not bring.
    # Default: yes.
    sweep: bool
    # PAYLOOM_DATABASE_POOL: connections per process, 2 to 100. Default: 10.
    database_pool: int
    # PAYLOOM_PSP_RATE_PERCENT: how much of a PSP's published rates each process takes for itself,
    # 1 to 10000. With 4 busy processes on one account 25; where the PSP granted twice as much, 200.
    # Default: 100.
    psp_rate_percent: int
    # PAYLOOM_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR. Default: INFO.
    log_level: str
    # PAYLOOM_CRASH_AT: kill this process at a point, as register.placed:3 at its third passing.
    # For tests of crashes only, and refused where there is a merchant in live mode.
    crash_at: CrashAt | None

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, is_root: bool = False) -> "Settings":
        """Read and check everything. Raises BadSettings with all mistakes."""
        read = _Reader(environ)
        default_home = (
            "/var/lib/payloom" if is_root else f"{environ.get('HOME', '.')}/.local/share/payloom"
        )
        settings = cls(
            home=Path(read.text("PAYLOOM_HOME", default_home)).expanduser().absolute(),
            database_url=read.secret("PAYLOOM_DATABASE_URL", _check_database_url),
            migrate_database_url=read.secret("PAYLOOM_MIGRATE_DATABASE_URL", _check_database_url),
            master_key=read.secret("PAYLOOM_MASTER_KEY", _check_master_key),
            public_url=read.url("PAYLOOM_PUBLIC_URL", "http://127.0.0.1:8400"),
            webhooks_to_loopback=read.yes_or_no("PAYLOOM_WEBHOOKS_TO_LOOPBACK"),
            sweep=read.yes_or_no("PAYLOOM_SWEEP", default="yes"),
            database_pool=read.number("PAYLOOM_DATABASE_POOL", 10, 2, 100),
            psp_rate_percent=read.number("PAYLOOM_PSP_RATE_PERCENT", 100, 1, 10_000),
            log_level=read.choice("PAYLOOM_LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
            crash_at=read.crash_at("PAYLOOM_CRASH_AT"),
        )
        if settings.database_url and not settings.master_key:
            read.mistakes.append(
                "PAYLOOM_MASTER_KEY: needed with a database of your own; make one with"
                " `head -c 32 /dev/urandom | base64` and keep it safe"
            )
        if settings.migrate_database_url and not settings.database_url:
            read.mistakes.append(
                "PAYLOOM_MIGRATE_DATABASE_URL: set PAYLOOM_DATABASE_URL as well, the same database"
                " as the app role; without it the embedded database would be used"
            )
        read.raise_if_any(environ)
        return settings


class _Reader:
    """Reads variables one by one and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: set[str] = set()
        self.mistakes: list[str] = []

    def text(self, name: str, default: str) -> str:
        self._known.add(name)
        return self._environ.get(name, "").strip() or default

    def secret(self, name: str, check: Callable[[str], str | None]) -> Secret | None:
        value = self.text(name, "")
        if not value:
            return None
        if mistake := check(value):
            self.mistakes.append(f"{name}: {mistake}")
        return Secret(value)

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default).rstrip("/")
        if not _is_base_url(value):
            self.mistakes.append(f"{name}: must be a URL like https://pay.example.com")
        return value

    def yes_or_no(self, name: str, default: str = "no") -> bool:
        choices = ("no", "yes") if default == "no" else ("yes", "no")
        return self.choice(name, choices) == "yes"

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not (re.fullmatch(r"[0-9]{1,9}", value) and least <= int(value) <= most):
            self.mistakes.append(f"{name}: must be a whole number from {least} to {most}")
            return default
        return int(value)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, choices[0])
        if value not in choices:
            self.mistakes.append(f"{name}: must be one of {', '.join(choices)}")
        return value

    def crash_at(self, name: str) -> CrashAt | None:
        value = self.text(name, "")
        if not value:
            return None
        if not re.fullmatch(r"[a-z_]+\.[a-z_]+:[1-9][0-9]{0,8}", value):
            self.mistakes.append(f"{name}: must look like register.placed:3")
            return None
        point, _, passing = value.partition(":")
        return CrashAt(point, int(passing))

    def raise_if_any(self, environ: Mapping[str, str]) -> None:
        unknown = sorted(n for n in environ if n.startswith("PAYLOOM_") and n not in self._known)
        self.mistakes += [f"{name}: there is no such setting" for name in unknown]
        if self.mistakes:
            raise BadSettings(self.mistakes)


def _is_base_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port  # looked at only when asked for
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query


def _check_database_url(value: str) -> str | None:
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        scheme = ""
    if scheme not in ("postgresql", "postgres"):
        return "must look like postgresql://user:password@host/database"
    return None


def _check_master_key(value: str) -> str | None:
    try:
        master_keys.parse(value)
    except master_keys.NotMasterKeys as mistake:
        return str(mistake)
    return None
