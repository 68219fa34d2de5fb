"""Form bodies and query strings with nested brackets: `a[b]=1`, `a[0][c]=2`, `a[]=3`.

Lists with indexes come out as dictionaries with digit keys, in the order sent; whoever knows that
a parameter is a list makes it one. Anything ambiguous is refused: a stand-in that guesses would
hide the mistakes it is there to show.
"""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

PAIRS_MAX = 2_000
DEPTH_MAX = 8

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class BadForm(ValueError):
    """The text is not a form that can be read in one way only."""


def decode(text: bytes) -> dict[str, Any]:
    if not text:
        return {}
    pairs = text.split(b"&")
    if len(pairs) > PAIRS_MAX:
        raise BadForm(f"More than {PAIRS_MAX} parameters.")
    form: dict[str, Any] = {}
    for pair in pairs:
        if pair:
            name, _, value = pair.partition(b"=")
            _put(form, _path(_plain(name)), _plain(value))
    return form


def _plain(text: bytes) -> str:
    if b"%" not in text and b"+" not in text:
        raw = text
    elif _BAD_ESCAPE.search(text):
        raise BadForm("Invalid percent-encoding.")
    else:
        raw = unquote_to_bytes(text.replace(b"+", b" "))
    try:
        plain = raw.decode()
    except UnicodeDecodeError:
        raise BadForm("Invalid UTF-8.") from None
    if "\x00" in plain:
        raise BadForm("Null characters are not allowed.")
    return plain


def _path(name: str) -> list[str]:
    """`a[b][]` → ["a", "b", ""]."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise BadForm(f"Invalid parameter name: {name[:100]}")
    head, brackets = match.groups()
    if not brackets:
        return [head]
    path = [head, *brackets[1:-1].split("][")]
    if len(path) > DEPTH_MAX:
        raise BadForm(f"Parameters are nested too deeply: {name[:100]}")
    return path


def _put(form: dict[str, Any], path: list[str], value: str) -> None:
    here = form
    for at, step in enumerate(path[:-1]):
        following = path[at + 1]
        if step == "":
            here = _element(here, path[at + 1 :])
            continue
        child = here.setdefault(step, {})
        if not isinstance(child, dict) or (child and ("" in child) != (following == "")):
            raise BadForm(f"Parameter given in two shapes: {path[0]}")
        here = child
    if path[-1] == "":
        here.setdefault("", []).append(value)
    elif path[-1] in here:
        raise BadForm(f"Parameter given twice: {path[0]}")
    else:
        here[path[-1]] = value


def _element(array: dict[str, Any], rest: list[str]) -> dict[str, Any]:
    """The hash that `a[][b]` belongs to: the last one, or a new one once `b` is taken."""
    elements = array.setdefault("", [])
    if not elements or not isinstance(elements[-1], dict) or rest[0] in elements[-1]:
        elements.append({})
    last = elements[-1]
    if not isinstance(last, dict):
        raise BadForm("Parameter given in two shapes.")
    return last
