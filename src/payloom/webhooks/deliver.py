"""Carry deliveries out: claim what is due, send it with no transaction open, record the answers.

A worker that dies leaves its claims to lapse, and the next one sends again: same id, same bytes
(F53, F55). The fence keeps a worker that was only slow from writing over what came after (F83).
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from uuid import UUID

import structlog

from payloom.core import ids
from payloom.core.clock import real_now
from payloom.core.db import DatabaseAway
from payloom.core.metrics import DELIVERIES
from payloom.core.points import point
from payloom.runtime import Runtime
from payloom.webhooks import queries
from payloom.webhooks.disable import Reason, disable_endpoint
from payloom.webhooks.endpoints import signing_secrets
from payloom.webhooks.model import Claimed, Result, Written
from payloom.webhooks.schedule import GONE, is_given_up, next_try
from payloom.webhooks.send import Answer, Message, new_session, send

log = structlog.get_logger()

LEASE_S = 20  # more than one try can take, so the claim of a living worker does not lapse
PER_ENDPOINT = 8  # tries at once, of one worker


class Outlet:
    """The ways out, and what is on its way. One per worker: see `open_outlet`."""

    def __init__(self, *, allow_loopback: bool, chance: Callable[[], float]) -> None:
        self.chance = chance
        self.live = new_session(allow_loopback=False)
        self.test = new_session(allow_loopback=allow_loopback)
        self.on_the_way: Counter[UUID] = Counter()  # by endpoint
        self.tasks: set[asyncio.Task[None]] = set()

    async def settle(self) -> None:
        """Wait until everything on its way is answered and recorded: 15 seconds or so at most."""
        while self.tasks:
            await asyncio.wait(self.tasks)


@asynccontextmanager
async def open_outlet(
    rt: Runtime, *, chance: Callable[[], float] = random.random
) -> AsyncIterator[Outlet]:
    """An outlet for as long as the worker runs; at the end it finishes what is on its way.

    `chance` spreads the retries; a test may hold it.
    """
    outlet = Outlet(allow_loopback=rt.settings.webhooks_to_loopback, chance=chance)
    try:
        yield outlet
    finally:
        try:
            await outlet.settle()
        finally:
            await outlet.live.close()
            await outlet.test.close()


async def deliver_due(rt: Runtime, outlet: Outlet, *, limit: int) -> int:
    """Start every delivery that is due, at most `limit` at once; how many were started.

    Does not wait for the answers, so that a slow endpoint holds up nobody (F57).
    """
    room = limit - outlet.on_the_way.total()
    if room <= 0:
        return 0
    async with rt.db.statement() as tx:
        claimed = await queries.claim_due(
            tx,
            rt.clock(),
            limit=room,
            per_endpoint=PER_ENDPOINT,
            on_the_way=outlet.on_the_way,
            lease_s=LEASE_S,
        )
    if claimed:
        point("delivery.claimed")
        outlet.on_the_way.update(delivery.endpoint_id for delivery in claimed)
        task = asyncio.create_task(_carry(rt, outlet, claimed))
        outlet.tasks.add(task)
        task.add_done_callback(outlet.tasks.discard)
    return len(claimed)


async def _carry(rt: Runtime, outlet: Outlet, claimed: Sequence[Claimed]) -> None:
    """Send all at once; what has been answered while the last group was recorded is the next."""
    tries = {asyncio.create_task(_try(rt, outlet, delivery)): delivery for delivery in claimed}
    waiting = set(tries)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        point("delivery.sent")
        try:
            await _record(rt, outlet, [(tries[task], _answer_of(task)) for task in done])
        # Not recorded: the claims lapse, and these are sent again.
        except DatabaseAway as away:
            log.warning("delivery.not_recorded", count=len(done), error=away.detail)
        except Exception as bug:  # the other tries of this claim still have to be recorded
            log.error("delivery.not_recorded", count=len(done), exc_info=bug)
        finally:
            outlet.on_the_way.subtract(tries[task].endpoint_id for task in done)
            outlet.on_the_way += Counter()  # drop the zeroes


async def _try(rt: Runtime, outlet: Outlet, delivery: Claimed) -> Answer:
    if delivery.is_disabled:
        return Answer(None, "the endpoint is disabled", is_ours=True)
    secrets = await signing_secrets(rt, delivery.merchant_id, delivery.endpoint_id)
    if not secrets:
        # Nothing leaves unsigned.
        return Answer(None, "the endpoint has no secret", is_ours=True)
    message = Message(delivery.event_id, delivery.url, delivery.body)
    session = outlet.test if delivery.is_test else outlet.live
    return await send(session, message, secrets, real_now())


def _answer_of(task: "asyncio.Task[Answer]") -> Answer:
    """A bug, or secrets that do not open, must cost this delivery one try and no other anything."""
    error = task.exception()
    if error is None:
        return task.result()
    log.error("delivery.broken", exc_info=error)
    return Answer(None, f"not sent: {type(error).__name__}", is_ours=True)


async def _record(rt: Runtime, outlet: Outlet, answers: Sequence[tuple[Claimed, Answer]]) -> None:
    now = rt.clock()
    results = [_result(delivery, answer, now, outlet.chance()) for delivery, answer in answers]
    async with rt.db.statement() as tx:
        written = await queries.record_results(tx, results, now)
    point("delivery.recorded")
    for result in results:
        _tell(result, written.get(result.delivery.id))
    for (merchant_id, endpoint_id), reason in _given_up(results, written, now).items():
        with suppress(DatabaseAway):  # its next failed try asks for the same
            await disable_endpoint(rt, merchant_id, endpoint_id, reason)


def _result(delivery: Claimed, answer: Answer, now: datetime, chance: float) -> Result:
    if answer.error is None:
        return Result(delivery, "delivered", now, answer.status, None, is_failure=False)
    again = None if delivery.is_disabled else next_try(delivery.tries, now, chance)
    state = "pending" if again else "exhausted"
    is_failure = not answer.is_ours
    return Result(delivery, state, again or now, answer.status, answer.error, is_failure)


def _given_up(
    results: Iterable[Result], written: Mapping[UUID, Written], now: datetime
) -> dict[tuple[UUID, UUID], Reason]:
    """The endpoints, by (merchant, endpoint), that these results speak against for good."""
    found: dict[tuple[UUID, UUID], Reason] = {}
    for result in results:
        now_so = written.get(result.delivery.id)
        if now_so is None:
            continue
        endpoint = (result.delivery.merchant_id, result.delivery.endpoint_id)
        if result.status == GONE:
            found[endpoint] = "gone"
        elif is_given_up(now_so.failures, now_so.failing_since, now):
            found.setdefault(endpoint, "failing")
    return found


def _tell(result: Result, written: Written | None) -> None:
    state = written.state if written else "claim_lost"
    what = "failed" if state == "pending" else state
    DELIVERIES.labels(what).inc()
    log.info(
        "delivery.tried",
        result=what,
        event_id=ids.text("evt", result.delivery.event_id),
        endpoint=ids.text("whe", result.delivery.endpoint_id),
        tries=result.delivery.tries,
        status=result.status,
        error=result.error,
    )
