"""What webhooks did not bring is read from the PSP's own event list, into the same inbox.

So the truth arrives within a minute even when every webhook is lost (F39), at a cost that does not
grow with the number of open pages. Windows overlap, once an hour by more than an hour, and what
was seen before is passed over (F74).
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from payloom.connectors.contract import Connector, Listed, Unknown
from payloom.core import ids
from payloom.core.clock import real_now
from payloom.core.errors import NotFound
from payloom.core.metrics import NOTICES, SWEEP_BEHIND_SECONDS
from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.merchants.model import Connection
from payloom.notices import pace, queries
from payloom.notices.keep import to_keep
from payloom.notices.queries import Sweep
from payloom.runtime import Runtime

log = structlog.get_logger()

OVERLAP = timedelta(seconds=20)  # clocks differ, and an event may be listed a moment late
DEEP_OVERLAP = timedelta(minutes=65)  # once an hour, for a list that lags
WINDOW = timedelta(hours=6)  # progress is kept after each
LOOK_AGAIN = timedelta(minutes=5)  # where the sweep is switched off


async def sweep(rt: Runtime, connection_id: UUID) -> datetime | None:
    """Read what is new. When to do so again; None: this connection is not to be read any more."""
    try:
        connection, connector = await connector_of(rt, connection_id)
    except NotFound:
        return None
    spec = rt.specs[connection.psp]
    if not spec.can_list_events:
        return None
    now = rt.clock()
    if not rt.settings.sweep:
        return now + LOOK_AGAIN
    async with rt.db.statement() as tx:
        kept = await queries.sweep_of(tx, connection.merchant_id, connection_id)
        is_busy = await queries.is_in_flight(tx, connection.merchant_id)
        payments = 0
        if spec.reads is not None:
            since = ids.first_at(real_now() - spec.reads.over)
            most = pace.COUNTED_PAYMENTS_MAX
            payments = await queries.payments_since(tx, connection.merchant_id, since, most)
    if not is_busy and now - kept.read_until < pace.IDLE_PERIOD:
        return now + pace.PERIOD
    reads = kept.reads
    if spec.reads is not None:
        reads = pace.left_over(reads, spec.reads, payments, now - kept.updated_at)
    pages = await _read_up_to(rt, connection, connector, Sweep(kept.read_until, reads, now), now)
    return now + pace.pause(reads + pages, spec.reads, payments)


async def _read_up_to(
    rt: Runtime, connection: Connection, connector: Connector, at: Sweep, now: datetime
) -> int:
    """Window by window until now, or until the PSP does not answer; how many pages were read."""
    pages, read_until = 0, at.read_until
    while read_until < now:
        until = min(now, read_until + WINDOW)
        read, is_whole = await _read_window(rt, connection, connector, read_until - OVERLAP, until)
        pages += read
        if is_whole:
            read_until = until
        async with rt.db.statement() as tx:
            progress = Sweep(read_until, at.reads + pages, now)
            await queries.keep_sweep(tx, connection.merchant_id, connection.id, progress)
        point("sweep.noted")
        if not is_whole:
            break
    SWEEP_BEHIND_SECONDS.labels(ids.text("con", connection.id)).set(
        (now - read_until).total_seconds()
    )
    return pages


def _overlap(read_until: datetime, until: datetime) -> timedelta:
    """Deep where the window takes us into another hour."""
    hours = [at.replace(minute=0, second=0, microsecond=0) for at in (read_until, until)]
    return OVERLAP if hours[0] == hours[1] else DEEP_OVERLAP


async def _read_window(
    rt: Runtime, connection: Connection, connector: Connector, since: datetime, until: datetime
) -> tuple[int, bool]:
    """How many pages were asked for, and whether all of them came."""
    pages, after = 0, None
    while True:
        point("sweep.asking")
        page = await connector.list_events(since, until, after)
        point("sweep.answered")
        pages += 1
        if isinstance(page, Unknown):
            log.warning("sweep.no_answer", connection=ids.text("con", connection.id), why=page.why)
            return pages, False
        await _keep(rt, connection, page)
        if page.after is None:
            return pages, True
        after = page.after


async def _keep(rt: Runtime, connection: Connection, page: Listed) -> None:
    """Store what no webhook brought."""
    now = rt.clock()
    names = [notice.psp_event for notice, _ in page.notices]
    async with rt.db.statement() as tx:
        seen = await queries.seen(tx, connection.merchant_id, connection.id, names)
        fresh = [
            to_keep(connection, notice, body())
            for notice, body in page.notices
            if notice.psp_event not in seen
        ]
        if fresh:
            await queries.insert_notices(tx, fresh, "sweep", now)
            point("sweep.stored")
    for stored in fresh:
        NOTICES.labels(connection.psp, "swept").inc()
        log.info("notice.swept", notice=ids.text("ntc", stored.id), type=stored.type)
