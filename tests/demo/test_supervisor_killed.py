"""SIGKILL to the supervisor: nothing outlives it for long, and the next demo starts."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from payloom.demo.births import birth_of
from payloom.demo.home import Home
from payloom.demo.orphans import end_orphans
from tests.demo.running import PROGRAMS, demo_on, environment, is_alive, payloom, until

pytestmark = pytest.mark.crash


def test_the_next_demo_ends_what_was_left_and_takes_a_payment(home: Path, ports: str) -> None:
    with demo_on(home, PORT_BASE=ports) as first:
        before = first.pids()
        assert None not in before.values()
        deaf = before["sandbox"]
        assert deaf is not None
        os.kill(deaf, signal.SIGSTOP)  # hears nothing, so it stays and keeps its port
        first.process.kill()
        first.process.wait(10)
    with demo_on(home, PORT_BASE=ports) as second:
        assert "sandbox was left behind by a killed demo; ended it" in second.said()
        left = [pid for pid in before.values() if pid is not None and is_alive(pid)]
        assert left == []
        assert set(second.pids().values()) & set(before.values()) == set()
        played = payloom(home, "demo", "--once", "--json")
        assert json.loads(played.stdout)["ok"] is True, played.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only this kernel ends children by itself")
def test_children_end_with_their_supervisor_before_anyone_cleans_up(home: Path, ports: str) -> None:
    with demo_on(home, PORT_BASE=ports) as demo:
        before = demo.pids()
        demo.process.kill()
        demo.process.wait(10)
        for name in PROGRAMS:
            pid = before[name]
            assert pid is not None
            until(lambda pid=pid: not is_alive(pid), 15, f"{name} ends")  # type: ignore[misc]


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        yield process
        process.kill()


async def test_a_stranger_with_an_orphans_number_is_left_alone(
    stranger: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    note = {"pid": stranger.pid, "birth": f"{birth_of(stranger.pid)}0"}
    home.note("api").write_text(json.dumps(note))
    home.note("shop").write_text('{"pid": ')
    assert await end_orphans(home) == []
    assert stranger.poll() is None
    assert list(home.notes.iterdir()) == []


async def test_an_orphan_that_hears_nothing_is_ended_all_the_same(
    stranger: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    note = {"pid": stranger.pid, "birth": birth_of(stranger.pid)}
    home.note("api").write_text(json.dumps(note))
    stranger.send_signal(signal.SIGSTOP)
    # It takes effect a little later.
    await asyncio.to_thread(os.waitid, os.P_PID, stranger.pid, os.WSTOPPED | os.WNOWAIT)
    (orphan,) = await end_orphans(home)
    assert (orphan.name, orphan.pid) == ("api", stranger.pid)
    assert await asyncio.to_thread(stranger.wait, 5) == -signal.SIGKILL


def test_a_program_whose_parent_is_gone_does_not_start(tmp_path: Path) -> None:
    nobody = str(os.getpid())  # the parent of the process in between, not of the program
    command = [sys.executable, "-m", "payloom.demo.tied", str(tmp_path / "note"), nobody]
    said = subprocess.run(
        ["/bin/sh", "-c", f"{' '.join(command)} /bin/echo started; true"],
        env=environment(tmp_path),
        capture_output=True,
        check=False,
    )
    assert said.stdout == b""
    assert json.loads((tmp_path / "note").read_text())["pid"] > 0
