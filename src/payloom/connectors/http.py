"""The one way out to a PSP: never inside a transaction, always within a total deadline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import structlog

from payloom.connectors.call import Call, Verdict
from payloom.connectors.errors import NoAnswer, NotSent
from payloom.connectors.gate import Gate
from payloom.core import waiting
from payloom.core.db import forbid_in_transaction
from payloom.core.metrics import KEYS_REFUSED, PSP_CALL_SECONDS

log = structlog.get_logger()


@asynccontextmanager
async def psp_call(gate: Gate, verb: str) -> AsyncIterator[Call]:
    """Bounds a whole call (its turn, connect, send, every byte of the answer) to the gate's
    deadline. Say with `answered` what came, and the gate learns from it.

    Raises NotSent when the gate does not let it pass, NoAnswer at the deadline, RuntimeError if a
    transaction is open (I25).
    """
    forbid_in_transaction(f"{gate.psp}.{verb}")
    call: Call | None = None
    try:
        async with asyncio.timeout(gate.deadline_s):
            call = await gate.enter(verb)
            with PSP_CALL_SECONDS.labels(gate.psp, verb).time(), waiting.counted():
                yield call
        call.verdict = call.verdict or Verdict.ANSWERED
    except NoAnswer:
        if call is not None:
            call.verdict = Verdict.BROKEN
        raise
    except TimeoutError as late:
        if call is None:
            raise NotSent(f"not sent to {gate.psp}: its turn did not come in time") from late
        call.verdict = Verdict.BROKEN
        why = f"{gate.psp} did not answer {verb} within {gate.deadline_s:g} s"
        raise NoAnswer(why) from late
    finally:
        if call is not None:
            gate.leave(call)


def tell_key_refused(psp: str, verb: str, connection: str, status: int) -> None:
    """Our key was revoked, or may not do this: nothing is lost, everything waits for an operator
    (F25)."""
    KEYS_REFUSED.labels(psp).inc()
    log.error("psp.key_refused", psp=psp, verb=verb, connection=connection, status=status)


def new_session() -> aiohttp.ClientSession:
    """The process's connections to PSPs: pooled, no redirects followed by callers, no proxies.

    How many are open is bounded by each connection's gate. A bound for all would be a place where
    one PSP that hangs stands in the way of the others (F20).
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
        timeout=aiohttp.ClientTimeout(total=30, connect=5),
        middlewares=(_once,),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def _once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """aiohttp sends a GET again that was cut off; whether to ask again is ours to say (F21)."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as cut:
        raise NoAnswer(repr(cut)) from cut
