"""Moves business time, first at the stand-ins and then here.

In this order nothing that a PSP makes seems older than what we have read of it already.
"""

import asyncio

import aiohttp
import asyncpg
import structlog

from payloom.connectors.errors import NoAnswer
from payloom.core.errors import Conflict, Unavailable
from payloom.core.secret import Secret
from payloom.merchants.connections import stand_ins
from payloom.runtime import Runtime, follow_clock

log = structlog.get_logger()

DEADLINE_S = 60.0  # a stand-in answers when all that became due has happened


class LiveMerchants(Conflict):
    code = "live_merchants"
    title = "Business time can be moved only where no merchant is in live mode"


class StandInAway(Unavailable):
    code = "stand_in_unavailable"
    title = "A stand-in PSP does not answer; time was not moved here"


async def advance(rt: Runtime, seconds: int) -> int:
    """Let so many seconds pass for everybody; the clock's whole offset afterwards, in seconds.

    Other processes follow within a second. Raises LiveMerchants, StandInAway.
    """
    async with rt.db.statement() as tx:
        if await tx.fetchval("SELECT EXISTS (SELECT FROM merchants WHERE mode = 'live')"):
            raise LiveMerchants
    found = await stand_ins(rt)
    await asyncio.gather(*(_advance_there(rt, base, key, seconds) for base, key in found))
    try:
        async with rt.db.statement() as tx:
            offset: int = await tx.fetchval(_ADVANCE, seconds)
    except asyncpg.CheckViolationError:
        raise LiveMerchants from None
    await follow_clock(rt)
    log.info("clock.advanced", seconds=seconds, offset_seconds=offset)
    return offset


async def _advance_there(rt: Runtime, base: str, key: Secret, seconds: int) -> None:
    try:
        async with rt.http.post(
            f"{base}/_sandbox/clock/advance",
            json={"seconds": seconds},
            headers={"Authorization": f"Bearer {key.reveal()}"},
            timeout=aiohttp.ClientTimeout(total=DEADLINE_S),
            allow_redirects=False,
        ) as answer:
            if answer.status == 404:  # a PSP on this machine that has no clock to move
                return
            if answer.status != 200:
                raise StandInAway(f"The stand-in at {base} answered {answer.status}")
    except (NoAnswer, aiohttp.ClientError, TimeoutError) as away:
        raise StandInAway(f"The stand-in at {base} does not answer") from away


_ADVANCE = """
UPDATE business_clock SET offset_seconds = offset_seconds + $1 RETURNING offset_seconds
"""
