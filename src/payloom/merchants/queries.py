"""All SQL about merchants, keys, secrets and connections."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from payloom.core.db import Row, Tx
from payloom.merchants.model import ApiKey, Connection, DataKey, MasterKey, Mode, Sealed


async def insert_merchant(tx: Tx, merchant_id: UUID, name: str, mode: Mode, now: datetime) -> None:
    await tx.execute(_INSERT_MERCHANT, merchant_id, name, mode, now)


async def mode_of(tx: Tx, merchant_id: UUID) -> Mode | None:
    """None: there is no such merchant."""
    return cast("Mode | None", await tx.fetchval(_MODE_OF, merchant_id))


async def has_live_merchant(tx: Tx) -> bool:
    return bool(await tx.fetchval(_HAS_LIVE_MERCHANT))


async def insert_key(
    tx: Tx, key: ApiKey, *, name: str, digest: bytes, hint: str, now: datetime
) -> None:
    await tx.execute(
        _INSERT_KEY,
        key.merchant_id,
        key.id,
        digest,
        hint,
        name,
        sorted(key.scopes),
        now,
        key.expires_at,
    )


async def key_by_digest(tx: Tx, digest: bytes) -> ApiKey | None:
    """Whose key this is, also if it is over: the caller says why it is refused."""
    row = await tx.fetchrow(_KEY_BY_DIGEST, digest)
    if row is None:
        return None
    return ApiKey(
        row["merchant_id"],
        row["mode"],
        row["id"],
        frozenset(row["scopes"]),
        row["expires_at"],
        row["revoked_at"],
    )


async def revoke_key(tx: Tx, merchant_id: UUID, key_id: UUID, now: datetime) -> bytes | None:
    """The revoked key's digest; None if the merchant has no such key. The first time stays."""
    return cast("bytes | None", await tx.fetchval(_REVOKE_KEY, merchant_id, key_id, now))


async def insert_data_key(tx: Tx, key: DataKey, now: datetime) -> None:
    await tx.execute(
        _INSERT_DATA_KEY, key.merchant_id, key.version, key.master_key_id, key.wrapped, now
    )


async def lock_newest_data_key(tx: Tx, merchant_id: UUID) -> DataKey | None:
    """What new secrets are sealed with, kept from being deleted. None: it was deleted while we
    waited, or the merchant has none."""
    row = await tx.fetchrow(_LOCK_NEWEST_DATA_KEY, merchant_id)
    return None if row is None else _data_key(row)


async def master_keys(tx: Tx) -> list[MasterKey]:
    """Those in use, the sealing one first."""
    return [MasterKey(row["id"], row["is_sealing"]) for row in await tx.fetch(_MASTER_KEYS)]


async def lock_sealing_key(tx: Tx) -> str | None:
    """The id of the master key that seals what is new, which cannot change meanwhile. None: there
    is none yet, or it has just changed."""
    return cast("str | None", await tx.fetchval(_LOCK_SEALING_KEY))


async def insert_first_master_key(tx: Tx, key_id: str, now: datetime) -> None:
    """Let it seal what is new, unless there is one that does."""
    await tx.execute(_INSERT_FIRST_MASTER_KEY, key_id, now)


async def put_secret(tx: Tx, secret: Sealed, now: datetime) -> None:
    """Insert it, or take the place of the one under the same name."""
    await tx.execute(
        _PUT,
        secret.data_key.merchant_id,
        secret.owner,
        secret.field,
        secret.data_key.version,
        secret.sealed,
        now,
    )


async def delete_secret(tx: Tx, merchant_id: UUID, owner: UUID, field: str) -> None:
    await tx.execute(_DELETE_ONE, merchant_id, owner, field)


async def secrets_of(tx: Tx, merchant_id: UUID, owner: UUID) -> list[Sealed]:
    rows = await tx.fetch(_SECRETS_OF, merchant_id, owner)
    return [
        Sealed(row["owner"], row["field"], row["sealed"], _data_key(row), row["ends_at"])
        for row in rows
    ]


async def end_secrets(tx: Tx, merchant_id: UUID, owner: UUID, at: datetime) -> None:
    """An end that is earlier stays."""
    await tx.execute(_END_SECRETS, merchant_id, owner, at)


async def delete_ended_secrets(tx: Tx, now: datetime, limit: int) -> int:
    """How many were deleted."""
    return len(await tx.fetch(_DELETE_ENDED_SECRETS, now, limit))


async def insert_connection(tx: Tx, connection: Connection, now: datetime) -> None:
    await tx.execute(
        _INSERT_CONNECTION,
        connection.merchant_id,
        connection.id,
        connection.psp,
        connection.api_base,
        connection.psp_account,
        now,
    )


async def lock_connection(tx: Tx, merchant_id: UUID, connection_id: UUID) -> Connection | None:
    """The merchant's connection if it is in use, locked: one change at a time."""
    row = await tx.fetchrow(_LOCK_CONNECTION, merchant_id, connection_id)
    return None if row is None else _connection(row)


async def disable_connection(tx: Tx, merchant_id: UUID, connection_id: UUID, now: datetime) -> None:
    await tx.execute(_DISABLE_CONNECTION, merchant_id, connection_id, now)


async def newest_connection(tx: Tx, merchant_id: UUID, psps: Sequence[str]) -> Connection | None:
    """The newest one in use, to any of these PSPs."""
    row = await tx.fetchrow(_NEWEST_CONNECTION, merchant_id, psps)
    return None if row is None else _connection(row)


