"""What `payloom notices replay` does once it knows which ones, and how it tells."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.progress import Progress
from rich.text import Text

from payloom.cli.output import console

if TYPE_CHECKING:
    from payloom.core.db import Row
    from payloom.runtime import Runtime

BAR_FROM = 20  # fewer are done before one has seen the bar


def agreed(rows: "Sequence[Row]") -> bool:
    """Ask the operator, unless there is nothing to ask about."""
    if not rows:
        return True
    counted = Counter(row["state"] for row in rows)
    states = ", ".join(f"{count} {state}" for state, count in sorted(counted.items()))
    return typer.confirm(f"Apply {len(rows)} notices again ({states})?", err=True)


async def replayed(
    rt: "Runtime", rows: "Sequence[Row]", *, dry_run: bool, as_json: bool
) -> list[dict[str, Any]]:
    """What became of each, or would; a bar on stderr shows how far it is."""
    from payloom.notices.replay import Chosen, rehearse, replay
    from payloom.notices.view import show_replayed

    chosen = [Chosen(row["merchant_id"], row["id"], row["payment_order_id"]) for row in rows]
    is_quick = as_json or len(rows) < BAR_FROM
    told = []
    with Progress(console=console(stderr=True), transient=True, disable=is_quick) as bar:
        task = bar.add_task("Rehearsing" if dry_run else "Applying", total=len(rows))
        async for each in (rehearse if dry_run else replay)(rt, chosen):
            told.append(show_replayed(each))
            bar.advance(task)
    return told


def print_replayed(told: Sequence[dict[str, Any]], *, dry_run: bool, more: bool) -> None:
    """A line or more for each, and a sum."""
    out = console()
    for each in told:
        for line in _lines(each):
            out.print(line, soft_wrap=True)
    changed = sum(1 for each in told if each["changed"])
    broke = sum(1 for each in told if each["error"])
    verb, end = ("would change", " Nothing was kept.") if dry_run else ("changed", "")
    rest = len(told) - changed - broke
    out.print(
        f"{len(told)} notices: {changed} {verb} something, {rest} nothing, {broke} broke.{end}"
    )
    if more:
        out.print(Text("There are more: narrow by --until, or raise --limit.", "yellow"))


def _lines(each: dict[str, Any]) -> list[Text]:
    line = Text.assemble((each["notice_id"], "bold"), f"  {each['type']}  ")
    line.append(_arrow(each["state"]), "cyan" if each["changed"] else "dim")
    if each["remark"]:
        line.append(f"  {each['remark']}", "dim")
    if each["error"]:
        return [line, Text(f"    broke: {each['error']}", "red")]
    if each["payment_order_id"] is None:
        return [line]
    moves = [
        f"{each[f'{what}_id']} {_arrow(each[state])}"
        for what, state in (
            ("payment_order", "payment_order_status"),
            ("attempt", "attempt_state"),
            ("refund", "refund_state"),
        )
        if each[f"{what}_id"]
    ]
    postings = [f"posting {posting['kind']} {_money(posting)}" for posting in each["postings"]]
    events = [f"event {event}" for event in each["events"]]
    back = ["the money goes back"] if each["money_goes_back"] else []
    return [line, *(Text(f"    {text}") for text in (*moves, *postings, *events, *back))]


def _arrow(change: dict[str, str]) -> str:
    before, after = change["before"], change["after"]
    return before if before == after else f"{before} → {after}"


def _money(posting: dict[str, Any]) -> str:
    from payloom.core.money import Money

    return str(Money(posting["amount"], posting["currency"]))
