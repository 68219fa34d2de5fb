"""Pages, ports, progress, the story, and which sources belong to which process."""

import asyncio
import io
import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from payloom.demo import DemoError
from payloom.demo.births import birth_of
from payloom.demo.home import Home, write_private
from payloom.demo.pages import Page
from payloom.demo.ports import Ports, any_free, choose
from payloom.demo.progress import Progress
from payloom.demo.reload import watch_sources
from payloom.demo.story import Story
from payloom.demo.terminal import LastingConsole
from tests.demo.running import until

PAGE = """
<a href="/back">Back</a><input name="outside" value="x">
<form method="POST" action="/pay"><input type="hidden" name="token" value="t&amp;1">
<input name="email" value=""><select name="country"><option value="DE">…<option value="FR" selected>
</select><button name="go" value="1">Pay</button><input type="submit" name="no" value="2"></form>
<form action="/search"><input name="q"><input type="radio" name="in" value="all" checked>
<input type="radio" name="in" value="one"></form>
"""


def test_forms_and_links_are_read_as_a_browser_would_send_them() -> None:
    page = Page("http://shop/", PAGE)
    assert page.links == ["/back"]
    pay, search = page.forms
    assert (pay.action, pay.method) == ("/pay", "post")
    assert pay.values == {"token": "t&1", "email": "", "country": "FR"}
    assert (search.method, search.values) == ("get", {"q": "", "in": "all"})
    assert page.form(lambda form: "q" in form.values) is search
    assert page.form(lambda form: form.action == "/none") is None


def test_ports_are_the_ones_before_if_they_are_free() -> None:
    before = Ports(any_free(), any_free(), any_free())
    assert choose(None, before) == before
    with socket.create_server(("127.0.0.1", before.shop)):
        now = choose(None, before)
        assert (now.api, now.sandbox) == (before.api, before.sandbox)
        assert now.shop != before.shop
        assert len({now.api, now.shop, now.sandbox}) == 3
        with pytest.raises(DemoError, match=f"port {before.shop} is taken"):
            choose(before.shop - 1, None)


def console(*, terminal: bool = False, width: int = 80) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, highlight=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_progress_in_a_file_is_one_line_for_each_thing_done() -> None:
    out = console()
    progress = Progress(out, ("Database", "Shop"))
    with progress.shown():
        with progress.step("Database") as line:
            line.detail = "PostgreSQL"
        with pytest.raises(ValueError, match="no"), progress.step("Shop"):
            raise ValueError("no")
    lines = text_of(out).splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", "Database"], ["failed", "Shop"]]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_progress_on_a_terminal_fits_its_width(width: int) -> None:
    out = console(terminal=True, width=width)
    progress = Progress(out, ("Database", "Shop"))
    with progress.shown(), progress.step("Database") as line:
        line.detail = "a detail that is rather long " * 3
    plain = Console(file=io.StringIO(), width=width)
    plain.print(progress._table())
    assert max(len(line.rstrip()) for line in text_of(plain).splitlines()) <= width
    done, waiting = (line.split() for line in text_of(plain).splitlines() if line)
    assert (done[0], done[-1], waiting[0]) == ("✓", "s", "·")


def step(number: int, at: str | None) -> dict[str, Any]:
    return {"step": number, "at": at, "title": f"Step {number}", "detail": "What it was. " * 20}


def test_the_story_tells_each_step_once_and_the_last_when_it_is_over() -> None:
    out = console()
    story = Story(out)
    steps = [step(n, f"2026-11-22T10:00:0{n}+00:00") for n in range(1, 10)]
    story.tell([*steps[:3], step(4, None)], is_over=False)
    story.tell(steps, is_over=False)
    completed = [story.is_complete]
    story.tell(steps, is_over=True)
    completed.append(story.is_complete)
    assert completed == [False, True]
    lines = text_of(out).splitlines()
    assert [line[1] for line in lines if line[1] != " "] == list("123456789")
    assert "+8.000 s" in lines[-5]
    assert max(map(len, lines)) <= 80


def test_the_story_dates_what_nobody_watched_by_the_latest_it_can_have_been() -> None:
    out = console()
    at = "2026-11-22T10:00:06+00:00"
    Story(out).tell([step(5, at), {**step(6, at), "or_before": True}], is_over=False)
    fifth, sixth = (line for line in text_of(out).splitlines() if line[1] != " ")
    assert "by 10:00:06.000" in sixth
    assert "by" not in fifth
    assert len(sixth) == len(fifth)


def test_a_private_file_appears_whole_and_closed_to_others(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    write_private(home.facts, "{}")
    write_private(home.facts, '{"a": 1}')
    assert home.facts.read_text() == '{"a": 1}'
    assert home.facts.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.root.iterdir() if path.is_file()] == ["demo.json"]


async def test_a_saved_source_restarts_the_processes_it_belongs_to(tmp_path: Path) -> None:
    for name in ("shop/cart.py", "payments/record.py", "demo/run.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    said: list[str] = []
    changes = watch_sources(said.append, tmp_path)
    for name, programs in (("shop/cart.py", ("shop",)), ("payments/record.py", ("api", "worker"))):
        waiting = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0.2)
        (tmp_path / "demo/run.py").write_text(f"# {name}")  # that is us, and goes on as it is
        (tmp_path / name).write_text(f"# {name}")
        assert await asyncio.wait_for(waiting, 10) == programs
    assert "cart.py changed; restarting shop" in said[0]
    await changes.aclose()  # type: ignore[attr-defined]


def test_the_demo_goes_on_when_nobody_reads_what_it_says() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as file:
        out = LastingConsole(file=file)
        out.print("heard")
        os.close(reader)
        out.print("unheard")
        out.print("unheard, too")
    assert out.quiet


HEADLESS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print("ready", flush=True)
ctypes.CDLL(None).syscall(60, 0)  # exit(2): this thread only, the process goes on
"""


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="a system call by number"
)
def test_a_process_lives_as_long_as_any_of_its_threads() -> None:
    with subprocess.Popen([sys.executable, "-c", HEADLESS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        stat = Path(f"/proc/{process.pid}/stat")
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z", 10, "a headless one")
        assert birth_of(process.pid) is not None
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: birth_of(process.pid) is None, 10, "it is gone")
