"""Reading events back: what whoever lost a webhook asks."""

from functools import partial
from typing import Any

from payloom.sandbox.stripe.events.emit import COLUMNS, shown
from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, no_such

Json = dict[str, Any]

KEPT_S = 30 * 86_400
TYPES_MAX = 20
_FIELDS: dict[str, params.Check] = {
    **lists.PAGING,
    **lists.CREATED,
    "type": params.text(),
    "types": params.list_of(params.text(), most=TYPES_MAX),
    "delivery_success": params.boolean,
}


def retrieve(call: Call) -> Json:
    params.read(call.form, {"expand": params.EXPAND})
    return find(call)


def find(call: Call) -> Json:
    """The event that the path names, while it is kept."""
    row = call.tx.db.execute(
        f"SELECT {COLUMNS} FROM events WHERE id = ? AND tenant = ? AND created >= ?",  # noqa: S608
        (call.ids[0], call.tx.tenant.id, call.now - KEPT_S),
    ).fetchone()
    if row is None:
        raise no_such("event", call.ids[0], param="id")
    return shown(row, livemode=call.tx.tenant.livemode)


def list_(call: Call) -> Json:
    asked = params.read(call.form, _FIELDS)
    if "type" in asked and "types" in asked:
        message = "You may only specify one of these parameters: type, types."
        raise invalid(message, param="type", code="parameters_exclusive")
    selection = lists.Selection("events", COLUMNS, ["tenant = ?", "created >= ?"])
    selection.values = [call.tx.tenant.id, call.now - KEPT_S]
    selection.add_created(asked.get("created", {}))
    _add_types(selection, asked)
    if "delivery_success" in asked:
        selection.add("undelivered = 0" if asked["delivery_success"] else "undelivered > 0")
    livemode = call.tx.tenant.livemode
    show = partial(shown, livemode=livemode)
    return lists.page(call, selection, asked, kind="event", show=show)


def _add_types(selection: lists.Selection, asked: Json) -> None:
    wanted = asked.get("types") or ([asked["type"]] if "type" in asked else [])
    if not wanted:
        return
    conditions = ["type GLOB ?" if "*" in name else "type = ?" for name in wanted]
    values = [name.replace("[", "").replace("?", "") for name in wanted]
    selection.add(f"({' OR '.join(conditions)})", *values)
