"""What is stored of a notice: its body as it came, less what must not be kept (I22)."""

from uuid import UUID

import structlog

from payloom.connectors.contract import Notice
from payloom.core import ids
from payloom.core.masking import mask_body
from payloom.merchants.model import Connection
from payloom.notices.queries import Stored

log = structlog.get_logger()


def to_keep(connection: Connection, notice: Notice, body: bytes) -> Stored:
    """A fresh row. The signature was over the raw bytes and is checked by now; card data that a
    PSP echoes is blanked before anything is written."""
    notice_id: UUID = ids.new()
    kept = mask_body(body)
    if kept is not body:
        log.warning("notice.masked", notice=ids.text("ntc", notice_id), psp=connection.psp)
    return Stored(
        merchant_id=connection.merchant_id,
        id=notice_id,
        connection_id=connection.id,
        psp_event=notice.psp_event,
        type=notice.type,
        body=kept,
        attempt_id=ids.maybe("att", notice.attempt),
    )
