"""A copy of the package with a bug in it, and a process that runs on that copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def copied(folder: Path, *without: str) -> Path:
    """The package as it is, in this folder, where it may be broken."""
    ignored = shutil.ignore_patterns("__pycache__", *without)
    shutil.copytree(REPOSITORY / "src" / "payloom", folder / "payloom", ignore=ignored)
    return folder


def apply(patch: Path, copy: Path) -> None:
    """Plant the bug; a patch whose place has changed is refused."""
    done = subprocess.run(
        ["git", "apply", "-p1", "-C1", str(patch)], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{patch.name} no longer applies:\n{done.stderr}"


def run_on(
    copy: Path, *words: str, timeout_s: int, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """`python -m words…` with nothing of the repository's own package in reach."""
    path = f"{copy}{os.pathsep}{REPOSITORY}"
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": path, **environ},
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