async def connection_by_id(tx: Tx, connection_id: UUID) -> Connection | None:
    """Whosever it is: a notice names its connection only."""
    row = await tx.fetchrow(_CONNECTION_BY_ID, connection_id)
    return None if row is None else _connection(row)


async def enabled_connections(tx: Tx) -> list[Connection]:
    """Those in use, of all merchants."""
    return [_connection(row) for row in await tx.fetch(_ENABLED_CONNECTIONS)]


def _data_key(row: Row) -> DataKey:
    return DataKey(row["merchant_id"], row["version"], row["master_key_id"], row["wrapped"])


def _connection(row: Row) -> Connection:
    return Connection(
        row["merchant_id"],
        row["id"],
        row["psp"],
        row["api_base"],
        row["psp_account"],
        row["mode"],
    )


_INSERT_MERCHANT = """
INSERT INTO merchants (merchant_id, name, mode, created_at) VALUES ($1, $2, $3, $4)
"""

_MODE_OF = "SELECT mode FROM merchants WHERE merchant_id = $1"

_HAS_LIVE_MERCHANT = "SELECT EXISTS (SELECT FROM merchants WHERE mode = 'live')"

_INSERT_KEY = """
INSERT INTO api_keys (merchant_id, id, digest, hint, name, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

_KEY_BY_DIGEST = """
SELECT k.merchant_id, m.mode, k.id, k.scopes, k.expires_at, k.revoked_at
  FROM api_keys AS k JOIN merchants AS m USING (merchant_id)
 WHERE k.digest = $1
"""

_REVOKE_KEY = """
UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3)
 WHERE merchant_id = $1 AND id = $2
RETURNING digest
"""

_INSERT_DATA_KEY = """
INSERT INTO data_keys (merchant_id, version, master_key_id, wrapped, created_at)
VALUES ($1, $2, $3, $4, $5)
"""

_LOCK_NEWEST_DATA_KEY = """
SELECT merchant_id, version, master_key_id, wrapped FROM data_keys
 WHERE merchant_id = $1
 ORDER BY version DESC LIMIT 1
   FOR KEY SHARE
"""

_MASTER_KEYS = "SELECT id, is_sealing FROM master_keys ORDER BY is_sealing DESC, id"

_LOCK_SEALING_KEY = "SELECT id FROM master_keys WHERE is_sealing FOR SHARE"

_INSERT_FIRST_MASTER_KEY = """
INSERT INTO master_keys (id, is_sealing, created_at)
SELECT $1, true, $2 WHERE NOT EXISTS (SELECT FROM master_keys)
    ON CONFLICT DO NOTHING
"""

_PUT = """
INSERT INTO secrets (merchant_id, owner, field, key_version, sealed, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (merchant_id, owner, field) DO UPDATE
   SET key_version = excluded.key_version, sealed = excluded.sealed,
       created_at = excluded.created_at
"""

_DELETE_ONE = """
DELETE FROM secrets WHERE merchant_id = $1 AND owner = $2 AND field = $3
"""

_SECRETS_OF = """
SELECT s.owner, s.field, s.sealed, s.ends_at,
       d.merchant_id, d.version, d.master_key_id, d.wrapped
  FROM secrets AS s
  JOIN data_keys AS d ON d.merchant_id = s.merchant_id AND d.version = s.key_version
 WHERE s.merchant_id = $1 AND s.owner = $2
"""

_END_SECRETS = """
UPDATE secrets SET ends_at = least(ends_at, $3) WHERE merchant_id = $1 AND owner = $2
"""

_DELETE_ENDED_SECRETS = """
DELETE FROM secrets
 WHERE (merchant_id, owner, field) IN (SELECT merchant_id, owner, field FROM secrets
                                        WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2)
RETURNING field
"""

_INSERT_CONNECTION = """
INSERT INTO connections (merchant_id, id, psp, api_base, psp_account, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""

_LOCK_CONNECTION = """
SELECT c.merchant_id, c.id, c.psp, c.api_base, c.psp_account, m.mode
  FROM connections AS c JOIN merchants AS m USING (merchant_id)
 WHERE c.merchant_id = $1 AND c.id = $2 AND c.disabled_at IS NULL
   FOR UPDATE OF c
"""

_DISABLE_CONNECTION = """
UPDATE connections SET disabled_at = $3 WHERE merchant_id = $1 AND id = $2
"""

_NEWEST_CONNECTION = """
SELECT c.merchant_id, c.id, c.psp, c.api_base, c.psp_account, m.mode
  FROM connections AS c JOIN merchants AS m USING (merchant_id)
 WHERE c.merchant_id = $1 AND c.psp = ANY($2::text[]) AND c.disabled_at IS NULL
 ORDER BY c.created_at DESC, c.id DESC LIMIT 1
"""

_ENABLED_CONNECTIONS = """
SELECT c.merchant_id, c.id, c.psp, c.api_base, c.psp_account, m.mode
  FROM connections AS c JOIN merchants AS m USING (merchant_id)
 WHERE c.disabled_at IS NULL
 ORDER BY c.id
"""

_CONNECTION_BY_ID = """
SELECT c.merchant_id, c.id, c.psp, c.api_base, c.psp_account, m.mode
  FROM connections AS c JOIN merchants AS m USING (merchant_id)
 WHERE c.id = $1 AND c.disabled_at IS NULL
"""
