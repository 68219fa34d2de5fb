"""Imports go one way. Folders alone do not keep them so."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "payloom"

# A module imports only from rows below its own; names in one row leave each other alone.
LAYERS = [
    {"cli"},
    {"demo"},
    {"app", "worker", "embedded"},
    {"audit"},
    {"upkeep"},
    {"explain", "books", "test_clock"},
    {"notices"},
    {"refunds"},
    {"payments"},
    {"webhooks", "rotation"},
    {"merchants"},
    {"runtime"},
    {"settings"},
    {"ledger", "connectors"},
    {"migrations"},
    {"core"},
]
# Programs of their own inside the package: they know `core` at most; `demo` and `cli` start them.
# `testing` is for other projects' tests, which start the sandbox and know nothing else of us.
APART = {"sandbox", "shop", "testing"}
ALONE = {"testing"}  # not even `core`

RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def _feature(module: str) -> str:
    return module.split(".")[1] if module.count(".") else module


def _imports() -> list[tuple[Path, str, str]]:
    found = []
    for path in sorted(SRC.rglob("*.py")):
        relative = path.relative_to(SRC)
        own = relative.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
                if node.module == "payloom":
                    names = [f"payloom.{alias.name}" for alias in node.names]
            found += [
                (relative, own, _feature(name)) for name in names if name.startswith("payloom.")
            ]
    return [row for row in found if row[1] not in ("__init__", row[2]) and row[2] != "__version__"]


def test_every_folder_has_its_place() -> None:
    names = {path.stem if path.is_file() else path.name for path in SRC.iterdir()}
    known = set(RANK) | APART | {"__init__", "__pycache__", "py"}
    assert {name for name in names if name not in known and not name.startswith(".")} <= {"py"}


@pytest.mark.parametrize(("path", "own", "other"), _imports(), ids=str)
def test_imports_go_one_way(path: Path, own: str, other: str) -> None:
    if own in ALONE:
        pytest.fail(f"{path}: {own} starts the sandbox as a process, and imports nothing of ours")
    if own in APART:
        assert other == "core", f"{path}: {own} is a program of its own and imports core at most"
    elif other in APART:
        assert own in ("cli", "demo"), f"{path} must reach {other} over HTTP"
    else:
        assert RANK[own] < RANK[other], f"{path}: {own} must not import {other}"


def test_no_import_inside_a_function_dodges_a_cycle() -> None:
    lazy = []
    for path in sorted(SRC.rglob("*.py")):
        own = path.relative_to(SRC).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and own != "cli":
                lazy += [
                    f"{path.relative_to(SRC)}:{inner.lineno}"
                    for inner in ast.walk(node)
                    if isinstance(inner, ast.Import | ast.ImportFrom)
                ]
    assert lazy == []
