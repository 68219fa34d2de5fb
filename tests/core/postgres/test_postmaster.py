"""Owning the server as a child."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from payloom.core.postgres import LauncherError, Postmaster, dsn, stop
from tests.core.postgres.callers import postmasters


@pytest.fixture
def server(own_home: Path) -> Iterator[Postmaster]:
    owned = Postmaster(own_home, durable=False)
    try:
        yield owned
    finally:
        owned.stop()


def test_making_one_touches_nothing(server: Postmaster) -> None:
    assert [server.pid, server.poll()] == [None, None]
    assert not server.home.exists()
    server.stop()
    with pytest.raises(LauncherError, match=r"call start\(\) first"):
        server.wait_ready()


def test_it_starts_stops_and_starts_again(server: Postmaster) -> None:
    for _ in range(3):
        server.start()
        server.wait_ready()
        pid = server.pid
        assert pid
        assert [process.ppid() for process in postmasters(data(server))] == [os.getpid()]
        server.start()
        assert server.pid == pid  # it runs already
        server.stop()
        assert [server.pid, server.poll()] == [None, 0]
        assert postmasters(data(server)) == []


def test_a_ctrl_c_at_the_terminal_does_not_reach_it(server: Postmaster) -> None:
    server.start()
    assert server.pid
    assert os.getsid(server.pid) == os.getpgid(server.pid) == server.pid


def test_a_killed_child_is_reaped_and_restarted(server: Postmaster) -> None:
    server.start()
    server.wait_ready()
    for _ in range(5):
        pid = server.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        # Without a pause, so that the dead server's children are likely to be there still.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert server.poll() == -signal.SIGKILL
        server.start()
        server.wait_ready()


def test_a_killed_child_that_nobody_reaped_does_not_prevent_the_start(
    server: Postmaster, own_home: Path
) -> None:
    server.start()
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    other = Postmaster(own_home, durable=False)
    try:
        other.start()
        other.wait_ready()
        assert [process.pid for process in postmasters(data(server))] == [other.pid]
    finally:
        other.stop()


async def test_stop_does_not_wait_for_clients(server: Postmaster, own_home: Path) -> None:
    server.start()
    server.wait_ready()
    client = await asyncpg.connect(dsn(own_home, durable=False))
    server.stop()
    assert server.poll() == 0
    client.terminate()


def test_a_server_that_hangs_is_ended_by_force(server: Postmaster) -> None:
    server.start()
    assert server.pid
    os.kill(server.pid, signal.SIGSTOP)
    server.stop(timeout_s=0.1)
    assert server.poll() == -signal.SIGKILL


def test_a_child_stopped_by_somebody_else_is_seen(server: Postmaster, own_home: Path) -> None:
    server.start()
    assert stop(own_home)
    assert [server.pid, server.poll()] == [None, 0]


def data(server: Postmaster) -> str:
    return str((server.home / "postgres/18").resolve() / "data")
