"""The fields of each object, as the SDK of the pinned API version declares them.

The store keeps only what differs from the blank object. What Stripe leaves out unless asked for
(a session's line items, an endpoint's secret) is shown as null.
"""

from payloom.sandbox.stripe.protocol.shapes import (
    balance,
    catalog,
    checkout,
    customers,
    events,
    methods,
    payments,
)
from payloom.sandbox.stripe.protocol.shapes.kind import Json

_FAMILIES = (balance, catalog, checkout, customers, events, methods, payments)

EXPANDABLE = {kind: fields for family in _FAMILIES for kind, fields in family.EXPANDABLE.items()}
# what the store keeps besides, and no client sees
_PRIVATE = tuple(
    "_account _delayed _intent _items _owner _pending _secret _set_up _shopper _spent".split()
)

_BLANK = {
    kind: {
        "id": None,
        "object": kind,
        **dict.fromkeys(names.split()),
        **family.USUAL.get(kind, {}),
    }
    for family in _FAMILIES
    for kind, names in family.FIELDS.items()
}


def render(kind: str, kept: Json) -> Json:
    """The whole object from what the store keeps of it."""
    if kept.get("deleted"):
        return {"id": kept["id"], "object": kind, "deleted": True}
    whole = {**_BLANK[kind], **kept}
    for name in _PRIVATE:
        whole.pop(name, None)
    return whole


def public(kept: Json) -> Json:
    """What an event freezes: all but the private fields."""
    return {name: value for name, value in kept.items() if not name.startswith("_")}
