"""All SQL of rotation; what it shares with everyday sealing is in merchants/queries.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from payloom.core.db import PROGRAM, Row, Tx
from payloom.merchants.model import DataKey, Sealed

Place = tuple[UUID, UUID, str]  # of a secret: merchant, owner, field

# --- master keys -----------------------------------------------------------------------------


async def other_sessions(tx: Tx) -> list[str]:
    """How the sessions of our processes on this database are named, this one left out."""
    return [row["name"] for row in await tx.fetch(_OTHER_SESSIONS, f"{PROGRAM}%")]


async def let_seal(tx: Tx, key_id: str, now: datetime) -> None:
    """From the commit on this master key seals what is new; who seals just now is waited for."""
    await tx.execute(_LET_NO_OTHER_SEAL, key_id)
    await tx.execute(_LET_SEAL, key_id, now)


async def count_data_keys(tx: Tx, *, but_under: str) -> int:
    """Those sealed under other master keys."""
    return cast("int", await tx.fetchval(_COUNT_DATA_KEYS, but_under))


async def lock_data_keys_under(tx: Tx, key_id: str, *, limit: int) -> list[DataKey]:
    """Some that this master key seals. They can still be used, but not changed by another."""
    return [_data_key(row) for row in await tx.fetch(_LOCK_DATA_KEYS_UNDER, key_id, limit)]


async def replace_data_keys(tx: Tx, keys: Sequence[DataKey]) -> None:
    """The same data keys, sealed otherwise."""
    await tx.execute(
        _REPLACE_DATA_KEYS,
        [key.merchant_id for key in keys],
        [key.version for key in keys],
        [key.master_key_id for key in keys],
        [key.wrapped for key in keys],
    )


async def lock_master_key(tx: Tx, key_id: str) -> None:
    await tx.execute("SELECT FROM master_keys WHERE id = $1 FOR UPDATE", key_id)


async def delete_master_key(tx: Tx, key_id: str) -> bool:
    """Whether it is gone: it stays while it seals something."""
    await tx.execute(_DELETE_MASTER_KEY, key_id)
    gone = "SELECT NOT EXISTS (SELECT FROM master_keys WHERE id = $1)"
    return cast("bool", await tx.fetchval(gone, key_id))


# --- data keys -------------------------------------------------------------------------------


async def merchants_with_older(
    tx: Tx, before: datetime, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Merchants whose newest data key was made before, or who have one too many."""
    rows = await tx.fetch(_MERCHANTS_WITH_OLDER, before, after or UUID(int=0), limit)
    return [row["merchant_id"] for row in rows]


async def count_merchants_with_older(tx: Tx, before: datetime) -> int:
    return cast("int", await tx.fetchval(_COUNT_MERCHANTS_WITH_OLDER, before))


async def lock_making(tx: Tx, merchant_id: UUID) -> None:
    """Nobody else makes a data key for this merchant until we commit."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(merchant_id))


async def lock_data_keys(tx: Tx, merchant_id: UUID) -> None:
    """Whoever seals with one of the merchant's has ended, and nobody begins until we commit."""
    await tx.execute("SELECT FROM data_keys WHERE merchant_id = $1 FOR UPDATE", merchant_id)


async def version_to_replace(tx: Tx, merchant_id: UUID, before: datetime) -> int | None:
    """The newest version of the merchant's data keys, if it was made before."""
    return cast("int | None", await tx.fetchval(_VERSION_TO_REPLACE, merchant_id, before))


async def lock_secrets_under_older(tx: Tx, merchant_id: UUID, *, limit: int) -> list[Sealed]:
    """Some that other data keys than the newest seal."""
    return [_sealed(row) for row in await tx.fetch(_LOCK_SECRETS_UNDER_OLDER, merchant_id, limit)]


async def replace_secrets(tx: Tx, secrets: Sequence[Sealed]) -> None:
    """The same secrets, sealed otherwise."""
    await tx.execute(
        _REPLACE_SECRETS,
        [secret.data_key.merchant_id for secret in secrets],
        [secret.owner for secret in secrets],
        [secret.field for secret in secrets],
        [secret.data_key.version for secret in secrets],
        [secret.sealed for secret in secrets],
    )


async def delete_older_data_keys(tx: Tx, merchant_id: UUID) -> bool:
    """Whether only the newest is left: one that seals something stays."""
    await tx.execute(_DELETE_OLDER_DATA_KEYS, merchant_id)
    left = "SELECT count(*) = 1 FROM data_keys WHERE merchant_id = $1"
    return cast("bool", await tx.fetchval(left, merchant_id))


# --- what is there ---------------------------------------------------------------------------


async def count_sealed(tx: Tx) -> int:
    """Data keys and secrets."""
    return cast("int", await tx.fetchval(_COUNT_SEALED))


