"""Child processes: started in sessions of their own, known to the janitor, their words in files."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self
from urllib.error import URLError

ROOT = Path(__file__).parent.parent
READY_S = 30.0


class NotRunning(Exception):
    """A process ended or never became ready; the message ends with its last words."""


class Programs:
    """Every process of one run. Leaving the context ends them all and deletes `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._janitor = _start_janitor(home)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for child in self._children.values():
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
        assert self._janitor.stdin is not None
        self._janitor.stdin.close()
        self._janitor.wait()
        for child in self._children.values():
            child.wait()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        settings: Mapping[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
        talks: bool = False,
    ) -> "subprocess.Popen[bytes]":
        """Start `python -m command…`; with `talks`, its standard input and output are pipes."""
        pipe = subprocess.PIPE if talks else subprocess.DEVNULL
        with self._log(name).open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=pipe,
                stdout=pipe if talks else log,
                stderr=log,
                cwd=ROOT,
                env=_environment(settings or {}),
                pass_fds=pass_fds,
                start_new_session=True,
            )
        self._children[name] = child
        self.will_end(child.pid)
        return child

    def end(self, name: str) -> None:
        """End one before the others, and wait until it has."""
        child = self._children.pop(name)
        child.terminate()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()

    def will_end(self, pid: int) -> None:
        """Let the janitor know of a process that must not outlive us."""
        assert self._janitor.stdin is not None
        self._janitor.stdin.write(b"%d\n" % pid)
        self._janitor.stdin.flush()

    def check(self) -> None:
        """Raise NotRunning if a process has ended."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise NotRunning(f"{name} ended with {child.returncode}:\n{self._last_words(name)}")

    def wait_ready(self, name: str, url: str) -> None:
        """Return once `url` answers 200."""
        deadline = time.monotonic() + READY_S
        while not _answers(url):
            self.check()
            if time.monotonic() > deadline:
                raise NotRunning(f"{name} is not ready at {url}:\n{self._last_words(name)}")
            time.sleep(0.05)

    def _log(self, name: str) -> Path:
        return self.home / f"{name.replace(' ', '-')}.log"

    def _last_words(self, name: str) -> str:
        return "\n".join(self._log(name).read_text(errors="replace").splitlines()[-20:])


class Talk:
    """A child that answers each line of JSON with one of its own."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child

    def ask(self, **words: object) -> Any:
        """One question and its answer. Raises NotRunning when the child has ended."""
        self.say(**words)
        return self.hear()

    def say(self, **words: object) -> None:
        """A question whose answer takes its time."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(words).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise NotRunning(f"process {self._child.pid} answers no more") from None

    def hear(self) -> Any:
        """The answer. Raises NotRunning when the child has ended without one."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise NotRunning(f"process {self._child.pid} answers no more")
        return json.loads(line)


def free_port() -> int:
    """A port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def get(url: str) -> bytes:
    """The body of a page of one of our processes."""
    with urllib.request.urlopen(url, timeout=10) as response:
        body: bytes = response.read()
    return body


def leave_in_good_order(_number: int, _frame: FrameType | None) -> None:
    """What SIGTERM does: contexts are left, so that what was started ends."""
    sys.exit("stopped")


def _start_janitor(home: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "bench.janitor", str(home)],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,  # a Ctrl-C is for the benchmark; the janitor comes after
    )


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without the settings of whoever runs the benchmark."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PAYLOOM_")}
    return {**plain, **settings}


def _answers(url: str) -> bool:
    try:
        get(url)
    except (URLError, OSError):
        return False
    return True
