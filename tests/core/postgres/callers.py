"""Who may start the server, and how a test makes them do it in a process of their own."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

LAUNCHER = Path(__file__).with_name("launcher.py")
SOURCES = LAUNCHER.parents[3] / "src"
IS_ROOT = os.geteuid() == 0
# What is left to root in an ordinary container: among the missing, looking into other users'
# processes.
CAPABILITIES = (
    "chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw "
    "sys_chroot mknod audit_write setfcap"
)
CONTAINER_ROOT = (
    "setpriv",
    "--inh-caps=-all",
    "--bounding-set=" + ",".join(["-all", *(f"+{name}" for name in CAPABILITIES.split())]),
)
# None of the caller's environment may reach the server or lead a client elsewhere.
MISLEADING = {"PGPORT": "1", "PGDATA": "/nonexistent", "PGOPTIONS": "-x", "TMPDIR": "/nonexistent"}


@dataclass(frozen=True)
class Caller:
    """An account, and a directory of the kind it would keep its home in."""

    name: str
    base_mode: int = 0o700
    prefix: tuple[str, ...] = ()
    uid: int = 0  # becomes this user; 0: stays who it is
    wheel: Path | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.name

    @contextmanager
    def base(self) -> Iterator[Path]:
        """A directory to put homes in, gone afterwards with all servers that run there."""
        base = Path(tempfile.mkdtemp(prefix="payloom-test-", dir="/tmp"))
        base.chmod(self.base_mode)
        if self.uid:
            os.chown(base, self.uid, self.uid)
        try:
            yield base
        finally:
            try:
                for kept in base.glob("**/postgres/lock"):
                    self.run("remove", kept.parents[1])
            finally:
                left = _servers(base)
                for process in left:
                    process.kill()
                shutil.rmtree(base)
            assert not left, f"servers outlived their home: {left}"

    def run(self, do: str, home: Path, **more: Any) -> dict[str, Any]:
        """Do it in another process that ends; answers what it said."""
        done = subprocess.run(self._command(do, home, more), **self._how(), timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def start(self, do: str, home: Path, **more: Any) -> subprocess.Popen[str]:
        """Do it in another process that the caller must end (as a context manager, and kill)."""
        return subprocess.Popen(self._command(do, home, more), **self._how(), stdin=subprocess.PIPE)

    def _command(self, do: str, home: Path, more: dict[str, Any]) -> list[str]:
        wheel = str(self.wheel) if self.wheel else None
        order = {"do": do, "home": str(home), "uid": self.uid, "wheel": wheel}
        order |= {"version": 18, "durable": False} | more
        return [*self.prefix, sys.executable, str(LAUNCHER), json.dumps(order)]

    def _how(self) -> dict[str, Any]:
        environment = {"PYTHONPATH": str(SOURCES), "PATH": os.environ["PATH"], **MISLEADING}
        pipe = subprocess.PIPE
        return {"env": environment, "cwd": "/", "stdout": pipe, "stderr": pipe, "text": True}


# Root cannot be tried by others; but root can try to be somebody else.
ORDINARY = Caller("ordinary user", uid=pwd.getpwnam("nobody").pw_uid if IS_ROOT else 0)
CALLERS = [ORDINARY, *([Caller("root")] if IS_ROOT else [])]
EVERY_CALLER = [*CALLERS, *([Caller("root, open home", base_mode=0o711)] if IS_ROOT else [])]
if IS_ROOT and shutil.which("setpriv"):
    EVERY_CALLER.append(Caller("root in a container", prefix=CONTAINER_ROOT))


def tried_by(callers: list[Caller]) -> pytest.MarkDecorator:
    """Run a test for these callers, not for the usual two."""
    return pytest.mark.parametrize("caller", callers, indirect=True, ids=str)


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next line that a started process says."""
    assert process.stdout
    assert process.stderr
    line = process.stdout.readline()
    assert line, process.stderr.read()
    answer: dict[str, Any] = json.loads(line)
    return answer


def postmasters(data: str) -> list[psutil.Process]:
    """The live servers of a data directory, without the children that have no title yet."""
    found = [
        process
        for process in psutil.process_iter(["cmdline", "ppid", "status"])
        if data in (process.info["cmdline"] or []) and process.info["status"] != "zombie"
    ]
    pids = {process.pid for process in found}
    return [process for process in found if process.info["ppid"] not in pids]


def _servers(base: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(word.startswith(f"{base}/") for word in process.info["cmdline"] or [])
    ]
