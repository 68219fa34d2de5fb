"""`expand[]`: ids replaced by the objects they name, along dotted paths."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe import line_items, refunds
from payloom.sandbox.stripe.errors import invalid
from payloom.sandbox.stripe.shapes import render

Json = dict[str, Any]

DEPTH_MAX = 4
# field → kinds of what it may name; None: expandable, but always null here
_EXPANDABLE: dict[str, dict[str, str | None]] = {
    "checkout.session": {
        "payment_intent": "payment_intent",
        "line_items": "item",
        "customer": None,
        "invoice": None,
        "payment_link": None,
        "setup_intent": None,
        "subscription": None,
    },
    "payment_intent": {
        "latest_charge": "charge",
        "payment_method": "payment_method",
        "customer": None,
        "application": None,
        "on_behalf_of": None,
        "review": None,
        "source": None,
    },
    "charge": {
        "balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "application": None,
        "application_fee": None,
        "customer": None,
        "failure_balance_transaction": None,
        "on_behalf_of": None,
        "refunds": "refund",
        "review": None,
        "source_transfer": None,
        "transfer": None,
    },
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
        "customer": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
    },
    "balance_transaction": {"source": "charge refund"},
    "payment_method": {"customer": None},
    "price": {"product": "product"},
    "item": {},
}


def expand(tx: Tx, body: Json, paths: list[str]) -> Json:
    """The answer with each path's ids expanded in place."""
    for path in paths:
        steps = path.split(".")
        if len(steps) - (steps[0] == "data") > DEPTH_MAX:
            message = f"You cannot expand more than {DEPTH_MAX} levels of a property. Property: "
            raise invalid(message + path, param="expand")
        _walk(tx, body, steps, path)
    return body


def _walk(tx: Tx, body: Json, steps: list[str], path: str) -> None:
    if not steps:
        return
    first, rest = steps[0], steps[1:]
    if body["object"] == "list":
        if first != "data":
            raise _cannot(path, hint=f"data.{path}")
        for item in body["data"]:
            _walk(tx, item, rest, path)
        return
    if body["object"] == "item" and first == "price":
        _walk(tx, body["price"], rest, path)
        return
    kinds = _EXPANDABLE.get(body["object"], {})
    if first not in kinds:
        raise _cannot(path)
    _open(tx, body, first, kinds[first])
    if body[first] is not None:
        _walk(tx, body[first], rest, path)


def _open(tx: Tx, body: Json, name: str, kinds: str | None) -> None:
    """Replace the id in this field, if it is not open already."""
    value = body[name]
    if isinstance(value, dict) or kinds is None:
        return
    if name == "line_items":
        session = tx.load("checkout.session", body["id"])
        body[name] = line_items.listed(tx, session, limit=10) if session else None
    elif name == "refunds":
        body[name] = refunds.latest(tx, body["id"])
    elif kinds == "product":
        body[name] = line_items.product(tx, str(value))
    elif isinstance(value, str):
        for kind in kinds.split():
            if (kept := tx.load(kind, value)) is not None:
                body[name] = render(kind, kept)


def _cannot(path: str, hint: str | None = None) -> Exception:
    message = f"This property cannot be expanded ({path[:100]})."
    if hint:
        message += f" You may want to try expanding '{hint[:100]}' instead."
    return invalid(message, param="expand")
