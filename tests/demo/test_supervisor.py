"""The supervisor with small programs: what it does when one ends, and how it tells."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from payloom.demo import DemoError
from payloom.demo.children import Program
from payloom.demo.home import Home
from payloom.demo.supervisor import Supervisor


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    """A URL that always says 200."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def program(home: Home, script: str, probe: str) -> Program:
    return Program("clerk", (sys.executable, "-c", script), dict(os.environ), probe, home)


async def until_said(said: list[str], count: int) -> None:
    await until(lambda: len(said) >= count)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_program_that_never_starts_is_told_with_the_end_of_its_log(home: Home) -> None:
    said: list[str] = []
    clerk = program(home, "raise SystemExit('no paper')", "http://127.0.0.1:9/")
    with pytest.raises(DemoError) as refused:
        await Supervisor(home, said.append).start(clerk)
    text = str(refused.value)
    assert text.startswith("The clerk ended (exit code 1).\nThe end of ")
    assert text.endswith("\nno paper")
    assert len(said) == 2  # tried three times


async def test_a_program_that_ends_is_started_again_and_told(home: Home, healthy: str) -> None:
    said: list[str] = []
    supervisor = Supervisor(home, said.append)
    clerk = program(home, "import time; time.sleep(60)", healthy)
    await supervisor.start(clerk)
    first = clerk.pid
    assert first
    os.kill(first, signal.SIGKILL)
    await until_said(said, 2)
    assert said[0] == "clerk was killed (SIGKILL); starting it again"
    assert said[1].startswith("clerk is back after ")
    assert clerk.pid != first
    await supervisor.stop({"clerk"})
    assert len(said) == 2  # to be stopped is no news


async def test_a_program_that_keeps_ending_is_started_ever_more_rarely(
    home: Home, healthy: str
) -> None:
    said: list[str] = []
    supervisor = Supervisor(home, said.append)
    await supervisor.start(program(home, "import time; time.sleep(0.3); exit(4)", healthy))
    await until_said(said, 4)
    ends = [line for line in said if "ended (exit code 4)" in line]
    assert ends[0].endswith("starting it again")
    assert f"starting it again in 0.2 s; see {home.log('clerk')}" in ends[1]
    await supervisor.stop({"clerk"})


DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


async def test_a_program_that_will_not_stop_is_made_to(home: Home, healthy: str) -> None:
    supervisor = Supervisor(home, lambda _: None)
    clerk = program(home, DEAF, healthy)
    clerk.stop_s = 0.5
    await supervisor.start(clerk)
    await until(lambda: "deaf" in home.log("clerk").read_text())
    began = time.monotonic()
    await supervisor.stop({"clerk"})
    assert 0.5 <= time.monotonic() - began < 5
    assert await clerk.ended() == -signal.SIGKILL


async def test_a_restart_that_was_wanted_is_not_complained_about(home: Home, healthy: str) -> None:
    said: list[str] = []
    supervisor = Supervisor(home, said.append)
    clerk = program(home, "import time; time.sleep(60)", healthy)
    await supervisor.start(clerk)
    first = clerk.pid
    await supervisor.restart("clerk")
    await until_said(said, 1)
    assert clerk.pid != first
    assert said[0].startswith("clerk is back after ")
    await supervisor.stop({"clerk"})
