"""payloom notices …"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from payloom.cli.choosing import (
    Asked,
    Connection,
    Limit,
    Merchant,
    Since,
    States,
    Type,
    Until,
    found,
)
from payloom.cli.failing import ASKED_WRONGLY, FAILED, Failure
from payloom.cli.opening import with_runtime
from payloom.cli.output import AsJson, console, print_facts, print_json, print_list
from payloom.cli.replaying import agreed, print_replayed, replayed

if TYPE_CHECKING:
    from payloom.core.db import Row
    from payloom.runtime import Runtime


One = Annotated[str, typer.Argument(help="Which: ntc_…", metavar="NOTICE")]


def list_(
    state: States = None,
    type_: Type = None,
    connection: Connection = None,
    merchant: Merchant = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what PSPs told us, newest first: how each notice ended, and why."""
    asked = Asked((), state, type_, connection, merchant, since, until)

    async def work(rt: "Runtime") -> list[dict[str, Any]]:
        return [_listed(row) for row in await found(rt, asked, limit)]

    print_list(
        with_runtime(work),
        as_json=as_json,
        columns=("notice_id", "received_at", "state", "type", "payment_order_id", "remark"),
        nothing="There are no such notices.",
    )


def show(
    notice: One,
    as_json: AsJson = False,
) -> None:
    """Tell all about one notice: what it means now, what it did, and its body.

    Secrets, card numbers and what is about a person are blanked.
    """

    async def work(rt: "Runtime") -> dict[str, Any]:
        (row,) = await found(rt, Asked((notice,)), 1)
        return {**_listed(row), **await _details(rt, row)}

    told = with_runtime(work)
    if as_json:
        print_json(told)
        return
    body, history = told.pop("body"), told.pop("history")
    print_facts({**told, "meaning": _sentence(told["meaning"])}, as_json=False)
    print_list(history, as_json=False, columns=("at", "what"), nothing="")
    if isinstance(body, str):
        console().print(Text(body))
    else:
        console().print_json(data=body)


def replay(
    notice: Annotated[
        list[str] | None,
        typer.Argument(help="Which: ntc_…; or leave it to the options.", metavar="[NOTICE]…"),
    ] = None,
    state: States = None,
    type_: Type = None,
    connection: Connection = None,
    merchant: Merchant = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 1_000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change; nothing is kept.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Apply notices again, whatever became of them. What is known already changes nothing.

    They pass the same door as always. Exits 1 when one of them breaks.
    """
    asked = Asked(tuple(notice or ()), state, type_, connection, merchant, since, until)
    if asked == Asked():
        raise Failure("Say which: name notices, or narrow them (--state …)", ASKED_WRONGLY)
    if as_json and not (yes or dry_run):
        raise Failure("With --json nobody is asked: add --yes or --dry-run", ASKED_WRONGLY)
    rows = with_runtime(lambda rt: found(rt, asked, limit + 1))
    more = len(rows) > limit
    if not (yes or dry_run or agreed(rows[:limit])):
        raise Failure("Nothing was done")
    told = with_runtime(lambda rt: replayed(rt, rows[:limit], dry_run=dry_run, as_json=as_json))
    if as_json:
        print_json({"dry_run": dry_run, "more": more, "data": told})
    else:
        print_replayed(told, dry_run=dry_run, more=more)
    if any(each["error"] for each in told):
        raise typer.Exit(FAILED)


def put_aside(
    notice: One,
    why: Annotated[str, typer.Option(help="For whoever reads it later.", metavar="TEXT")],
    as_json: AsJson = False,
) -> None:
    """Leave a quarantined notice without effect for good, so that nothing waits any more."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.notices.replay import put_aside as put

        (row,) = await found(rt, Asked((notice,)), 1)
        if not await put(rt, row["merchant_id"], row["id"], why):
            raise Failure(f"It is {row['state']}: only what is quarantined can be put aside")
        return {"notice_id": notice, "state": "ignored", "remark": f"put aside: {why}"}

    print_facts(with_runtime(work), as_json=as_json)


def _listed(row: "Row") -> dict[str, Any]:
    from payloom.core import ids
    from payloom.core.clock import rfc3339

    finished_at, order_id, attempt_id = (
        row[name] for name in ("finished_at", "payment_order_id", "attempt_id")
    )
    return {
        "notice_id": ids.text("ntc", row["id"]),
        "merchant_id": ids.text("mer", row["merchant_id"]),
        "connection_id": ids.text("con", row["connection_id"]),
        "type": row["type"],
        "psp_event": row["psp_event"],
        "via": row["via"],
        "state": row["state"],
        "remark": row["remark"],
        "tries": row["tries"],
        "received_at": rfc3339(row["received_at"]),
        "received_times": row["times"],
        "finished_at": rfc3339(finished_at) if finished_at else None,
        "attempt_id": ids.text("att", attempt_id) if attempt_id else None,
        "attempt_state": row["attempt_state"],
        "payment_order_id": ids.text("po", order_id) if order_id else None,
        "payment_order_status": row["payment_order_status"],
    }


async def _details(rt: "Runtime", row: "Row") -> dict[str, Any]:
    from payloom.cli.queries import moved_by_notice
    from payloom.core import ids
    from payloom.notices.effect import meaning_of
    from payloom.notices.queries import read_notice
    from payloom.notices.view import show_body, show_meaning

    merchant_id, notice_id, order_id = row["merchant_id"], row["id"], row["payment_order_id"]
    async with rt.db.statement() as tx:
        notice = await read_notice(tx, merchant_id, notice_id)
        moved = await moved_by_notice(tx, merchant_id, order_id, ids.text("ntc", notice_id))
    return {
        "meaning": show_meaning(await meaning_of(rt, notice)),
        "history": _history(row, moved),
        "body": show_body(notice.body),
    }


def _history(row: "Row", moved: "Sequence[Row]") -> list[dict[str, str]]:
    from payloom.core.clock import rfc3339

    steps = [(row["received_at"], f"received by {row['via']} and stored")]
    steps += [(each["at"], _moved(each)) for each in moved]
    why = f": {row['remark']}" if row["remark"] else ""
    if row["finished_at"]:
        steps.append((row["finished_at"], f"{row['state']} at try {row['tries']}{why}"))
    else:
        steps.append((row["next_at"], f"next try, {row['tries']} so far{why}"))
    steps.sort(key=lambda step: step[0])  # those of one moment stay as they are
    return [{"at": rfc3339(at), "what": what} for at, what in steps]


def _moved(step: "Row") -> str:
    from payloom.core import ids

    attempt = ids.text("att", step["attempt_id"])
    moves = f"{attempt} {step['from_state']} → {step['to_state']}"
    return f"{step['outcome']}: {moves}, payment order {step['from_status']} → {step['to_status']}"


def _sentence(meaning: dict[str, Any]) -> str:
    if "says" in meaning:
        return f"{meaning['says']} of {meaning.get('refund_id') or meaning['attempt_id']}"
    return f"{meaning['kind']}: {meaning['why']}"
