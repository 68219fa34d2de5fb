"""Secrets that we must be able to read back, sealed in two steps (S21).

The master key lives outside the database and seals one data key per merchant; the data key seals
that merchant's secrets. What a ciphertext belongs to is part of the seal: moved to another
merchant, owner, field or key version, it does not open.
"""

from datetime import datetime
from uuid import UUID

from payloom.core import crypto
from payloom.core.db import Tx
from payloom.core.master_keys import MasterKeys
from payloom.core.secret import Secret
from payloom.merchants import queries
from payloom.merchants.model import DataKey, Sealed, Unsealed
from payloom.runtime import Runtime

PLAINTEXT_BYTES_MAX = 8_000  # the table takes 8,192 with nonce and tag


class MasterKeyWrong(Exception):
    """This process has another master key than the one that sealed the merchants' data keys."""


async def make_data_key(
    tx: Tx, rt: Runtime, merchant_id: UUID, now: datetime, *, version: int = 1
) -> None:
    """A data key for what is sealed from now on; a new merchant's first one has version 1.

    Raises MasterKeyWrong.
    """
    sealing = await _sealing_master_key(tx, rt, now)
    data_key = wrap(rt, crypto.new_key(), merchant_id, version, sealing)
    await queries.insert_data_key(tx, data_key, now)


async def seal(
    tx: Tx, rt: Runtime, merchant_id: UUID, owner: UUID, field: str, plaintext: str, now: datetime
) -> None:
    """Keep a secret under (merchant, owner, field), in place of what was there.

    Raises MasterKeyWrong.
    """
    data_key = await newest_data_key(tx, merchant_id)
    await queries.put_secret(tx, await sealed(rt, data_key, owner, field, plaintext), now)


async def unseal_all(tx: Tx, rt: Runtime, merchant_id: UUID, owner: UUID) -> dict[str, Secret]:
    """Every secret of an owner, by field; empty if it has none.

    Raises MasterKeyWrong, or SealBroken when a row was altered or moved.
    """
    found = await unseal_with_ends(tx, rt, merchant_id, owner)
    return {field: unsealed.secret for field, unsealed in found.items()}


async def unseal_with_ends(
    tx: Tx, rt: Runtime, merchant_id: UUID, owner: UUID
) -> dict[str, Unsealed]:
    """The same for an owner whose secrets come to an end: whoever uses them compares."""
    found = {}
    for row in await queries.secrets_of(tx, merchant_id, owner):
        found[row.field] = Unsealed(Secret(await opened(rt, row)), row.ends_at)
    return found


async def end_all(tx: Tx, merchant_id: UUID, owner: UUID, at: datetime) -> None:
    """Let every secret of an owner end then, unless it ends earlier."""
    await queries.end_secrets(tx, merchant_id, owner, at)


async def forget_ended(tx: Tx, now: datetime, *, limit: int) -> int:
    """Delete the secrets that have ended; how many."""
    return await queries.delete_ended_secrets(tx, now, limit)


async def sealed(rt: Runtime, data_key: DataKey, owner: UUID, field: str, plaintext: str) -> Sealed:
    """A secret as it is stored, under this data key. Raises MasterKeyWrong, SealBroken."""
    bound_to = _bound_to_place(data_key.merchant_id, owner, field, data_key.version)
    ciphertext = crypto.seal(await _unwrap(rt, data_key), plaintext.encode(), bound_to=bound_to)
    return Sealed(owner, field, ciphertext, data_key)


async def opened(rt: Runtime, row: Sealed) -> str:
    """What a stored secret says. Raises MasterKeyWrong, SealBroken."""
    data_key = row.data_key
    bound_to = _bound_to_place(data_key.merchant_id, row.owner, row.field, data_key.version)
    return crypto.unseal(await _unwrap(rt, data_key), row.sealed, bound_to=bound_to).decode()


def wrap(rt: Runtime, key: bytes, merchant_id: UUID, version: int, master_key_id: str) -> DataKey:
    """A data key as it is stored, under this master key. Raises MasterKeyWrong."""
    bound_to = _bound_to_merchant(merchant_id, version, master_key_id)
    wrapped = crypto.seal(_master_key(rt, master_key_id), key, bound_to=bound_to)
    return DataKey(merchant_id, version, master_key_id, wrapped)


def unwrap(rt: Runtime, data_key: DataKey) -> bytes:
    """The data key itself. Raises MasterKeyWrong, SealBroken."""
    key_id = data_key.master_key_id
    bound_to = _bound_to_merchant(data_key.merchant_id, data_key.version, key_id)
    return crypto.unseal(_master_key(rt, key_id), data_key.wrapped, bound_to=bound_to)


async def has_sealed(tx: Tx) -> bool:
    """Whether anything here can be opened by certain master keys only."""
    return bool(await queries.master_keys(tx))


async def check_held(tx: Tx, keys: MasterKeys) -> None:
    """Raises MasterKeyWrong when something may be sealed under a key that is not held here."""
    for key in await queries.master_keys(tx):
        if keys.get(key.id) is None:
            raise _wrong(keys, key.id)


async def _sealing_master_key(tx: Tx, rt: Runtime, now: datetime) -> str:
    """Which master key seals what is new: locked, it stays so until the transaction ends."""
    found = await queries.lock_sealing_key(tx)
    if found is None:  # the first merchant of all, or it changed this moment: then look again
        await queries.insert_first_master_key(tx, rt.master_keys.newest, now)
        found = await queries.lock_sealing_key(tx)
    if found is None:
        raise LookupError("no master key seals what is new")
    return found


async def newest_data_key(tx: Tx, merchant_id: UUID) -> DataKey:
    """What seals a merchant's secrets: it cannot be forgotten before the transaction ends."""
    for _ in range(2):  # a second time when it was forgotten this moment, for a newer one
        if found := await queries.lock_newest_data_key(tx, merchant_id):
            return found
    raise LookupError(f"merchant {merchant_id} has no data key")


async def _unwrap(rt: Runtime, data_key: DataKey) -> bytes:
    """Cached by its row's whole content, so that a row which is rolled back or changed can never
    lend its key to another."""

    async def load() -> bytes:
        return unwrap(rt, data_key)

    return await rt.cache.get(data_key, load)


def _master_key(rt: Runtime, key_id: str) -> bytes:
    key = rt.master_keys.get(key_id)
    if key is None:
        raise _wrong(rt.master_keys, key_id)
    return key


def _wrong(keys: MasterKeys, key_id: str) -> MasterKeyWrong:
    return MasterKeyWrong(
        f"Secrets in this database are sealed under the master key {key_id}, but this process has"
        f" {', '.join(keys.ids)}. Add the missing key to PAYLOOM_MASTER_KEY (or, with the embedded"
        " database, to PAYLOOM_HOME/master.key); without it they cannot be read."
    )


def _bound_to_merchant(merchant_id: UUID, version: int, key_id: str) -> bytes:
    return _joined(b"data key", merchant_id.bytes, str(version).encode(), key_id.encode())


def _bound_to_place(merchant_id: UUID, owner: UUID, field: str, version: int) -> bytes:
    return _joined(b"secret", merchant_id.bytes, owner.bytes, field.encode(), str(version).encode())


def _joined(*parts: bytes) -> bytes:
    """Length before each part, so that no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
