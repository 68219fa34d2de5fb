"""The file of master keys changes whole or not at all, whoever is killed meanwhile."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from payloom.core.key_file import KeyFile
from payloom.core.master_keys import NotMasterKeys, id_of


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "home" / "master.key")


def test_it_is_made_on_first_use_and_then_stays(file: KeyFile) -> None:
    made = file.read_or_make()
    assert len(made) == 1
    assert file.read_or_make() == file.read() == made


def test_only_its_owner_can_read_it(file: KeyFile) -> None:
    file.read_or_make()
    file.begin()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_rotation_puts_a_fresh_key_first_once(file: KeyFile) -> None:
    (old,) = file.read_or_make()
    assert file.begin()
    new, second = file.read()
    assert second == old != new
    assert not file.begin()  # one that was killed goes on with the same key
    assert file.read() == (new, old)


def test_what_is_dropped_goes_and_the_newest_stays(file: KeyFile) -> None:
    (old,) = file.read_or_make()
    file.begin()
    new, _ = file.read()
    file.drop(["0" * 16])
    assert file.read() == (new, old)
    file.drop([id_of(old), id_of(new)])
    assert file.read() == (new,)


def test_a_damaged_file_is_told_and_never_replaced(file: KeyFile) -> None:
    file.read_or_make()
    for damaged in (b"", b"short\n", "é".encode() * 44, b"\xff\xfe"):
        file.path.write_bytes(damaged)
        for read in (file.read, file.read_or_make, file.begin):
            with pytest.raises(NotMasterKeys):
                read()
        assert file.path.read_bytes() == damaged


def test_many_who_make_it_at_once_get_the_same_key(file: KeyFile) -> None:
    with ThreadPoolExecutor(20) as pool:
        made = set(pool.map(lambda _: file.read_or_make(), range(100)))
    assert made == {file.read()}


def test_of_many_who_begin_at_once_one_makes_the_key(file: KeyFile) -> None:
    file.read_or_make()
    with ThreadPoolExecutor(20) as pool:
        began = list(pool.map(lambda _: file.begin(), range(100)))
    assert began.count(True) == 1
    assert len(file.read()) == 2


def change(file: KeyFile, what: str, fatal: int, *ids: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.core.key_file_changer", str(file.path), what]
    return subprocess.run([*command, str(fatal), *ids], capture_output=True, text=True, check=False)


@pytest.mark.crash
@pytest.mark.parametrize("what", ["make", "begin", "drop"])
async def test_killed_at_any_touch_of_the_disk_it_is_whole(tmp_path: Path, what: str) -> None:
    def prepared(name: str) -> KeyFile:
        file = KeyFile(tmp_path / name / "master.key")
        if what == "make":
            file.path.parent.mkdir()
        else:
            file.read_or_make()
        if what == "drop":
            file.begin()
        return file

    def older(file: KeyFile) -> list[str]:
        return [id_of(key) for key in file.read()[1:]] if what == "drop" else []

    whole = prepared("whole")
    touches = int(change(whole, what, 0, *older(whole)).stdout)
    assert touches > 3
    for fatal in range(1, touches + 1):
        file = prepared(f"at-{fatal}")
        before = file.read() if file.path.exists() else ()
        killed = await asyncio.to_thread(change, file, what, fatal, *older(file))
        assert killed.returncode == -9, killed
        after = file.read() if file.path.exists() else ()
        assert before[-1:] == after[-1:] or what in ("make", "drop"), "the key in use is lost"
        assert after in (before, before[:1]) or (what != "drop" and after[1:] == before)
        # Who comes next finds no lock held, no half-written key left, and can finish.
        assert change(file, what, 0, *older(file)).returncode == 0
        assert len(file.read()) == (2 if what == "begin" else 1)
        assert sorted(os.listdir(file.path.parent)) == ["master.key", "master.key.lock"]
