"""An operator lets notices take effect again, whatever became of them, through the same door; or
puts aside what is good for nothing.

Those of one payment order go together, in one transaction: what they say builds on each other. A
savepoint around each keeps one that breaks from stopping the others. A rehearsal is the same,
rolled back; both check every constraint at once, so that neither meets one the other does not.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payloom.core.db import Tx
from payloom.notices import queries
from payloom.notices.effect import Effect, take_effect
from payloom.notices.queries import Waiting
from payloom.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Chosen:
    """A notice to be applied again, and the payment order that it names, if we have it."""

    merchant_id: UUID
    id: UUID
    payment_order_id: UUID | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a notice came to, or would. `error`: it raised, and is as it was."""

    waiting: Waiting
    effect: Effect | None
    error: str | None = None

    @property
    def is_news(self) -> bool:
        """Whether anything is not as it was; an applied notice that tells what is known is."""
        if self.effect is None:
            return False
        end, was = self.effect.end, self.waiting
        if self.effect.is_change:
            return True
        return end.state != was.state or (end.state != "applied" and end.remark != was.remark)


def replay(rt: Runtime, chosen: Iterable[Chosen]) -> AsyncIterator[Replayed]:
    """Apply these notices again, and keep what comes of it. Repeating it changes nothing."""
    return _replayed(rt, rt.db.transaction, chosen)


def rehearse(rt: Runtime, chosen: Iterable[Chosen]) -> AsyncIterator[Replayed]:
    """What `replay` would do. Notices of different orders do not see each other's effects."""
    return _replayed(rt, rt.db.rehearsal, chosen)


async def put_aside(rt: Runtime, merchant_id: UUID, notice_id: UUID, why: str) -> bool:
    """Leave a quarantined notice without effect for good. False: it is not quarantined."""
    async with rt.db.transaction() as tx:
        now = rt.clock()
        claimed = await queries.claim_given(tx, merchant_id, [notice_id])
        stuck = [waiting for waiting in claimed if waiting.state == "quarantined"]
        ends = [waiting.ends("ignored", f"put aside: {why}", now) for waiting in stuck]
        await queries.finish(tx, ends, now)
    return bool(ends)


async def _replayed(
    rt: Runtime,
    transaction: Callable[[], AbstractAsyncContextManager[Tx]],
    chosen: Iterable[Chosen],
) -> AsyncIterator[Replayed]:
    for merchant_id, notice_ids in _together(chosen):
        async with transaction() as tx:
            await tx.execute("SET CONSTRAINTS ALL IMMEDIATE")
            now = rt.clock()
            claimed = await queries.claim_given(tx, merchant_id, notice_ids)
            done = [await _one(rt, tx, waiting, now) for waiting in claimed]
        for each in done:
            yield each


def _together(chosen: Iterable[Chosen]) -> list[tuple[UUID, Sequence[UUID]]]:
    """Merchant and ids of what shares a transaction, in the order in which they came."""
    groups: dict[tuple[UUID, UUID], list[UUID]] = {}
    for each in sorted(chosen, key=lambda each: each.id):
        groups.setdefault((each.merchant_id, each.payment_order_id or each.id), []).append(each.id)
    return [(merchant_id, notice_ids) for (merchant_id, _), notice_ids in groups.items()]


async def _one(rt: Runtime, tx: Tx, waiting: Waiting, now: datetime) -> Replayed:
    await tx.execute("SAVEPOINT notice")
    try:
        (effect,) = await take_effect(rt, tx, [waiting], now)
        replayed = Replayed(waiting, effect)
        if replayed.is_news:
            await queries.finish(tx, [effect.end], now)
    except Exception as broken:  # told to who asked for it
        await tx.execute("ROLLBACK TO SAVEPOINT notice")
        return Replayed(waiting, None, repr(broken))
    await tx.execute("RELEASE SAVEPOINT notice")
    return replayed
