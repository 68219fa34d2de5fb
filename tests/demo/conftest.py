"""Homes that go away with their database, and a demo for the tests of one file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from payloom.core import postgres
from tests.demo.running import Demo, demo_on, payloom, three_free_ports


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One per file: making a cluster takes seconds."""
    path = tmp_path_factory.mktemp("demo") / "home"
    yield path
    postgres.remove(path)


@pytest.fixture(scope="module")
def ports() -> str:
    return str(three_free_ports())


@pytest.fixture
def used_home(home: Path, ports: str) -> Path:
    """A home where a demo has been before."""
    if not (home / "demo.json").exists():
        played = payloom(home, "demo", "--once", PORT_BASE=ports)
        assert played.returncode == 0, played.stderr
    return home


@pytest.fixture(scope="module")
def steady(home: Path, ports: str) -> Iterator[Demo]:
    """One for the tests that leave it running."""
    with demo_on(home, PORT_BASE=ports) as demo:
        yield demo
