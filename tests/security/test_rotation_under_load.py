"""Master and data keys change while shops sell, processes are killed, and no secret is out of reach
for a moment (S21). Steps as in docs/how-to/rotate-keys.md."""

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from payloom.core import postgres
from payloom.core.crypto import new_key
from payloom.core.key_file import KeyFile
from payloom.core.master_keys import id_of
from payloom.rotation.master_key import AT_ONCE
from tests.conftest import cluster_dsn
from tests.security.front import Front, open_front
from tests.security.house import House, Program, opened
from tests.security.load import loading, more_than, set_up

SHOPS = 12
_WRONG = re.compile(r"MasterKeyWrong|SealBroken|request\.bug|worker\.bug|\.broken|Traceback")
ROTATE = ("secrets", "rotate-master-key")


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


@contextlib.asynccontextmanager
async def last_data_key_locked(dsn: str) -> AsyncIterator[None]:
    """Whoever seals the data keys anew gets as far as the last batch, and waits there."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM data_keys ORDER BY merchant_id DESC LIMIT 1 FOR UPDATE"
            )
            yield
    finally:
        await connection.close()


async def killed_in_the_middle(house: House, dsn: str, **settings: str) -> None:
    """Rotate, and die by SIGKILL when the first batch is done and the last is not."""
    async with last_data_key_locked(dsn):
        process = await house.begin(*ROTATE, "--json", **settings)
        reader = await asyncpg.connect(dsn)
        async with asyncio.timeout(60):
            while len(await master_keys_in_use(reader)) < 2:
                assert process.returncode is None, (await process.communicate())[1]
                await asyncio.sleep(0.02)
        process.kill()
        await process.communicate()
        assert len(await master_keys_in_use(reader)) == 2
        await reader.close()


async def master_keys_in_use(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch("SELECT DISTINCT master_key_id FROM data_keys")
    return {row["master_key_id"] for row in rows}


async def rotated_twice_at_once(house: House, **settings: str) -> None:
    both = await asyncio.gather(*(house.done(*ROTATE, **settings) for _ in range(2)))
    assert sum(done["data_keys_sealed_anew"] for done in both) == SHOPS


def check_logs(house: House) -> None:
    for log in house.logs.glob("*.log"):
        wrong = [line for line in log.read_text().splitlines() if _WRONG.search(line)]
        assert not wrong, f"{log.name}: {wrong[:3]}"


async def start_api(house: House, front: Front, name: str, key: str) -> Program:
    program = await house.start(name, "serve", "--port", "0", PAYLOOM_MASTER_KEY=key)
    front.behind.append(program.url)
    return program


async def restarted(house: House, front: Front, program: Program, name: str, key: str) -> Program:
    """As a careful operator does: the new one first, then the old one ends."""
    fresh = await start_api(house, front, name, key)
    front.behind.remove(program.url)
    assert await program.stop() == 0
    return fresh


@pytest.mark.crash
@pytest.mark.timeout(900)
async def test_the_master_key_of_several_processes_is_rotated_under_load(
    tmp_path: Path, dsn: str, database: str
) -> None:
    old, new = new_key(), new_key()
    async with (
        open_front() as front,
        opened(tmp_path / "house", PAYLOOM_DATABASE_URL=dsn, PAYLOOM_PUBLIC_URL=front.url) as house,
    ):
        sandbox = await house.start("sandbox", "sandbox", "--port", "0")
        shops = await set_up(dsn, text(old), count=SHOPS, api=front.url, sandbox=sandbox.url,
                             others=AT_ONCE)  # fmt: skip
        first = await start_api(house, front, "api-1", text(old))
        second = await start_api(house, front, "api-2", text(old))
        worker = await house.start("worker", "worker", PAYLOOM_MASTER_KEY=text(old))
        async with loading(front.url, sandbox.url, shops) as load:
            await more_than(load, "return", 5)

            both = f"{text(new)},{text(old)}"
            first = await restarted(house, front, first, "api-1", both)
            refused = await house.run(*ROTATE, PAYLOOM_MASTER_KEY=both)
            assert refused.code == 1
            assert "do not hold the master key" in refused.err
            second = await restarted(house, front, second, "api-2", both)
            assert await worker.stop() == 0
            worker = await house.start("worker", "worker", PAYLOOM_MASTER_KEY=both)
            await more_than(load, "return", 3)

            await killed_in_the_middle(
                house, cluster_dsn("owner", database), PAYLOOM_MASTER_KEY=both
            )
            await more_than(load, "return", 5)
            looked = await house.run("secrets", "check", "--json", PAYLOOM_MASTER_KEY=both)
            assert (looked.code, looked.json["in_use"]) == (1, [id_of(new), id_of(old)])
            assert looked.json["broken"] == 0

            await rotated_twice_at_once(house, PAYLOOM_MASTER_KEY=both)
            assert (await house.done("secrets", "check", PAYLOOM_MASTER_KEY=both))["good"]
            await house.done("secrets", "rotate-data-keys", PAYLOOM_MASTER_KEY=both)
            await more_than(load, "return", 5)

            first = await restarted(house, front, first, "api-1", text(new))
            second = await restarted(house, front, second, "api-2", text(new))
            assert await worker.stop() == 0
            worker = await house.start("worker", "worker", PAYLOOM_MASTER_KEY=text(new))
            await more_than(load, "return", 5)
        assert (await house.done("secrets", "check", PAYLOOM_MASTER_KEY=text(new)))["good"]
        check_logs(house)


@pytest.mark.crash
@pytest.mark.timeout(900)
async def test_the_key_file_of_a_home_is_rotated_under_load(tmp_path: Path) -> None:
    async with (
        open_front() as front,
        opened(tmp_path / "house", PAYLOOM_PUBLIC_URL=front.url) as house,
    ):
        home = tmp_path / "house" / "payloom"
        try:
            await rotate_home(house, front, KeyFile(home / "master.key"))
        finally:
            await house.close()
            await asyncio.to_thread(postgres.remove, home)


async def rotate_home(house: House, front: Front, file: KeyFile) -> None:
    sandbox = await house.start("sandbox", "sandbox", "--port", "0")
    api = await house.start("api", "serve", "--port", "0", "--with-worker")
    front.behind.append(api.url)
    (old,) = file.read()
    dsn = (await house.done("db", "shell"))["database_url"]
    owner = (await house.done("db", "shell", "--as", "owner"))["database_url"]
    shops = await set_up(
        dsn, text(old), count=SHOPS, api=front.url, sandbox=sandbox.url, others=AT_ONCE
    )
    async with loading(front.url, sandbox.url, shops) as load:
        await more_than(load, "return", 3)
        await killed_in_the_middle(house, owner)
        assert file.read()[1:] == (old,)
        await more_than(load, "return", 3)
        # A home that was left like this is one to start from.
        second = await house.start("api-2", "serve", "--port", "0")
        front.behind.append(second.url)
        await more_than(load, "return", 3)

        await asyncio.gather(*(house.done(*ROTATE) for _ in range(2)))
        assert old not in file.read()
        assert len(file.read()) == 1
        await more_than(load, "return", 5)
    check_logs(house)
    await house.close()
    house.kill_database()
    looked = await house.done("secrets", "check")
    assert (looked["good"], looked["secrets"]) == (True, 3 * SHOPS + AT_ONCE)
    await house.start("api", "serve", "--port", "0")
