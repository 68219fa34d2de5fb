"""Which notices a command is about: by name, or by what the options leave."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from payloom.cli.moment import HELP, moment

if TYPE_CHECKING:
    from payloom.cli.queries import NoticeFilters
    from payloom.core.db import Row
    from payloom.runtime import Runtime

LIMIT_MAX = 10_000


class State(StrEnum):
    stored = "stored"
    applied = "applied"
    ignored = "ignored"
    not_ours = "not_ours"
    quarantined = "quarantined"


States = Annotated[
    list[State] | None,
    typer.Option("--state", help="Only these; repeat it.", metavar="STATE"),
]
Type = Annotated[
    str | None,
    typer.Option("--type", help="Only this type of the PSP's events.", metavar="TYPE"),
]
Connection = Annotated[str | None, typer.Option(help="Only from there: con_…", metavar="CON")]
Merchant = Annotated[str | None, typer.Option(help="Only this merchant's: mer_…", metavar="MER")]
Since = Annotated[str | None, typer.Option(help=f"Received since {HELP}", metavar="WHEN")]
Until = Annotated[str | None, typer.Option(help=f"Received before {HELP}", metavar="WHEN")]
Limit = Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many at most.", metavar="N")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says; None and nothing named leave all."""

    named: tuple[str, ...] = ()
    states: list[State] | None = None
    type: str | None = None
    connection: str | None = None
    merchant: str | None = None
    since: str | None = None
    until: str | None = None

    def filters(self, rt: "Runtime") -> "NoticeFilters":
        """Raises NotFound for a malformed id, Failure for a time that is none."""
        from payloom.cli.queries import NoticeFilters
        from payloom.core import ids

        now = rt.clock()
        since = moment(self.since, now) if self.since else None
        return NoticeFilters(
            ids=tuple(ids.parse("ntc", each) for each in self.named) or None,
            merchant=ids.parse("mer", self.merchant) if self.merchant else None,
            connection=ids.parse("con", self.connection) if self.connection else None,
            states=tuple(map(str, self.states)) if self.states else None,
            type=self.type,
            since=since,
            until=moment(self.until, now) if self.until else None,
            # Ids carry real time; business time may be ahead of it, and never behind.
            first=ids.first_at(since - rt.clock.offset) if since else None,
        )


async def found(rt: "Runtime", asked: Asked, limit: int) -> "list[Row]":
    """Newest first. Raises NotFound when one that was named is not there."""
    from payloom.cli import queries
    from payloom.core import ids
    from payloom.core.errors import NotFound

    wanted = asked.filters(rt)
    async with rt.db.statement() as tx:
        rows = await queries.notices(tx, wanted, limit)
    missing = set(wanted.ids or ()) - {row["id"] for row in rows}
    if missing:
        raise NotFound(f"There is no notice {ids.text('ntc', min(missing))} among these")
    return rows
