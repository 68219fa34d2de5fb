"""Retrieving and listing what other requests made."""

import json
from collections.abc import Mapping
from typing import Any

from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call, Handler
from payloom.sandbox.stripe.protocol.errors import no_such
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

Filters = Mapping[str, tuple[params.Check, str]]  # parameter → its check, and the SQL that it adds


def row_shown(row: tuple[Any, ...]) -> Json:
    kind, body = row
    return render(kind, json.loads(body))


def retriever(kind: str, param: str) -> Handler:
    """GET of one object; `param` is what Stripe's error calls its id."""

    def retrieve(call: Call) -> Json:
        asked = params.read(call.form, {"expand": params.EXPAND, "client_secret": params.text()})
        kept = call.tx.load(kind, call.ids[0])
        if kept is None:
            raise no_such(kind, call.ids[0], param=param)
        call.expand = asked.get("expand", [])
        return render(kind, kept)

    return retrieve


def lister(
    kind: str,
    *,
    by_parent: str = "",
    never: tuple[str, ...] = (),
    filters: Filters | None = None,
    where: str = "",
) -> Handler:
    """GET of a list; `by_parent` names the filter on what the objects belong to.

    `never` are filters that no object of this sandbox answers to yet, `filters` those on the
    objects' own fields; `where` holds for all that is listed.
    """
    filters = filters or {}
    names = (by_parent, *never) if by_parent else never
    fields = {**lists.PAGING, **lists.CREATED, **dict.fromkeys(names, params.text())}
    fields |= {name: check for name, (check, _) in filters.items()}

    def list_(call: Call) -> Json:
        asked = params.read(call.form, fields)
        selection = lists.of_kind(call, kind, asked)
        if where:
            selection.add(where)
        if by_parent in asked:
            selection.add("parent = ?", asked[by_parent])
        for name, (_, condition) in filters.items():
            if name in asked:
                selection.add(condition, _bound(asked[name]))
        if any(name in asked for name in never):
            selection.add("FALSE")
        call.expand = asked.get("expand", [])
        return lists.page(call, selection, asked, kind=kind, show=row_shown)

    return list_


def of_field(name: str, check: params.Check) -> tuple[params.Check, str]:
    """A filter on a field that is kept: equal to what was asked for."""
    return check, f"body ->> '$.{name}' = ?"


def _bound(value: Any) -> Any:
    """A list or hash is bound as JSON, for `json_each`."""
    return json.dumps(value) if isinstance(value, list | dict) else value
