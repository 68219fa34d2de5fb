"""The tutorial, run as written: every `sh` block in one shell, the `python` block in Python.

What a reader sees in `console` blocks (starting the demo) is done by the test's own demo.
"""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from payloom.core import postgres
from tests.demo.running import Demo, demo_on, environment, three_free_ports
from tests.generate_docs import DOCS, ROOT

TUTORIAL = DOCS / "tutorial" / "first-payment.md"
WITHIN_S = 90


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("tutorial") / "home"
    with demo_on(home, PORT_BASE=str(three_free_ports())) as demo:
        yield demo
    postgres.remove(home)


def _blocks(language: str) -> list[str]:
    text = TUTORIAL.read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _run(command: list[str], text: str, demo: Demo) -> str:
    done = subprocess.run(
        command,
        input=text,
        cwd=ROOT,
        env=environment(demo.home),
        text=True,
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_lead_to_a_paid_order(demo: Demo) -> None:
    script = "\n".join(["set -euo pipefail", *_blocks("sh")])
    told = _run(["bash", "-s"], script, demo)
    lines = told.splitlines()
    assert "PENDING" in lines
    assert "the same order" in lines
    assert "SUCCEEDED" in lines
    assert '"kind":"captured"' in told
    assert '"type":"payment_order.succeeded"' in told
    assert "books balance" in told


def test_the_python_takes_a_payment(demo: Demo) -> None:
    (script,) = _blocks("python")
    told = _run([sys.executable, "-"], script, demo)
    assert "Pay here: http" in told
    assert told.splitlines()[-1] == "PENDING"


def test_the_tutorial_has_no_command_that_is_not_run() -> None:
    languages = re.findall(r"^```(\w*)", TUTORIAL.read_text(), re.MULTILINE)
    assert set(filter(None, languages)) == {"console", "sh", "python"}
    assert _blocks("console") == ["$ make demo\n"]
