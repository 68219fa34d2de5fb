"""payloom explain po_…"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from payloom.cli.failing import Failure
from payloom.cli.opening import with_runtime
from payloom.cli.output import AsJson, console, print_json

if TYPE_CHECKING:
    from payloom.core.db import Tx
    from payloom.payments.model import Payment
    from payloom.runtime import Runtime

LIMIT = 20


def explain(
    payment_order: Annotated[
        str, typer.Argument(help="Which: po_…, or the shop's reference.", metavar="PO")
    ],
    as_json: AsJson = False,
) -> None:
    """Tell what happened to a payment and why, in order, and what comes next."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.explain.timeline import timeline
        from payloom.payments.view import show

        async with rt.db.transaction() as tx:
            payment = await _found(tx, payment_order)
            return {"payment_order": show(payment), **await timeline(tx, payment)}

    told = with_runtime(work)
    if as_json:
        print_json(told)
    else:
        _print(console(), told)


async def _found(tx: "Tx", wanted: str) -> "Payment":
    """By its id, else by its reference, if no second merchant uses the same one."""
    from payloom.cli import queries
    from payloom.core import ids
    from payloom.core.errors import NotFound
    from payloom.payments.queries import payment_by_id

    order_id = ids.maybe("po", wanted)
    if order_id is not None:
        rows = await queries.orders_of_id(tx, order_id)
    else:
        rows = await queries.orders_of_reference(tx, wanted, LIMIT)
    if len(rows) > 1:
        several = "\n".join(f"  {ids.text('po', row['id'])}  {row['merchant']}" for row in rows)
        raise Failure(f"Several merchants have a payment order {wanted}:\n{several}")
    payment = await payment_by_id(tx, rows[0]["merchant_id"], rows[0]["id"]) if rows else None
    if payment is None:
        raise NotFound("There is no payment order with this id or reference")
    return payment


def _print(out: Console, told: dict[str, Any]) -> None:
    from payloom.core.money import Money

    order = told["payment_order"]
    line = Text(order["id"], "bold")
    line.append(f"  {order['reference']}  {Money(order['amount'], order['currency'])}  ")
    line.append(order["payment_order_status"], "bold cyan")
    out.print(line)
    if order["attention"]:
        out.print(Text(f"Needs a person: {order['attention']}", "bold yellow"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for entry in told["data"]:
        why = f"  ({entry['cause']})" if entry["cause"] else ""
        summary = Text.assemble(entry["summary"], (why, "dim"))
        table.add_row(_time(entry["at"]), entry["kind"], summary)
    for coming in told["next"]:
        table.add_row(_time(coming["at"]), "next", Text(coming["what"], "dim"))
    out.print(table)
    out.print(Text("Times are UTC.", "dim"))


def _time(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
