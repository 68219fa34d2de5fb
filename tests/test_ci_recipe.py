"""The recipe for another project's CI, followed as a newcomer would: in an empty directory."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.generate_docs import DOCS, ROOT

PAGE = (DOCS / "how-to" / "test-against-the-sandbox.md").read_text()
FILES = ("conftest.py", "shop.py", "test_shop.py")


def _file(name: str) -> str:
    (text,) = re.findall(
        rf"^```python {re.escape(name)}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL
    )
    return str(text)


def _project(folder: Path) -> Path:
    for name in FILES:
        (folder / name).write_text(_file(name))
    return folder


def _pytest(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """As the recipe's job runs it, with nothing of our own configuration."""
    commands = re.findall(r"^ +- run: (.*)$", PAGE, re.MULTILINE)
    assert commands == ["python -m pip install payloom pytest", "python -m pytest"]
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "PAYLOOM", "COV_"))
    }
    return subprocess.run(
        [sys.executable, *commands[1].split()[1:], "-p", "no:cacheprovider", *more],
        cwd=folder,
        # payloom and pytest alone: none of the plugins that our own tests have
        env={**plain, "PYTHONPATH": str(ROOT / "src"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_recipe_runs_as_written(tmp_path: Path) -> None:
    done = _pytest(_project(tmp_path), "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_recipe_finds_a_shop_that_believes_in_webhooks_alone(tmp_path: Path) -> None:
    """The test on the page is worth something: it goes red for the mistake it is about."""
    shop = _project(tmp_path) / "shop.py"
    shop.write_text(
        shop.read_text().replace("            self.note(event)\n", "            pass\n")
    )
    done = _pytest(tmp_path)
    assert done.returncode == 1
    assert "assert set() == {'order-1'}" in done.stdout


def test_the_fixtures_are_there_only_for_whoever_names_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_any.py").write_text("def test_any(stripe_sandbox):\n    pass\n")
    done = _pytest(tmp_path)
    assert done.returncode == 1
    assert "fixture 'stripe_sandbox' not found" in done.stdout
