"""How much money there is, per currency: kept as sums, so that no list is ever added up.

What comes in waits until its day. A sum is kept per currency and day, and moved to what is
available when the day has come, with one `balance.available` for all of them; then it is paid out.
Source types: all that is sold here counts as `card`, as at Stripe, whose others are for methods
that have ended.
"""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.balance import payout_settings
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "balance"
ARRIVE = "stripe.funds_become_available"
NOW = 0  # the day of the sum that is available


def move(tx: Tx, currency: str, net: int, available_on: int) -> None:
    """Add to the sum of this day, or to what is available if that day has come."""
    day = available_on if available_on > tx.now else NOW
    if day and not _is_expected(tx, day):
        agenda.schedule(tx, ARRIVE, str(day), day)
    if not day and net > 0:
        payout_settings.schedule(tx)
    tx.db.execute(
        "INSERT INTO funds (tenant, currency, available_on, amount) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant, available_on, currency)"
        " DO UPDATE SET amount = amount + excluded.amount",
        (tx.tenant.id, currency, day, net),
    )


def arrive(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: what was to be available on this day is."""
    agenda.finish(tx, timer)
    day = int(timer.ref)
    rows = tx.db.execute(
        "DELETE FROM funds WHERE tenant = ? AND available_on = ? RETURNING currency, amount",
        (tx.tenant.id, day),
    ).fetchall()
    for currency, amount in rows:
        move(tx, currency, amount, NOW)
    tell(tx)


def tell(tx: Tx) -> None:
    """More is available than was before."""
    emit(tx, "balance.available", KIND, balance(tx))


def retrieve(call: Call) -> Json:
    asked = params.read(call.form, {"expand": params.EXPAND})
    call.expand = asked.get("expand", [])
    return render(KIND, balance(call.tx))


def balance(tx: Tx) -> Json:
    """What there is now; an account that never had any money has none in dollars."""
    available, pending = available_now(tx), _pending(tx)
    currencies = sorted({*available, *pending}) or ["usd"]
    return {
        "available": [_sum(currency, available) for currency in currencies],
        "livemode": tx.tenant.livemode,
        "pending": [_sum(currency, pending) for currency in currencies],
    }


def available_now(tx: Tx) -> dict[str, int]:
    return _sums(tx, "available_on <= ?")


def _pending(tx: Tx) -> dict[str, int]:
    return _sums(tx, "available_on > ?")


def _sums(tx: Tx, condition: str) -> dict[str, int]:
    rows = tx.db.execute(
        "SELECT currency, SUM(amount) FROM funds"  # noqa: S608 our own conditions
        f" WHERE tenant = ? AND {condition} GROUP BY currency",
        (tx.tenant.id, tx.now),
    )
    return dict(rows.fetchall())


def _sum(currency: str, sums: dict[str, int]) -> Json:
    amount = sums.get(currency, 0)
    types = {"bank_account": None, "card": amount, "fpx": None}
    return {"amount": amount, "currency": currency, "source_types": types}


def _is_expected(tx: Tx, day: int) -> bool:
    row = tx.db.execute(
        "SELECT 1 FROM funds WHERE available_on = ? AND tenant = ? LIMIT 1", (day, tx.tenant.id)
    ).fetchone()
    return row is not None
