"""The fields of each object, as the SDK of the pinned API version declares them.

The store keeps only what differs from the blank object. What Stripe leaves out unless asked for
(a session's line items, an endpoint's secret) is shown as null.
"""

from payloom.sandbox.stripe.protocol.shapes import (
    balance,
    billing,
    catalog,
    checkout,
    customers,
    events,
    methods,
    payments,
    setups,
)
from payloom.sandbox.stripe.protocol.shapes.kind import Json

_FAMILIES = (balance, billing, catalog, checkout, customers, events, methods, payments, setups)

EXPANDABLE = {kind: fields for family in _FAMILIES for kind, fields in family.EXPANDABLE.items()}
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
del _BLANK["balance"]["id"]  # there is but one


def render(kind: str, kept: Json) -> Json:
    """The whole object from what the store keeps of it, less what it keeps for itself (`_…`)."""
    if kept.get("deleted"):
        return {"id": kept["id"], "object": kind, "deleted": True}
    whole = {**_BLANK[kind], **kept}
    for name in kept:
        if name.startswith("_"):
            del whole[name]
    return whole


def public(kept: Json) -> Json:
    """What an event freezes: all but the private fields."""
    return {name: value for name, value in kept.items() if not name.startswith("_")}
