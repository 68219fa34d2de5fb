"""Which processes are ours, and alive."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from payloom.core.postgres import dsn, stop
from payloom.core.postgres.layout import layout_of
from payloom.core.postgres.process import (
    PROC,
    is_alive,
    is_postmaster,
    running,
    words_by_proc,
    words_by_ps,
)

Reader = Callable[[int, int], list[bytes]]
READERS: list[Reader] = [words_by_proc] if PROC.joinpath("self").exists() else []
READERS += [words_by_ps] if shutil.which("ps") else []


@pytest.mark.parametrize("words_of", READERS)
def test_our_server_is_known_by_its_user_and_words(own_base: Path, words_of: Reader) -> None:
    home = own_base / "a home"
    dsn(home, durable=False)
    layout = layout_of(home, 18)
    server = running(layout)
    assert server
    program, *rest = words_of(server.pid, layout.account.uid)
    assert os.path.basename(program) == b"postgres"
    assert os.fsencode(layout.data) in rest
    assert words_of(server.pid, layout.account.uid + 1) == []
    stop(home)
    assert not is_postmaster(layout, server.pid)
    assert words_of(4194304, layout.account.uid) == []


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        assert is_alive(child.pid)
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(child.pid)
    assert not is_alive(child.pid)
