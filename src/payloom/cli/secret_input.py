"""Secrets come from a file, the environment or a prompt: arguments can be seen by everybody."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payloom.cli.failing import ASKED_WRONGLY, Failure

if TYPE_CHECKING:
    from payloom.core.secret import Secret

FromFile = Annotated[
    Path | None,
    typer.Option(
        "--from-file",
        help="Read the secrets from this file, lines like NAME=value.",
        dir_okay=False,
    ),
]


def read_secrets(
    names: Iterable[str], from_file: Path | None, *, optional: frozenset[str] = frozenset()
) -> "dict[str, Secret]":
    """Each named secret, from the file if one is given, else the environment, else a prompt."""
    from payloom.core.secret import Secret

    source = _lines_of(from_file) if from_file else dict(os.environ)
    found = {}
    for name in names:
        text = source.get(name, "").strip()
        if not text and from_file is None:
            text = _ask(name, is_optional=name in optional)
        if text:
            found[name] = Secret(text)
        elif name not in optional:
            raise Failure(f"{name}: not in {from_file or 'the environment'}", ASKED_WRONGLY)
    return found


def _ask(name: str, *, is_optional: bool) -> str:
    if not sys.stdin.isatty():
        return ""
    hint = " (may be left empty)" if is_optional else ""
    text: str = typer.prompt(
        f"{name}{hint}", hide_input=True, default="", show_default=False, err=True
    )
    return text.strip()


def _lines_of(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read: {error}", ASKED_WRONGLY) from None
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}
