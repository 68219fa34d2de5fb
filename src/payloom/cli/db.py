"""payloom db …"""

import asyncio
import os
import shutil
import subprocess
from enum import StrEnum
from typing import Annotated
from urllib.parse import parse_qs, unquote, urlsplit

import typer
from rich.text import Text

from payloom.cli.failing import FAILED, Failure
from payloom.cli.opening import read_settings
from payloom.cli.output import AsJson, console, print_facts, print_json, print_list


class As(StrEnum):
    app = "app"
    owner = "owner"
    reader = "reader"
    superuser = "superuser"


def migrate(as_json: AsJson = False) -> None:
    """Bring the database up to date, as its owner. Running it again is harmless."""
    from payloom.core.migrate import migrate as apply
    from payloom.embedded import database_url, reaching

    settings = read_settings()
    url = database_url(settings, "owner")
    with reaching():
        applied = [f"{each.version:04} {each.name}" for each in asyncio.run(apply(url))]
    which = f"embedded in {settings.home}" if settings.database_url is None else place_of(url)
    if as_json:
        print_json({"database": which, "applied": applied})
        return
    for name in applied:
        console().print(f"[green]✓[/] {name}")
    done = Text.assemble(("✓", "green"), f" The database is up to date: {which}")
    console().print(done, soft_wrap=True)


def status(as_json: AsJson = False) -> None:
    """Show every migration and whether the database has it. Exits 1 when one is missing."""
    from payloom.core.migrate import status as look
    from payloom.embedded import database_url, reaching

    url = database_url(read_settings())
    with reaching():
        found = asyncio.run(look(url))
    rows = [
        {"version": each.version, "name": each.name, "applied": is_applied}
        for each, is_applied in found
    ]
    is_current = all(row["applied"] for row in rows)
    if as_json:
        print_json({"up_to_date": is_current, "migrations": rows})
    else:
        print_list(rows, as_json=False, columns=("version", "name", "applied"), nothing="")
    if not is_current:
        raise typer.Exit(FAILED)


def shell(
    role: Annotated[As, typer.Option("--as", help="As whom.")] = As.app,
    as_json: AsJson = False,
) -> None:
    """Open psql on the database. With --json only say how to connect, password included."""
    from payloom.embedded import database_url

    url = database_url(read_settings(), role.value)
    if as_json:
        print_json({"database_url": url})
        return
    program = _psql()
    os.execve(program, [program], {**os.environ, **libpq_environment(url)})  # noqa: S606 – psql


def stop(as_json: AsJson = False) -> None:
    """Stop the embedded PostgreSQL of PAYLOOM_HOME."""
    from payloom.core import postgres

    settings = read_settings()
    if settings.database_url is not None:
        raise Failure("PAYLOOM_DATABASE_URL is set: stop a database of yours yourself")
    stopped = postgres.stop(settings.home)
    print_facts({"home": str(settings.home), "stopped": stopped}, as_json=as_json)


def place_of(url: str) -> str:
    """Which database a URL names, without saying as whom: db.internal:5432/payloom."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", ["localhost"])[-1]
    return f"{hosts}/{unquote(parts.path.lstrip('/'))}"


def libpq_environment(url: str) -> dict[str, str]:
    """The URL as psql reads it from the environment, where other users cannot see it."""
    parts, found = urlsplit(url), {}
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    for variable, value in (
        ("PGHOST", parts.hostname or query.get("host")),
        ("PGPORT", str(parts.port or query.get("port") or "")),
        ("PGUSER", unquote(parts.username or "")),
        ("PGPASSWORD", unquote(parts.password or "")),
        ("PGDATABASE", unquote(parts.path.lstrip("/"))),
        ("PGSSLMODE", query.get("sslmode")),
    ):
        if value:
            found[variable] = value
    return found


def _psql() -> str:
    """The system's psql, which has line editing, or else the one that comes with the server."""
    if program := shutil.which("psql"):
        return program
    from payloom.core.postgres.locate import find

    program = str(find(18).bin / "psql")
    if subprocess.run([program, "--version"], capture_output=True, check=False).returncode:  # noqa: S603
        raise Failure("There is no psql here: install your system's postgresql-client package")
    return program
