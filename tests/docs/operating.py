"""For operators: settings, metrics, log lines, commands, make targets."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from prometheus_client.metrics import MetricWrapperBase
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from payloom.cli import build
from payloom.core import metrics as our_metrics
from tests.docs.markdown import code, codes, table

ROOT = Path(__file__).parent.parent.parent
SRC = ROOT / "src" / "payloom"

Command = TyperCommand | TyperGroup

_COMMENT = re.compile(r"^    # ((?:PAYLOOM|SHOP)_\w+)(?:=\w+)?: (.*)$")
_MORE = re.compile(r"^    # (.*)$")


def settings() -> str:
    return table(["variable", "what it sets"], _commented(SRC / "settings.py"))


def shop_settings() -> str:
    return table(["variable", "what it sets"], _commented(SRC / "shop" / "settings.py"))


def variables(path: Path) -> list[str]:
    """The environment variables that a file of settings explains."""
    return [name for name, _ in _explained(path)]


def _commented(path: Path) -> Iterator[tuple[str, str]]:
    for name, text in _explained(path):
        yield code(name), text[:1].upper() + text[1:]


def _explained(path: Path) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    is_open = False
    for line in path.read_text().splitlines():
        if first := _COMMENT.match(line):
            found.append((first[1], first[2]))
            is_open = True
        elif is_open and (more := _MORE.match(line)):
            found[-1] = (found[-1][0], f"{found[-1][1]} {more[1]}")
        else:
            is_open = False
    return found


def metrics() -> str:
    return table(
        ["metric", "kind", "labels", "what it says"],
        (
            (code(name), metric._type, codes(metric._labelnames), metric._documentation)
            for name, metric in named_metrics().items()
        ),
    )


def named_metrics() -> dict[str, MetricWrapperBase]:
    """Every metric of ours by the name under which Prometheus sees it."""
    found = {}
    for metric in vars(our_metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name = metric._name
            found[f"{name}_total" if metric._type == "counter" else name] = metric
    return found


def log_lines() -> str:
    rows = sorted({(name, level, feature) for name, level, feature in _logged()})
    return table(["line", "level", "from"], ((code(n), lv, code(f)) for n, lv, f in rows))


def _logged() -> Iterator[tuple[str, str, str]]:
    """Every line that API, worker and commands write: its name, level and feature."""
    for path in sorted(SRC.rglob("*.py")):
        feature = path.relative_to(SRC).parts[0].removesuffix(".py")
        if feature in ("shop", "sandbox"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in ("debug", "info", "warning", "error") or not node.args:
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant) and re.fullmatch(r"[a-z_.]+", str(first.value)):
                yield str(first.value), node.func.attr, feature


def commands() -> str:
    return "\n\n".join(_command(name, command) for name, command in every_command().items())


def every_command() -> dict[str, Command]:
    """Each command by its whole name: `payloom db migrate`."""
    return dict(sorted(_walk("payloom", typer.main.get_command(build()))))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Command]]:
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for part, below in command.commands.items():
        yield from _walk(f"{name} {part}", below)


def _command(name: str, command: Command) -> str:
    asked = [each for each in command.params if isinstance(each, TyperArgument)]
    usage = " ".join([name, *(f"{each.name or ''}".upper() for each in asked)])
    options = [(code(str(each.name).upper()), each.help or "") for each in asked]
    options += [
        (code(each.opts[0]), f"{each.help or ''}{_default(each)}")
        for each in command.params
        if isinstance(each, TyperOption) and each.name not in ("as_json", "help")
    ]
    text = f"### {name}\n\n{(command.help or '').strip()}\n\n    {usage}"
    return f"{text}\n\n{table(['', 'means'], options)}" if options else text


def _default(option: TyperOption) -> str:
    if option.required:
        return " Required."
    default = getattr(option.default, "value", option.default)
    return f" Default: `{default}`." if default not in (None, False, ()) else ""


def make_targets() -> str:
    found = re.findall(r"^([a-z-]+):.*## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return table(["target", "does"], ((code(f"make {name}"), text) for name, text in found))