async def data_keys_after(tx: Tx, after: tuple[UUID, int], *, limit: int) -> list[DataKey]:
    return [_data_key(row) for row in await tx.fetch(_DATA_KEYS_AFTER, *after, limit)]


async def secrets_after(tx: Tx, after: Place, *, limit: int) -> list[Sealed]:
    return [_sealed(row) for row in await tx.fetch(_SECRETS_AFTER, *after, limit)]


def _data_key(row: Row) -> DataKey:
    return DataKey(row["merchant_id"], row["version"], row["master_key_id"], row["wrapped"])


def _sealed(row: Row) -> Sealed:
    return Sealed(row["owner"], row["field"], row["sealed"], _data_key(row))


_OTHER_SESSIONS = """
SELECT application_name AS name FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE $1
"""

_LET_NO_OTHER_SEAL = "UPDATE master_keys SET is_sealing = false WHERE is_sealing AND id <> $1"

_LET_SEAL = """
INSERT INTO master_keys (id, is_sealing, created_at) VALUES ($1, true, $2)
    ON CONFLICT (id) DO UPDATE SET is_sealing = true
"""

_COUNT_DATA_KEYS = "SELECT count(*) FROM data_keys WHERE master_key_id <> $1"

_LOCK_DATA_KEYS_UNDER = """
SELECT merchant_id, version, master_key_id, wrapped FROM data_keys
 WHERE master_key_id = $1
 ORDER BY merchant_id, version LIMIT $2
   FOR NO KEY UPDATE
"""

_REPLACE_DATA_KEYS = """
UPDATE data_keys AS d SET master_key_id = f.master_key_id, wrapped = f.wrapped
  FROM unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[])
       AS f (merchant_id, version, master_key_id, wrapped)
 WHERE d.merchant_id = f.merchant_id AND d.version = f.version
"""

_DELETE_MASTER_KEY = """
DELETE FROM master_keys
 WHERE id = $1 AND NOT is_sealing
   AND NOT EXISTS (SELECT FROM data_keys WHERE master_key_id = $1)
"""

_MERCHANTS_WITH_OLDER = """
SELECT merchant_id FROM data_keys
 WHERE merchant_id > $2
 GROUP BY merchant_id HAVING max(created_at) < $1 OR count(*) > 1
 ORDER BY merchant_id LIMIT $3
"""

_COUNT_MERCHANTS_WITH_OLDER = """
SELECT count(*) FROM (SELECT FROM data_keys GROUP BY merchant_id
                      HAVING max(created_at) < $1 OR count(*) > 1) AS older
"""

_VERSION_TO_REPLACE = """
SELECT max(version) FROM data_keys WHERE merchant_id = $1 HAVING max(created_at) < $2
"""

_LOCK_SECRETS_UNDER_OLDER = """
SELECT s.owner, s.field, s.sealed, d.merchant_id, d.version, d.master_key_id, d.wrapped
  FROM secrets AS s
  JOIN data_keys AS d ON d.merchant_id = s.merchant_id AND d.version = s.key_version
 WHERE s.merchant_id = $1
   AND s.key_version < (SELECT max(version) FROM data_keys WHERE merchant_id = $1)
 ORDER BY s.owner, s.field LIMIT $2
   FOR NO KEY UPDATE OF s
"""

_REPLACE_SECRETS = """
UPDATE secrets AS s SET key_version = f.key_version, sealed = f.sealed
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::bytea[])
       AS f (merchant_id, owner, field, key_version, sealed)
 WHERE s.merchant_id = f.merchant_id AND s.owner = f.owner AND s.field = f.field
"""

_DELETE_OLDER_DATA_KEYS = """
DELETE FROM data_keys AS d
 WHERE merchant_id = $1 AND version < (SELECT max(version) FROM data_keys WHERE merchant_id = $1)
   AND NOT EXISTS (SELECT FROM secrets AS s
                    WHERE s.merchant_id = $1 AND s.key_version = d.version)
"""

_COUNT_SEALED = "SELECT (SELECT count(*) FROM data_keys) + (SELECT count(*) FROM secrets)"

_DATA_KEYS_AFTER = """
SELECT merchant_id, version, master_key_id, wrapped FROM data_keys
 WHERE (merchant_id, version) > ($1, $2)
 ORDER BY merchant_id, version LIMIT $3
"""

_SECRETS_AFTER = """
SELECT s.owner, s.field, s.sealed, d.merchant_id, d.version, d.master_key_id, d.wrapped
  FROM secrets AS s
  JOIN data_keys AS d ON d.merchant_id = s.merchant_id AND d.version = s.key_version
 WHERE (s.merchant_id, s.owner, s.field) > ($1, $2, $3)
 ORDER BY s.merchant_id, s.owner, s.field LIMIT $4
"""
