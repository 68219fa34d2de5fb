"""Homes with odd names, stale remains in them, and directories that somebody else made."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from payloom.core.postgres import LauncherError, dsn, stop
from payloom.core.postgres.layout import layout_of
from payloom.core.postgres.lock import locked_at_once
from tests.core.postgres.callers import IS_ROOT, ORDINARY, Caller, postmasters, tried_by

LONG = "/".join(["a" * 60] * 6)
ODD = (
    "--help",
    "my home  of data ",
    "für Łódź 東京 💶",
    "a'b\"c $HOME `id` & ;(x) %41\\",
    "\u2028\x85\r",  # line ends for Python, not for PostgreSQL
    "caf\udce9",  # Latin-1, as old disks have it
)


@tried_by([ORDINARY])
@pytest.mark.parametrize("name", [LONG, "/".join(ODD)], ids=["long", "odd"])
async def test_a_home_may_have_any_name(caller: Caller, base: Path, name: str) -> None:
    home = base / name
    answer = caller.run("dsn", home)
    connection = await asyncpg.connect(answer["app"])
    await connection.close()
    assert caller.run("dsn", home)["pid"] == answer["pid"]
    assert caller.run("stop", home) == {"stopped": True}


def test_a_line_break_in_the_name_is_refused(own_base: Path) -> None:
    with pytest.raises(LauncherError, match="line break"):
        dsn(own_base / "a\nb", durable=False)


@tried_by([ORDINARY])
def test_a_stale_pid_file_does_not_stop_the_start(caller: Caller, home: Path) -> None:
    data = Path(caller.run("dsn", home)["data"])
    # PostgreSQL takes any living process of its own user for the server.
    stranger = subprocess.Popen(["sleep", "60"], user=data.stat().st_uid)
    rest = f"\n{data}\n1\n5432\n/tmp\n\n 1 2\nready   \n"
    try:
        for note in (f"4194304{rest}", f"{stranger.pid}{rest}", "nonsense", "", "\n\n"):
            caller.run("stop", home)
            (data / "postmaster.pid").write_text(note)
            os.chown(data / "postmaster.pid", data.stat().st_uid, data.stat().st_gid)
            assert "pid" in caller.run("dsn", home)
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@tried_by([ORDINARY])
def test_a_server_without_its_pid_file_is_replaced(caller: Caller, home: Path) -> None:
    first = caller.run("dsn", home)
    Path(first["data"], "postmaster.pid").unlink()
    second = caller.run("dsn", home)
    assert [server.pid for server in postmasters(first["data"])] == [second["pid"]]


@tried_by([ORDINARY])
async def test_a_server_whose_socket_was_tidied_away_is_restarted(
    caller: Caller, home: Path
) -> None:
    answer = caller.run("dsn", home)
    for left in socket_directory(answer).iterdir():
        left.unlink()
    await (await asyncpg.connect(caller.run("dsn", home)["app"])).close()


def _others_directory(path: Path) -> None:
    path.mkdir(mode=0o700)
    os.chown(path, 12345, 12345)


def _open_directory(path: Path) -> None:
    path.mkdir()
    path.chmod(0o770)


WAYS: list[Callable[[Path], None]] = [_open_directory, lambda path: path.symlink_to("/tmp")]
if IS_ROOT:  # nobody else may give a directory away
    WAYS.append(_others_directory)


def test_a_socket_directory_that_others_may_touch_is_refused(caller: Caller, home: Path) -> None:
    answer = caller.run("dsn", home)
    directory = socket_directory(answer)
    for make in WAYS:
        caller.run("stop", home)
        make(directory)
        assert "is in the way" in caller.run("dsn", home)["error"]
        assert postmasters(answer["data"]) == []
        caller.run("stop", home)
        assert directory.lstat()  # not ours to remove
        directory.unlink() if directory.is_symlink() else directory.rmdir()


def test_passwords_and_sockets_are_closed_to_others(caller: Caller, home: Path) -> None:
    answer = caller.run("dsn", home)
    passwords = home / "postgres/18/passwords.json"
    assert passwords.stat().st_mode & 0o777 == 0o600
    assert passwords.stat().st_uid == (caller.uid or os.geteuid())
    assert socket_directory(answer).stat().st_mode & 0o777 == 0o700
    assert Path(answer["data"]).stat().st_mode & 0o777 == 0o700


def test_a_cluster_whose_directory_is_gone_is_not_replaced_by_an_empty_one(own_home: Path) -> None:
    (own_home / "postgres").mkdir(parents=True)
    (own_home / "postgres" / "18").symlink_to("/nonexistent/cluster")
    with pytest.raises(LauncherError, match="Restore that directory"):
        dsn(own_home)
    (own_home / "postgres" / "18").unlink()


def test_a_cluster_of_another_user_is_refused(own_home: Path) -> None:
    own_home.mkdir()
    # The root directory is never the server account's, whoever runs this.
    (own_home / "postgres").mkdir()
    (own_home / "postgres/18").mkdir()
    (own_home / "postgres/18/data").symlink_to("/")
    with pytest.raises(LauncherError, match="belongs to another user"):
        dsn(own_home)
    with pytest.raises(LauncherError, match="belongs to another user"):
        stop(own_home)


def test_a_home_that_cannot_be_made_is_explained(own_base: Path) -> None:
    (own_base / "file").touch()
    with pytest.raises(LauncherError, match="Set PAYLOOM_HOME"):
        dsn(own_base / "file" / "home")


def test_a_cluster_held_by_another_container_is_refused(own_home: Path) -> None:
    dsn(own_home, durable=False)
    stop(own_home)
    held = locked_at_once(layout_of(own_home, 18).server_lock)
    assert held is not None
    began = time.monotonic()
    try:
        with pytest.raises(LauncherError, match="Another server"):
            dsn(own_home, durable=False)
    finally:
        os.close(held)
    assert time.monotonic() - began > 4  # it may be shutting down
    dsn(own_home, durable=False)
    assert locked_at_once(layout_of(own_home, 18).server_lock) is None


def test_a_refused_start_quotes_the_server(own_home: Path) -> None:
    dsn(own_home, durable=False)
    stop(own_home)
    with (layout_of(own_home, 18).data / "postgresql.auto.conf").open("a") as settings:
        settings.write("shared_buffers = nonsense\n")
    with pytest.raises(LauncherError, match='invalid value for parameter "shared_buffers"'):
        dsn(own_home, durable=False)


def socket_directory(answer: dict[str, str]) -> Path:
    return Path(answer["app"].partition("?host=")[2].partition("&")[0])
