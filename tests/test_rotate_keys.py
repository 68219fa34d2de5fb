"""The how-to about keys, run as written: every `sh` block in one shell, on a home of its own."""

import asyncio
import json
import re
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from payloom.core import postgres
from payloom.core.crypto import new_key
from payloom.core.key_file import KeyFile
from payloom.core.master_keys import parse, written
from tests.generate_docs import DOCS
from tests.security.house import House, opened
from tests.security.load import endpoint, psp

PAGE = DOCS / "how-to" / "rotate-keys.md"
_BLOCK = re.compile(r"^( *)```sh ?(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def blocks(name: str) -> str:
    """All blocks of this name as one script, which stops at the first mistake."""
    found = [each[3] for each in _BLOCK.finditer(PAGE.read_text()) if each[2] == name]
    assert found, name
    return "\n".join(["set -euo pipefail", *found])


def test_no_block_is_left_out() -> None:
    text = PAGE.read_text()
    assert {each[2] for each in _BLOCK.finditer(text)} == {"", "own_database", "embedded"}
    assert len(list(_BLOCK.finditer(text))) == text.count("```sh")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path / "house") as house:
        try:
            yield house
        finally:
            await asyncio.to_thread(postgres.remove, tmp_path / "house" / "payloom")


async def run(house: House, script: str, **more: str) -> str:
    """What the script says; `payloom` is ours."""
    tools = house.folder / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "payloom").write_text(f'#!/bin/sh\nexec {sys.executable} -m payloom.cli "$@"\n')
    (tools / "payloom").chmod(0o700)
    environment = house.environment | {"PATH": f"{tools}:{house.environment['PATH']}"} | more
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        env=environment,
        stdout=-1,
        stderr=-1,
        stdin=asyncio.subprocess.DEVNULL,
    )
    out, err = await asyncio.wait_for(process.communicate(), 240)
    assert process.returncode == 0, out.decode() + err.decode()
    return out.decode()


async def test_keys_and_credentials(house: House) -> None:
    sandbox = (await house.start("sandbox", "sandbox", "--port", "0")).url
    made = await house.done("merchants", "create", "Corner Shop", "--mode", "test")
    merchant = made["merchant_id"]
    (first,) = (await house.done("keys", "list", "--merchant", merchant))["data"]
    old, url = "sk_test_" + secrets.token_hex(12), "http://127.0.0.1:9/notices"
    async with aiohttp.ClientSession() as http:
        _, hook = await endpoint(http, sandbox, old, url)
        fresh = (await psp(http, sandbox, old, "/_sandbox/keys", data={}))["key"]
        _, fresh_hook = await endpoint(http, sandbox, fresh, url)
    connection = (
        await house.done(
            "connections", "add", "stripe", "--merchant", merchant, "--api-base", sandbox,
            STRIPE_API_KEY=old, STRIPE_WEBHOOK_SECRET=hook,
        )
    )["connection_id"]  # fmt: skip
    said = await run(
        house, blocks(""), MERCHANT=merchant, CONNECTION=connection, OLD_KEY=first["key_id"],
        STRIPE_API_KEY=fresh, STRIPE_WEBHOOK_SECRET=fresh_hook,
    )  # fmt: skip
    assert "web shop, December" in said
    listed = (await house.done("keys", "list", "--merchant", merchant))["data"]
    keys = {key["name"]: key for key in listed}
    assert keys["first key"]["revoked_at"]
    assert not keys["web shop, December"]["revoked_at"]
    (kept,) = (await house.done("connections", "list"))["data"]
    assert kept["secrets"] == ["api_key", "webhook_secret_2"]
    assert re.search(r"^good +yes$", said, re.MULTILINE), said


async def test_the_master_key_of_the_embedded_database(house: House, tmp_path: Path) -> None:
    await house.done("merchants", "create", "Corner Shop", "--mode", "test")
    file = KeyFile(house.folder / "payloom" / "master.key")
    (old,) = file.read()
    safe = tmp_path / "safe"
    safe.mkdir()
    await run(house, blocks("embedded"), SAFE_PLACE=str(safe))
    (new,) = file.read()
    assert new != old
    assert KeyFile(safe / "master.key").read() == (new,)


async def test_the_master_key_with_a_database_of_ones_own(
    house: House, dsn: str, tmp_path: Path
) -> None:
    old = written([new_key()], ",")
    house.environment |= {"PAYLOOM_DATABASE_URL": dsn, "PAYLOOM_MASTER_KEY": old}
    await house.done("merchants", "create", "Corner Shop", "--mode", "test")
    kept = tmp_path / "key"
    script = blocks("own_database") + f'\nprintf %s "$PAYLOOM_MASTER_KEY" > {kept}\n'
    said = await run(house, script)
    new = kept.read_text()
    assert parse(new) != parse(old)
    assert new not in said
    looked = await house.done("secrets", "check", PAYLOOM_MASTER_KEY=new)
    assert looked["good"]
    assert json.dumps(looked["in_use"]) in json.dumps(looked["held"])
