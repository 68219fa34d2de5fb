"""Secrets that we must be able to read back, sealed in two steps (S21).

The master key lives outside the database and seals one data key per merchant; the data key seals
that merchant's secrets. What a ciphertext belongs to is part of the seal: moved to another
merchant, owner, field or key version, it does not open.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from payloom.core import crypto
from payloom.core.db import Tx
from payloom.core.secret import Secret
from payloom.merchants import queries
from payloom.merchants.model import DataKey, Sealed, Unsealed
from payloom.runtime import Runtime

PLAINTEXT_BYTES_MAX = 8_000  # the table takes 8,192 with nonce and tag


class MasterKeyWrong(Exception):
    """This process has another master key than the one that sealed the merchants' data keys."""


async def make_data_key(tx: Tx, rt: Runtime, merchant_id: UUID, now: datetime) -> None:
    """A new merchant's first data key."""
    key_id = master_key_id(rt.master_key)
    bound_to = _bound_to_merchant(merchant_id, 1, key_id)
    wrapped = crypto.seal(rt.master_key, crypto.new_key(), bound_to=bound_to)
    await queries.insert_data_key(tx, DataKey(merchant_id, 1, key_id, wrapped), now)


async def seal(
    tx: Tx, rt: Runtime, merchant_id: UUID, owner: UUID, field: str, plaintext: str, now: datetime
) -> None:
    """Keep a secret under (merchant, owner, field), in place of what was there.

    Raises MasterKeyWrong.
    """
    data_key = await queries.newest_data_key(tx, merchant_id)
    bound_to = _bound_to_place(merchant_id, owner, field, data_key.version)
    sealed = crypto.seal(await _unwrap(rt, data_key), plaintext.encode(), bound_to=bound_to)
    await queries.put_secret(tx, Sealed(owner, field, sealed, data_key), now)


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
        data_key = await _unwrap(rt, row.data_key)
        bound_to = _bound_to_place(merchant_id, owner, row.field, row.data_key.version)
        plaintext = crypto.unseal(data_key, row.sealed, bound_to=bound_to)
        found[row.field] = Unsealed(Secret(plaintext.decode()), row.ends_at)
    return found


async def has_sealed(tx: Tx) -> bool:
    """Whether anything here can be opened by one master key only."""
    return await queries.foreign_master_key(tx, "") is not None


async def check_opens(tx: Tx, master_key: bytes) -> None:
    """Raises MasterKeyWrong when something here is sealed under another master key."""
    ours = master_key_id(master_key)
    if (theirs := await queries.foreign_master_key(tx, ours)) is not None:
        raise _wrong(theirs, ours)


async def end_all(tx: Tx, merchant_id: UUID, owner: UUID, at: datetime) -> None:
    """Let every secret of an owner end then, unless it ends earlier."""
    await queries.end_secrets(tx, merchant_id, owner, at)


async def forget_ended(tx: Tx, now: datetime, *, limit: int) -> int:
    """Delete the secrets that have ended; how many."""
    return await queries.delete_ended_secrets(tx, now, limit)


def master_key_id(master_key: bytes) -> str:
    """Names a master key without telling anything of it."""
    return hashlib.sha256(b"payloom master key" + master_key).hexdigest()[:16]


async def _unwrap(rt: Runtime, data_key: DataKey) -> bytes:
    """The data key itself. Cached by its row's whole content, so that a row which is rolled back
    or changed can never lend its key to another."""

    async def load() -> bytes:
        return _opened(rt.master_key, data_key)

    return await rt.cache.get(data_key, load)


def _opened(master_key: bytes, data_key: DataKey) -> bytes:
    ours = master_key_id(master_key)
    if data_key.master_key_id != ours:
        raise _wrong(data_key.master_key_id, ours)
    bound_to = _bound_to_merchant(data_key.merchant_id, data_key.version, ours)
    return crypto.unseal(master_key, data_key.wrapped, bound_to=bound_to)


def _wrong(theirs: str, ours: str) -> MasterKeyWrong:
    return MasterKeyWrong(
        f"The secrets in this database are sealed under the master key {theirs}, but this process"
        f" has {ours}. Set PAYLOOM_MASTER_KEY (or, with the embedded database, restore"
        " PAYLOOM_HOME/master.key) to the key they were sealed under; without it they cannot be"
        " read."
    )


def _bound_to_merchant(merchant_id: UUID, version: int, key_id: str) -> bytes:
    return _joined(b"data key", merchant_id.bytes, str(version).encode(), key_id.encode())


def _bound_to_place(merchant_id: UUID, owner: UUID, field: str, version: int) -> bytes:
    return _joined(b"secret", merchant_id.bytes, owner.bytes, field.encode(), str(version).encode())


def _joined(*parts: bytes) -> bytes:
    """Length before each part, so that no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
