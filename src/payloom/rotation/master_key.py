"""A new master key in the place of the old: the data keys are sealed anew, not the secrets.

First every process must hold the new key. Then it becomes the sealing one, for all at once; what
older ones sealed goes over to it; and the older ones are forgotten, which the database allows only
when nothing hangs on them, and after which nothing can.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from payloom.core.db import Tx
from payloom.core.errors import Conflict
from payloom.core.master_keys import REREADS
from payloom.merchants import vault
from payloom.merchants.queries import lock_sealing_key, master_keys
from payloom.rotation import queries
from payloom.runtime import Runtime

log = structlog.get_logger()

AT_ONCE = 200  # data keys in one transaction


class KeyNotEverywhere(Conflict):
    title = "Processes that use this database do not hold the new master key yet"


class Overtaken(Conflict):
    title = "Another rotation has begun, to another master key"


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a run did; another one at the same time has done the rest."""

    master_key: str
    sealed_anew: int
    forgotten: tuple[str, ...]


async def rotate_master_key(
    rt: Runtime, *, at_once: int = AT_ONCE, tell: Callable[[int], object] = lambda _: None
) -> Rotated:
    """Let the newest master key that we hold seal everything; `tell` hears of each batch's size.

    Raises KeyNotEverywhere, Overtaken, MasterKeyWrong.
    """
    newest = rt.master_keys.newest
    async with rt.db.transaction() as tx:
        await _check_held_everywhere(tx, newest)
        await queries.let_seal(tx, newest, rt.clock())
        older = [key.id for key in await master_keys(tx) if key.id != newest]
    sealed_anew = 0
    for key_id in older:
        while not await _forget(rt, key_id):
            count = await _seal_batch_anew(rt, key_id, newest, at_once)
            sealed_anew += count
            tell(count)
    log.info("master_key.rotated", master_key=newest, sealed_anew=sealed_anew, forgotten=older)
    return Rotated(newest, sealed_anew, tuple(older))


async def data_keys_to_seal_anew(rt: Runtime) -> int:
    """How much `rotate_master_key` has before it."""
    async with rt.db.statement() as tx:
        return await queries.count_data_keys(tx, but_under=rt.master_keys.newest)


async def _seal_batch_anew(rt: Runtime, old: str, new: str, at_once: int) -> int:
    async with rt.db.transaction() as tx:
        if await lock_sealing_key(tx) != new:
            raise Overtaken
        found = await queries.lock_data_keys_under(tx, old, limit=at_once)
        fresh = [
            vault.wrap(rt, vault.unwrap(rt, each), each.merchant_id, each.version, new)
            for each in found
        ]
        await queries.replace_data_keys(tx, fresh)
    return len(fresh)


async def _forget(rt: Runtime, key_id: str) -> bool:
    """Whether it is gone: not while a data key is sealed under it."""
    async with rt.db.transaction() as tx:
        await queries.lock_master_key(tx, key_id)  # from here on nothing can be sealed under it
        return await queries.delete_master_key(tx, key_id)


async def _check_held_everywhere(tx: Tx, newest: str) -> None:
    """A process that cannot open the new key would soon read nothing. Every process of ours says
    in its sessions' name what it holds."""
    names = await queries.other_sessions(tx)
    without = sum(not {newest, REREADS} & set(name.split()) for name in names)
    if without:
        raise KeyNotEverywhere(
            f"{without} sessions of processes that do not hold the master key {newest} are on this"
            " database: give it to them in PAYLOOM_MASTER_KEY, restart them, and try again"
        )
