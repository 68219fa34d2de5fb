"""Ask every question, collect what is wrong. Reads only: it runs in a READ ONLY transaction too."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from payloom.audit.invariants import INVARIANTS, Invariant
from payloom.core import ids
from payloom.core.db import Row, Tx

FINDINGS_MAX = 100  # per query: whoever has more has seen enough
GRACE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that breaks an invariant; `merchant` and `what` are public ids."""

    invariant: str
    merchant: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one invariant came out; `findings` counts at most FINDINGS_MAX per query."""

    invariant: str
    sentence: str
    findings: int


async def audit(
    tx: Tx, *, now: datetime, only: Collection[str] | None = None, grace: timedelta = GRACE
) -> list[Finding]:
    """Everything that breaks an invariant, or one of `only` these ids. `now` is business time.

    `grace` is how long a thing that is made beside an event may be in the making. Each query sees
    one moment; between two of them the world may move on. Raises ValueError for an unknown id.
    """
    return [
        _finding(invariant, row)
        for invariant in _chosen(only)
        for sql in invariant.sql
        for row in await offenders(tx, sql, now=now, grace=grace)
    ]


async def offenders(tx: Tx, sql: str, *, now: datetime, grace: timedelta = GRACE) -> list[Row]:
    """The rows (merchant_id, prefix, id, detail) that one query of an invariant gives."""
    return await tx.fetch(_ASK.format(sql), now, grace, FINDINGS_MAX)


def summary(findings: Sequence[Finding], only: Collection[str] | None = None) -> list[Verdict]:
    """A verdict on every invariant asked about, the kept ones included."""
    counted = Counter(finding.invariant for finding in findings)
    return [Verdict(each.id, each.sentence, counted[each.id]) for each in _chosen(only)]


def _chosen(only: Collection[str] | None) -> list[Invariant]:
    unknown = set(only or ()) - {invariant.id for invariant in INVARIANTS}
    if unknown:
        raise ValueError(f"no such invariant: {', '.join(sorted(unknown))}")
    return [each for each in INVARIANTS if only is None or each.id in only]


def _finding(invariant: Invariant, row: Row) -> Finding:
    return Finding(
        invariant.id,
        ids.text("mer", row["merchant_id"]),
        ids.text(row["prefix"], row["id"]),
        row["detail"],
    )


# Both parameters are named here, so that a query need not use them.
_ASK = """
SELECT merchant_id, prefix, id, detail FROM ({}) AS found
 WHERE $1::timestamptz IS NOT NULL AND $2::interval IS NOT NULL
 LIMIT $3
"""
