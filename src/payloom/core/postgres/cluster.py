"""Making a cluster: initdb, roles, the database. It appears whole, or not at all."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from payloom.core.postgres.account import STATE, make_passable
from payloom.core.postgres.config import write_settings
from payloom.core.postgres.errors import LauncherError
from payloom.core.postgres.layout import DATABASE, LOGINS, Layout, Role
from payloom.core.postgres.locate import PARTIAL
from payloom.core.postgres.run import run

CLUSTERS = STATE / "clusters"

# 16 has no collation provider of its own, and not every system has C.UTF-8.
LOCALES = {
    18: [["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]],
    16: [["--locale=C.UTF-8"], ["--locale=C"]],
}


def create(layout: Layout, programs: Path, *, durable: bool) -> Layout:
    """Make the cluster and answer its layout. The caller holds the lock.

    All is done in a directory of another name, so that a starter killed half-way leaves only
    rubbish, which the next one removes.
    """
    remove_partial(layout)
    parent = _parent(layout)
    work = Path(tempfile.mkdtemp(prefix=_prefix(layout, parent), suffix=PARTIAL, dir=parent))
    try:
        _fill(replace(layout, place=work), programs, durable=durable)
        return _publish(layout, work)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def remove_partial(layout: Layout) -> None:
    """Remove what starters left who were killed half-way."""
    for parent in (layout.entry.parent, CLUSTERS):
        for left in parent.glob(f"{_prefix(layout, parent)}*{PARTIAL}"):
            shutil.rmtree(left, ignore_errors=True)  # an orphaned initdb may still write there


def passwords(layout: Layout) -> dict[Role, str]:
    """The generated password of each role."""
    kept: dict[Role, str] = json.loads(layout.passwords.read_text())
    return kept


def _parent(layout: Layout) -> Path:
    """Where the cluster's directory goes: into the home, unless the account cannot get there."""
    parent = layout.entry.parent
    if not layout.account.can_enter(parent):
        parent = CLUSTERS
        make_passable(parent)
    return parent


def _prefix(layout: Layout, parent: Path) -> str:
    return f"{layout.version}-" if parent == layout.entry.parent else f"{layout.name}-"


def _fill(layout: Layout, programs: Path, *, durable: bool) -> None:
    if layout.account.borrowed:
        layout.place.chmod(0o711)
    for directory in (layout.data, layout.log):
        directory.mkdir(mode=0o700)
        layout.account.give(directory)
    generated: dict[Role, str] = {role: secrets.token_urlsafe(24) for role in LOGINS}
    _write_private(layout.passwords, json.dumps(generated, indent=2) + "\n")
    write_settings(layout, durable=durable)
    _initdb(layout, programs, generated["superuser"], durable=durable)
    with (layout.data / "postgresql.conf").open("a") as conf:
        conf.write("\ninclude '../payloom.conf'\n")
    _run_sql(layout, programs, _roles(generated))


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _initdb(layout: Layout, programs: Path, password: str, *, durable: bool) -> None:
    password_file = layout.place / "superuser.password"
    _write_private(password_file, password)
    layout.account.give(password_file)
    command: list[str | Path] = [
        programs / "initdb",
        "--pgdata",
        layout.data,
        "--username",
        LOGINS["superuser"],
    ]
    command += ["--pwfile", password_file, "--auth=scram-sha-256", "--encoding=UTF8"]
    command += ["--data-checksums", "--no-instructions", *([] if durable else ["--no-sync"])]
    for locale in LOCALES[layout.version]:
        made = run([*command, *locale], layout.account.identity)
        if made.returncode == 0 or "invalid locale" not in made.stdout:
            break
    _demand(made, "PostgreSQL could not create its cluster")
    password_file.unlink()


def _roles(generated: dict[Role, str]) -> list[str]:
    """The roles as `db migrate` would make them, had the owner made them itself."""
    owner = LOGINS["owner"]
    statements = [f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD '{generated['owner']}'"]
    for role in ("app", "reader"):
        login = LOGINS[role]
        statements.append(f"CREATE ROLE {login} LOGIN PASSWORD '{generated[role]}'")
        statements.append(f"GRANT {login} TO {owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    return [*statements, f"CREATE DATABASE {DATABASE} OWNER {owner}"]


def _run_sql(layout: Layout, programs: Path, statements: Sequence[str]) -> None:
    """Run statements without starting a server, so no half-made cluster can be reached."""
    command: list[str | Path] = [
        programs / "postgres",
        "--single",
        "-j",
        "-c",
        "exit_on_error=true",
    ]
    text = "".join(f"{statement};\n\n" for statement in statements)
    done = run([*command, "-D", layout.data, "postgres"], layout.account.identity, text=text)
    _demand(done, "PostgreSQL could not create its roles")


def _demand(done: subprocess.CompletedProcess[str], otherwise: str) -> None:
    if done.returncode != 0:
        raise LauncherError(f"{otherwise} (exit code {done.returncode}):\n{done.stdout[-4000:]}")


def _publish(layout: Layout, work: Path) -> Layout:
    """Give the finished cluster its name, in one step that a crash cannot halve."""
    if work.parent == layout.entry.parent:
        place = layout.entry
        work.rename(place)
    else:
        (work / "home").write_bytes(os.fsencode(layout.home) + b"\n")
        place = work.with_suffix("")
        work.rename(place)
        layout.entry.symlink_to(place)
    for directory in {place.parent, layout.entry.parent}:
        _sync_directory(directory)
    return replace(layout, place=place)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
