"""The account's balance: one transaction per movement of money, for the object that moved it.

What a shopper pays is available at midnight UTC two days later; all else at once, as far as it
concerns the balance. Types and categories: docs.stripe.com/reports/reporting-categories. Each
payment settles in its own currency, so there is no exchange rate.
"""

import json
from functools import partial
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.balance import fees, funds
from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, no_such
from payloom.sandbox.stripe.protocol.expand import Openers
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "balance_transaction"
DAY = 86_400
AVAILABLE_AFTER_DAYS = 2
# type, or type and more → the category that reports gather it under; `payment…` is for all that
# is no card
_CATEGORIES = {
    "adjustment": "dispute",
    "charge": "charge",
    "payment": "charge",
    "payment_refund": "refund",
    "payout": "payout",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "refund": "refund",
    "refund_failure": "refund_failure",
}
_LIST: dict[str, params.Check] = {
    **lists.PAGING,
    **lists.CREATED,
    "currency": params.text(),
    "payout": params.text(),
    "source": params.text(),
    "type": params.text(),
}


def book(
    tx: Tx,
    type_: str,
    source: Json,
    amount: int,
    *,
    fee: int = 0,
    fee_for: str = "Stripe processing fees",
    description: str | None = None,
    category: str | None = None,
    waits: bool = False,
) -> Json:
    """Move this much for `source`; what `waits` is pending until its day."""
    currency = source["currency"]
    now = int(tx.now)
    transaction = {
        "id": new_id("txn"),
        "amount": amount,
        "available_on": now - now % DAY + AVAILABLE_AFTER_DAYS * DAY if waits else now,
        "created": now,
        "currency": currency,
        "description": description,
        "fee": fee,
        "fee_details": fees.details(fee, currency, fee_for),
        "net": amount - fee,
        "reporting_category": category or _CATEGORIES[type_],
        "source": source["id"],
        "type": type_,
    }
    tx.insert(KIND, transaction, parent=source["id"])
    funds.move(tx, currency, amount - fee, transaction["available_on"])
    return transaction


def shown(tx: Tx, kept: Json) -> Json:
    """With its status, which is a matter of time only."""
    has_come = kept["available_on"] <= tx.now
    return render(KIND, {**kept, "status": "available" if has_come else "pending"})


def retrieve(call: Call) -> Json:
    asked = params.read(call.form, {"expand": params.EXPAND})
    kept = call.tx.load(KIND, call.ids[0])
    if kept is None:
        raise no_such("balance transaction", call.ids[0], param="id")
    call.expand = asked.get("expand", [])
    return shown(call.tx, kept)


def list_(call: Call) -> Json:
    asked = params.read(call.form, _LIST)
    selection = lists.Selection("objects", "body", ["tenant = ?", "kind = ?"])
    selection.values = [call.tx.tenant.id, KIND]
    selection.add_created(asked.get("created", {}))
    if "source" in asked:
        selection.add("parent = ?", asked["source"])
    if "payout" in asked:
        _add_payout(call, selection, asked["payout"])
    for name in ("currency", "type"):
        if name in asked:
            selection.add(f"body ->> '$.{name}' = ?", asked[name])
    call.expand = asked.get("expand", [])
    return lists.page(
        call, selection, asked, kind=KIND, show=lambda row: shown(call.tx, json.loads(row[0]))
    )


Place = list[int]  # in the line of what became available: when, and the row's number
BEFORE_ALL: Place = [-1, -1]


def here(tx: Tx) -> Place:
    """The end of the line as it is now."""
    (seq,) = tx.db.execute("SELECT MAX(seq) FROM objects").fetchone()
    return [int(tx.now), seq or 0]


def total(tx: Tx, currency: str, after: Place, upto: Place) -> int:
    """What became available between two places, net."""
    selection = lists.Selection("objects", "", ["tenant = ?", "kind = ?"], [tx.tenant.id, KIND])
    _add_line(selection, currency, after, upto)
    (net,) = tx.db.execute(
        f"SELECT SUM(body ->> '$.net') FROM objects WHERE {' AND '.join(selection.where)}",  # noqa: S608 our own conditions
        selection.values,
    ).fetchone()
    return int(net or 0)


def _add_line(selection: lists.Selection, currency: str, after: Place, upto: Place) -> None:
    """Whatever became available in these days was booked in them, or few days before."""
    earliest = after[0] - AVAILABLE_AFTER_DAYS * DAY
    selection.add("created BETWEEN ? AND ?", earliest, upto[0])
    selection.add("body ->> '$.currency' = ?", currency)
    selection.add("(body ->> '$.available_on', seq) > (?, ?)", *after)
    selection.add("(body ->> '$.available_on', seq) <= (?, ?)", *upto)


def _add_payout(call: Call, selection: lists.Selection, id_: str) -> None:
    """Only automatic payouts know what they consist of, and only once they are reconciled."""
    payout = call.tx.load("payout", id_)
    if payout is None:
        raise no_such("payout", id_, param="payout", status=400)
    if not payout.get("automatic"):
        raise invalid(
            "Balance transaction history can only be filtered on automatic transfers, not manual.",
            param="payout",
        )
    if payout["reconciliation_status"] != "completed":
        raise invalid(
            f"Payout {id_} is not reconciled yet: wait for payout.reconciliation_completed.",
            param="payout",
            code="payout_reconciliation_not_ready",
        )
    _add_line(selection, payout["currency"], payout["_from"], payout["_upto"])


def opener_of(*fields: tuple[str, str]) -> Openers:
    """Where objects (kind, field) name a balance transaction, it is shown as it stands now."""
    return {(kind, name): partial(_open, name) for kind, name in fields}


def _open(name: str, tx: Tx, body: Json) -> Json | None:
    kept = tx.load(KIND, body[name]) if body[name] else None
    return shown(tx, kept) if kept else None
