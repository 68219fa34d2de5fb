"""Markdown, and the marked blocks of a page that are written by the generator."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def filled(page: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """The page with every block written anew. Raises KeyError for a block that nobody makes."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]().strip()}\n\n{found[4]}", page)


def block_names(page: str) -> list[str]:
    return [found[2] for found in _BLOCK.finditer(page)]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; bars inside a cell are escaped."""
    lines = [_row(head), _row("---" for _ in head)]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def code(text: object) -> str:
    return f"`{text}`"


def codes(texts: Iterable[object], between: str = ", ") -> str:
    return between.join(code(text) for text in texts)


def _row(cells: Iterable[object]) -> str:
    escaped = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"
