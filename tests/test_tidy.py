"""Sizes and manners that reviews would otherwise repeat; exceptions are listed, and shrink."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "payloom"
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 8

LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}
VAGUE = {"utils", "util", "helpers", "helper", "common", "service", "manager", "misc"}


def _sources() -> Iterator[Path]:
    yield from sorted(SRC.rglob("*.py"))


def _functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(SRC)}:{node.name}", node


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(SRC)): lines
        for path in _sources()
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert long == LONG_FILES


def test_functions_are_short() -> None:
    long = {
        name: lines
        for name, node in _functions()
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == LONG_FUNCTIONS


def test_no_name_fits_anything() -> None:
    assert [path.name for path in _sources() if path.stem in VAGUE] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(SRC))
        for path in _sources()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_every_commented_index_is_explained() -> None:
    sql = "\n".join(path.read_text() for path in sorted((SRC / "migrations").glob("*.sql")))
    indexes = set(re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+)", sql))
    explained = set(re.findall(r"COMMENT ON INDEX (\w+)", sql))
    assert indexes == explained


def test_only_settings_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(SRC))
        for path in _sources()
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    ]
    allowed = {"settings.py", "shop/settings.py", "shop/__main__.py", "sandbox/__main__.py"}
    assert [name for name in readers if name not in allowed and not name.startswith("cli/")
            and not name.startswith("demo/")] == []  # fmt: skip


def test_money_is_never_a_float() -> None:
    floats = [
        name
        for name, node in _functions()
        for arg in [*node.args.args, *node.args.kwonlyargs]
        if isinstance(arg.annotation, ast.Name)
        and arg.annotation.id == "float"
        and re.search(r"amount|price|minor|total|fee", arg.arg)
    ]
    assert floats == []
