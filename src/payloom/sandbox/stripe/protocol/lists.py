"""Lists as Stripe pages them: newest first, a cursor either way, filters on `created` and more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import no_such

Json = dict[str, Any]

LIMIT_MAX = 100
LIMIT_USUAL = 10
_OPERATORS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

PAGING: dict[str, params.Check] = {
    "limit": params.integer(1, LIMIT_MAX),
    "starting_after": params.text(),
    "ending_before": params.text(),
    "expand": params.EXPAND,
}
CREATED: dict[str, params.Check] = {"created": params.time_range}


@dataclass(slots=True)
class Selection:
    """A table and the conditions on its rows."""

    table: str
    columns: str
    where: list[str]
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        self.where.append(condition)
        self.values.extend(values)

    def add_created(self, bounds: Mapping[str, int]) -> None:
        self.add_range("created", bounds)

    def add_range(self, column: str, bounds: Mapping[str, int]) -> None:
        for operator, second in bounds.items():
            self.add(f"{column} {_OPERATORS[operator]} ?", second)


def of_kind(call: Call, kind: str, asked: Mapping[str, Any]) -> Selection:
    """The tenant's objects of this kind, from the time that was asked for."""
    selection = Selection("objects", "kind, body", ["tenant = ?", "kind = ?"])
    selection.values = [call.tx.tenant.id, kind]
    selection.add_created(asked.get("created", {}))
    return selection


def page(
    call: Call,
    selection: Selection,
    asked: Mapping[str, Any],
    *,
    kind: str,
    show: Callable[[tuple[Any, ...]], Json],
) -> Json:
    """The list envelope around one page of the selection."""
    backwards = "ending_before" in asked
    cursor = asked.get("ending_before") or asked.get("starting_after")
    if cursor:
        name = "ending_before" if backwards else "starting_after"
        position = _position(call, selection, cursor, kind, name=name)
        selection.add(f"(created, seq) {'>' if backwards else '<'} (?, ?)", *position)
    limit = asked.get("limit", LIMIT_USUAL)
    order = "ASC" if backwards else "DESC"
    rows = call.tx.db.execute(
        f"SELECT {selection.columns} FROM {selection.table}"  # noqa: S608 our own names only
        f" WHERE {' AND '.join(selection.where)}"
        f" ORDER BY created {order}, seq {order} LIMIT ?",
        (*selection.values, limit + 1),
    ).fetchall()
    kept = rows[:limit]
    if backwards:
        kept.reverse()
    return envelope(call.path, [show(row) for row in kept], has_more=len(rows) > limit)


def envelope(path: str, data: list[Json], *, has_more: bool = False) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": path}


def _position(
    call: Call, selection: Selection, cursor: str, kind: str, *, name: str
) -> tuple[int, int]:
    row = call.tx.db.execute(
        f"SELECT created, seq FROM {selection.table} WHERE id = ? AND tenant = ?",  # noqa: S608
        (cursor, call.tx.tenant.id),
    ).fetchone()
    if row is None:
        raise no_such(kind, cursor, param=name, status=400)
    return (row[0], row[1])
