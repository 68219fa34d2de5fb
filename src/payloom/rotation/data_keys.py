"""A new data key for a merchant: its secrets are sealed anew, and the old data key is deleted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from payloom.core import ids
from payloom.merchants import vault
from payloom.merchants.merchants import NoSuchMerchant
from payloom.merchants.queries import mode_of
from payloom.rotation import queries
from payloom.runtime import Runtime

log = structlog.get_logger()

AT_ONCE = 200  # secrets in one transaction; merchants read at once


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a run did; another one at the same time has done the rest."""

    merchants: int
    sealed_anew: int


async def rotate_data_key(
    rt: Runtime, merchant_id: UUID, before: datetime, *, at_once: int = AT_ONCE
) -> int:
    """Give a merchant a new data key, unless the newest was made after `before`; how many secrets
    went over to it. What an earlier run left undone is done in any case.

    Raises NotFound for an unknown merchant, MasterKeyWrong, SealBroken.
    """
    await _make_newer(rt, merchant_id, before)
    sealed_anew = 0
    while not await _delete_older(rt, merchant_id):
        sealed_anew += await _seal_batch_anew(rt, merchant_id, at_once)
    log.info("data_key.rotated", merchant=ids.text("mer", merchant_id), sealed_anew=sealed_anew)
    return sealed_anew


async def rotate_data_keys(
    rt: Runtime, before: datetime, *, tell: Callable[[int], object] = lambda _: None
) -> Rotated:
    """The same for every merchant; `tell` hears of each."""
    merchants = sealed_anew = 0
    after: UUID | None = None
    while due := await _due(rt, before, after):
        for after in due:
            sealed_anew += await rotate_data_key(rt, after, before)
            merchants += 1
            tell(1)
    return Rotated(merchants, sealed_anew)


async def merchants_to_rotate(rt: Runtime, before: datetime) -> int:
    """How many `rotate_data_keys` has before it."""
    async with rt.db.statement() as tx:
        return await queries.count_merchants_with_older(tx, before)


async def _due(rt: Runtime, before: datetime, after: UUID | None) -> list[UUID]:
    async with rt.db.statement() as tx:
        return await queries.merchants_with_older(tx, before, after=after, limit=AT_ONCE)


async def _make_newer(rt: Runtime, merchant_id: UUID, before: datetime) -> None:
    async with rt.db.transaction() as tx:
        if await mode_of(tx, merchant_id) is None:
            raise NoSuchMerchant
        await queries.lock_making(tx, merchant_id)
        newest = await queries.version_to_replace(tx, merchant_id, before)
        if newest is not None:
            await vault.make_data_key(tx, rt, merchant_id, rt.clock(), version=newest + 1)


async def _seal_batch_anew(rt: Runtime, merchant_id: UUID, at_once: int) -> int:
    async with rt.db.transaction() as tx:
        found = await queries.lock_secrets_under_older(tx, merchant_id, limit=at_once)
        if not found:
            return 0
        newest = await vault.newest_data_key(tx, merchant_id)
        fresh = [
            await vault.sealed(rt, newest, each.owner, each.field, await vault.opened(rt, each))
            for each in found
        ]
        await queries.replace_secrets(tx, fresh)
    return len(fresh)


async def _delete_older(rt: Runtime, merchant_id: UUID) -> bool:
    """Whether only the newest is left: an older one stays while it seals something."""
    async with rt.db.transaction() as tx:
        await queries.lock_data_keys(tx, merchant_id)
        return await queries.delete_older_data_keys(tx, merchant_id)
