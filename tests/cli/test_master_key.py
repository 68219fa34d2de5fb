"""A master key that is wrong, lost or damaged is noticed before anything is promised (F88)."""

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from payloom.core import postgres
from payloom.runtime import Runtime
from tests.cli.conftest import Cli
from tests.cli.test_processes import running

WRONG = "A" * 43 + "="
ANOTHER = "0123456789abcdef"


@pytest.mark.parametrize(
    "command",
    [("serve", "--port", "0"), ("worker",), ("merchants", "create", "Another", "--mode", "test")],
)
async def test_nothing_starts_under_another_key_than_sealed_the_secrets(
    cli: Cli, command: tuple[str, ...]
) -> None:
    await cli.merchant()
    refused = await cli(*command, PAYLOOM_MASTER_KEY=WRONG)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("payloom: The master key is not the one that sealed")
    assert "Add the missing key to PAYLOOM_MASTER_KEY" in refused.err
    assert len((await cli("merchants", "list", "--json")).json["data"]) == 1


async def test_a_process_whose_key_became_wrong_is_not_ready(cli: Cli, owner: Runtime) -> None:
    await cli.merchant()
    async with running(cli, "serve", "--port", "0") as (_, ready):
        async with aiohttp.ClientSession() as http:
            async with http.get(ready["url"] + "/readyz") as response:
                assert response.status == 200
            async with owner.db.statement() as tx:  # another database took its place, say
                await tx.execute("INSERT INTO master_keys VALUES ($1, false, now())", ANOTHER)
            async with http.get(ready["url"] + "/readyz") as response:
                problem = await response.json()
        assert (response.status, problem["code"]) == (503, "unavailable")
        assert f"sealed under the master key {ANOTHER}" in problem["detail"]


@pytest.fixture
def embedded(bare: Cli, tmp_path: Path) -> Iterator[Cli]:
    """With the embedded database and its own key."""
    yield bare.without("PAYLOOM_MASTER_KEY")
    postgres.remove(tmp_path / "payloom")


@pytest.mark.parametrize("command", [("merchants", "list"), ("secrets", "rotate-master-key")])
async def test_a_lost_key_is_not_replaced_and_a_damaged_one_told(
    embedded: Cli, tmp_path: Path, command: tuple[str, ...]
) -> None:
    file = tmp_path / "payloom" / "master.key"
    assert (await embedded("merchants", "list", "--json")).code == 0
    file.unlink()  # nothing is sealed yet
    await embedded.merchant()
    key = file.read_text()

    file.unlink()
    lost = await embedded(*command)
    gone = "is gone, and the secrets in this database are sealed under it: restore it from a backup"
    assert (lost.code, lost.err) == (1, f"payloom: {file} {gone}\n")
    assert not file.exists()

    for damaged in (b"not base64!", b"\xff\xfe", key.encode()[:-8]):
        file.write_bytes(damaged)
        told = await embedded(*command)
        assert (told.code, f"{file} is damaged" in told.err) == (1, True)
        assert len(told.err.splitlines()) == 1

    file.write_text(key)
    assert len((await embedded("merchants", "list", "--json")).json["data"]) == 1
