"""`expand[]`: ids replaced by the objects they name, along dotted paths."""

from collections.abc import Callable, Mapping
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.protocol.errors import invalid
from payloom.sandbox.stripe.protocol.shapes import EXPANDABLE, render

Json = dict[str, Any]

DEPTH_MAX = 4
# (kind, field) → what stands there when it is asked for, where that is more than an object by id
Openers = Mapping[tuple[str, str], Callable[[Tx, Json], Json | None]]


def expand(tx: Tx, body: Json, paths: list[str], openers: Openers) -> Json:
    """The answer with each path's ids expanded in place."""
    for path in paths:
        steps = path.split(".")
        if len(steps) - (steps[0] == "data") > DEPTH_MAX:
            message = f"You cannot expand more than {DEPTH_MAX} levels of a property. Property: "
            raise invalid(message + path, param="expand")
        _walk(tx, body, steps, path, openers)
    return body


def _walk(tx: Tx, body: Json, steps: list[str], path: str, openers: Openers) -> None:
    if not steps:
        return
    first, rest = steps[0], steps[1:]
    if body["object"] == "list":
        if first != "data":
            raise _cannot(path, hint=f"data.{path}")
        for item in body["data"]:
            _walk(tx, item, rest, path, openers)
        return
    if body["object"] == "item" and first == "price":
        _walk(tx, body["price"], rest, path, openers)
        return
    kinds = EXPANDABLE.get(body["object"], {})
    holder = body
    if rest and f"{first}.{rest[0]}" in kinds:  # a field of a part of the object
        kinds = {rest[0]: kinds[f"{first}.{rest[0]}"]}
        holder, first, rest = body.get(first) or {}, rest[0], rest[1:]
    if first not in kinds:
        raise _cannot(path)
    opener = openers.get((body["object"], first))
    if opener and not isinstance(body.get(first), dict):
        body[first] = opener(tx, body)
    elif names := kinds[first]:
        _open(tx, holder, first, names)
    if holder.get(first) is not None:
        _walk(tx, holder[first], rest, path, openers)


def _open(tx: Tx, body: Json, name: str, kinds: str) -> None:
    """Replace the id in this field, if it is not open already."""
    value = body.get(name)
    if isinstance(value, str):
        for kind in kinds.split():
            if (kept := tx.load(kind, value)) is not None:
                body[name] = render(kind, kept)


def _cannot(path: str, hint: str | None = None) -> Exception:
    message = f"This property cannot be expanded ({path[:100]})."
    if hint:
        message += f" You may want to try expanding '{hint[:100]}' instead."
    return invalid(message, param="expand")
