"""The command line as operators use it: the real program, on a database of the test's own."""

import asyncio
import base64
import json
import os
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from payloom.core.master_keys import MasterKeys, parse
from payloom.runtime import running
from payloom.settings import Settings
from tests.conftest import cluster_dsn
from tests.notices import given as givens
from tests.notices.given import Given

PROGRAM = (sys.executable, "-m", "payloom.cli")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Cli:
    """Runs `payloom …` in one environment."""

    environment: dict[str, str]

    async def start(self, *arguments: str, **more: str) -> Process:
        return await asyncio.create_subprocess_exec(
            *PROGRAM, *arguments, env=self.environment | more, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )

    async def __call__(self, *arguments: str, **more: str) -> Ended:
        process = await self.start(*arguments, **more)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def merchant(self, mode: str = "test") -> Any:
        made = await self("merchants", "create", "Corner Shop", "--mode", mode, "--json")
        assert made.code == 0, made.err
        return made.json

    def without(self, *names: str, **more: str) -> "Cli":
        kept = {name: value for name, value in self.environment.items() if name not in names}
        return Cli(kept | more)


@pytest.fixture
def bare(tmp_path: Path) -> Cli:
    """Without any database."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return Cli(
        {
            **kept,
            "HOME": str(tmp_path),
            "PAYLOOM_HOME": str(tmp_path / "payloom"),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PAYLOOM_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
    )


@pytest.fixture
def cli(bare: Cli, dsn: str, database: str) -> Cli:
    """On a migrated database, as an operator with one of his own."""
    owner = cluster_dsn("owner", database)
    return Cli(
        bare.environment | {"PAYLOOM_DATABASE_URL": dsn, "PAYLOOM_MIGRATE_DATABASE_URL": owner}
    )


@pytest.fixture
async def given(cli: Cli, dsn: str, settings: Settings) -> AsyncIterator[Given]:
    """On the command line's database, under its master key."""
    keys = MasterKeys(parse(cli.environment["PAYLOOM_MASTER_KEY"]))
    async with running(settings, dsn, keys) as rt:
        yield await givens.given(rt)
