"""What the database says: how durable it is, how fast notices took effect, and what was lost."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from bench.programs import get
from bench.stage import Stage
from payloom.audit.run import Finding, audit, summary
from payloom.core import ids, postgres

SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
QUIET_LOOKS, QUIET_PAUSE_S = 300, 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run ended; but for the last two, anything else than none is bad."""

    lost: int  # paid at the PSP, but the order is not
    forgotten: int  # answered 201 or 202, but there is no such order
    left_waiting: int  # notices and deliveries that nobody carried out
    untold: int  # events that never arrived at the shop
    findings: list[Finding]
    rules: int  # that the audit asked about
    orders: int

    @property
    def is_good(self) -> bool:
        bad = (self.lost, self.forgotten, self.left_waiting, self.untold, self.findings)
        return not any(bad)


def settings_of(stage: Stage) -> dict[str, str]:
    """As the server answers the role that the API and the worker use."""

    async def ask() -> dict[str, str]:
        connection = await asyncpg.connect(stage.database_url)
        try:
            return {name: await connection.fetchval(f"SHOW {name}") for name in SETTINGS}
        finally:
            await connection.close()

    return asyncio.run(ask())


def notice_to_paid(stage: Stage, since: datetime, until: datetime) -> list[float]:
    """Seconds from a notice's arrival to the commit that made its order paid, for each of them."""

    async def ask() -> list[float]:
        connection = await asyncpg.connect(postgres.dsn(stage.programs.home, role="owner"))
        try:
            arrived = {
                ids.text("ntc", row["id"]): row["received_at"]
                for row in await connection.fetch(_ARRIVED, since, until)
            }
            rows = await connection.fetch(_PAID, since, until)
        finally:
            await connection.close()
        return [
            (row["committed_at"] - arrived[row["cause_id"]]).total_seconds()
            for row in rows
            if row["cause_id"] in arrived
        ]

    return asyncio.run(ask())


def count_events(stage: Stage) -> int:
    return _ask(stage, "SELECT count(*) FROM events")


def count_waiting(stage: Stage) -> int:
    """Notices that are stored and not applied yet."""
    return _ask(stage, "SELECT count(*) FROM notices WHERE state = 'stored'")


def sessions_of_the_day(stage: Stage, most: int) -> list[list[str]]:
    """Attempt, order and token of so many payments that were preloaded."""

    async def ask() -> list[list[str]]:
        connection = await asyncpg.connect(stage.database_url)
        try:
            rows = await connection.fetch(_OF_THE_DAY, most)
        finally:
            await connection.close()
        return [
            [ids.text("att", row["id"]), ids.text("po", row["payment_order_id"]), row["token"]]
            for row in rows
        ]

    return asyncio.run(ask())


def _ask(stage: Stage, sql: str) -> int:
    async def ask() -> int:
        connection = await asyncpg.connect(stage.database_url)
        try:
            return int(await connection.fetchval(sql))
        finally:
            await connection.close()

    return asyncio.run(ask())


_OF_THE_DAY = """
SELECT id, payment_order_id, token FROM attempts WHERE state = 'SUCCEEDED' ORDER BY id LIMIT $1
"""


def outcome_of(
    stage: Stage, acknowledged: Collection[str], confirmed: Collection[str], events_before: int
) -> Outcome:
    """Compare what the load generator was told with the rows, then audit them.

    `acknowledged` and `confirmed` are order ids: answered by the API, paid at the PSP;
    `events_before` were there when the run began, and nobody was told of them in it.
    """

    async def ask() -> Outcome:
        connection = await asyncpg.connect(stage.database_url)
        try:
            left = await _settle(connection)
            statuses = {
                ids.text("po", row["id"]): row["payment_order_status"]
                for row in await connection.fetch(_STATUSES)
            }
            events = await connection.fetchval("SELECT count(*) FROM events")
            now = await connection.fetchval("SELECT clock_timestamp()")
            findings = await audit(connection, now=now)
        finally:
            await connection.close()
        heard = json.loads(get(f"{stage.receiver_url}/count"))["events"]
        return Outcome(
            lost=sum(statuses.get(order) != "SUCCEEDED" for order in confirmed),
            forgotten=sum(order not in statuses for order in acknowledged),
            left_waiting=left,
            untold=events - events_before - heard,
            findings=findings,
            rules=len(summary(findings)),
            orders=len(statuses),
        )

    return asyncio.run(ask())


def file_system_of(path: Path) -> str:
    """What kind of file system holds a path: fsync on one in memory would prove nothing."""
    place = path.resolve()
    found = ""
    kind = "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mounted, name, *_ = line.split()
        if place.is_relative_to(mounted) and len(mounted) >= len(found):
            found, kind = mounted, name
    return kind


async def _settle(connection: asyncpg.Connection) -> int:
    """Wait until nothing is waiting; how much still is when patience ends."""
    left = 0
    for _ in range(QUIET_LOOKS):
        left = await connection.fetchval(_WAITING)
        if not left:
            break
        await asyncio.sleep(QUIET_PAUSE_S)
    return left


_ARRIVED = """
SELECT id, received_at FROM notices WHERE received_at BETWEEN $1 AND $2
"""

# The row is written once, so the transaction that made it is the one that made the order paid.
_PAID = """
SELECT cause_id, pg_xact_commit_timestamp(xmin) AS committed_at
  FROM payment_log
 WHERE cause = 'notice' AND to_status = 'SUCCEEDED' AND at BETWEEN $1 AND $2
"""

_STATUSES = """
SELECT id, payment_order_status FROM payment_orders WHERE reference NOT LIKE 'day-%'
"""

_WAITING = """
SELECT (SELECT count(*) FROM notices WHERE state = 'stored')
     + (SELECT count(*) FROM deliveries WHERE state = 'pending')
"""
