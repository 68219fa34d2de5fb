"""A PSP calls: verify over the raw bytes, store, answer. No parsing beyond an id, no PSP call."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog

from payloom.connectors.contract import (
    ForgedNotice,
    Notice,
    Reading,
    UnreadableNotice,
)
from payloom.core import ids
from payloom.core.clock import real_now
from payloom.core.errors import NotFound, Unparsable
from payloom.core.masking import mask_body
from payloom.core.metrics import NOTICES
from payloom.core.points import point
from payloom.merchants.connections import connector_of
from payloom.merchants.model import Connection
from payloom.notices import queries
from payloom.notices.keep import to_keep
from payloom.runtime import Runtime

log = structlog.get_logger()

BODY_MAX = 1_000_000


class NoticeRefused(Unparsable):
    code = "notice_refused"
    title = "The signature of this notice does not verify"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the PSP is answered, once the notice is stored."""

    status: int
    body: bytes


async def receive(
    rt: Runtime, psp: str, connection_id: UUID, headers: Mapping[str, str], body: bytes
) -> Reply:
    """Store what a PSP tells us. Raises NotFound, NoticeRefused; on return it is durable.

    A PSP that sends its backlog is taken in a few at a time, so that shoppers hardly notice.
    """
    async with rt.taking_notices:
        return await _receive(rt, psp, connection_id, headers, body)


async def _receive(
    rt: Runtime, psp: str, connection_id: UUID, headers: Mapping[str, str], body: bytes
) -> Reply:
    connection, connector = await connector_of(rt, connection_id)
    if connection.psp != psp:
        raise NotFound("There is no such connection of this PSP")
    try:
        reading = connector.read_notice(headers, body, real_now())
    except ForgedNotice as forged:
        NOTICES.labels(psp, "forged").inc()
        log.warning("notice.forged", connection=ids.text("con", connection_id), why=str(forged))
        raise NoticeRefused(str(forged)) from None
    except UnreadableNotice as unreadable:
        reading = _unreadable(body)
        log.error(
            "notice.unreadable", connection=ids.text("con", connection_id), why=str(unreadable)
        )
    await _store(rt, connection, reading, body)
    return Reply(reading.reply_status, reading.reply_body)


async def _store(rt: Runtime, connection: Connection, reading: Reading, body: bytes) -> None:
    now = rt.clock()
    rows = [to_keep(connection, notice, body) for notice in reading.notices]
    async with rt.db.statement() as tx:
        fresh = await queries.insert_notices(tx, rows, "webhook", now)
    point("notice.stored")
    for row in rows:
        result = "stored" if row.id in fresh else "duplicate"
        NOTICES.labels(connection.psp, result).inc()
        log.info("notice.received", notice=ids.text("ntc", row.id), type=row.type, result=result)


def _unreadable(body: bytes) -> Reading:
    """Genuine, but not readable: kept under its own digest for a person to look at."""
    digest = hashlib.sha256(mask_body(body)).hexdigest()
    return Reading((Notice(f"sha256:{digest}", "unreadable"),))
