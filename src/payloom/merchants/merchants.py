"""Merchants and their API keys: made, revoked, and read back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from payloom.core import ids
from payloom.core.db import Tx
from payloom.core.errors import FieldError, InvalidRequest, NotFound, invalid
from payloom.core.masking import NOT_TAKEN, holds_card_or_secret
from payloom.core.secret import Secret
from payloom.merchants import keys, queries, vault
from payloom.merchants.auth import cache_key
from payloom.merchants.cached import cached
from payloom.merchants.model import ApiKey, Mode
from payloom.merchants.scopes import ALL, allowed
from payloom.runtime import Runtime

log = structlog.get_logger()

NAME_MAX = 200
RETURN_SECRET = "return_secret"  # noqa: S105 – a field's name
_RETURN_SECRET_CHARACTERS = 43  # 256 bits


class NoSuchMerchant(NotFound):
    title = "There is no such merchant"


class NoSuchKey(NotFound):
    title = "There is no such API key"


@dataclass(frozen=True, slots=True)
class NewMerchant:
    """A merchant just made. The key's text is nowhere else: show it once."""

    merchant_id: UUID
    api_key: Secret
    return_secret: Secret


async def create_merchant(rt: Runtime, name: str, mode: Mode) -> NewMerchant:
    """A merchant with its data key, return secret, and a first API key that may do everything."""
    _check_name(name)
    now = rt.clock()
    merchant_id = ids.new()
    return_secret = "ret_" + keys.random_text(_RETURN_SECRET_CHARACTERS)
    key = keys.new_key(mode)
    row = ApiKey(merchant_id, mode, ids.new(), allowed(mode), None, None)
    async with rt.db.transaction() as tx:
        await queries.insert_merchant(tx, merchant_id, name, mode, now)
        await vault.make_data_key(tx, rt, merchant_id, now)
        await vault.seal(tx, rt, merchant_id, merchant_id, RETURN_SECRET, return_secret, now)
        await _insert_key(tx, row, key, name="first key", now=now)
    log.info("merchant.created", merchant=ids.text("mer", merchant_id), mode=mode)
    return NewMerchant(merchant_id, Secret(key), Secret(return_secret))


async def create_key(
    rt: Runtime,
    merchant_id: UUID,
    name: str,
    scopes: Collection[str],
    *,
    expires_at: datetime | None = None,
) -> tuple[UUID, Secret]:
    """One more key. Its text is nowhere else: show it once.

    Raises InvalidRequest, and NotFound for an unknown merchant.
    """
    _check_name(name)
    now = rt.clock()
    if expires_at is not None and expires_at <= now:
        raise invalid("expires_at", "must lie in the future")
    async with rt.db.transaction() as tx:
        mode = await queries.mode_of(tx, merchant_id)
        if mode is None:
            raise NoSuchMerchant
        _check_scopes(scopes, mode)
        key = keys.new_key(mode)
        row = ApiKey(merchant_id, mode, ids.new(), frozenset(scopes), expires_at, None)
        await _insert_key(tx, row, key, name=name, now=now)
    log.info("api_key.created", **_names(merchant_id, row.id), scopes=sorted(row.scopes))
    return row.id, Secret(key)


async def revoke_key(rt: Runtime, merchant_id: UUID, key_id: UUID) -> None:
    """End a key: here at once, in other processes within CACHE_TTL_S. Revoking again is harmless.

    Raises NotFound, also for another merchant's key.
    """
    async with rt.db.transaction() as tx:
        digest = await queries.revoke_key(tx, merchant_id, key_id, rt.clock())
    if digest is None:
        raise NoSuchKey
    rt.cache.forget(cache_key(digest))
    log.info("api_key.revoked", **_names(merchant_id, key_id))


async def return_secret(rt: Runtime, merchant_id: UUID) -> Secret:
    """What signs the shopper's way back to the shop. Raises NotFound for an unknown merchant."""

    async def load() -> Secret | None:
        async with rt.db.statement() as tx:
            return (await vault.unseal_all(tx, rt, merchant_id, merchant_id)).get(RETURN_SECRET)

    secret = await cached(rt, (RETURN_SECRET, merchant_id), load)
    if secret is None:
        raise NoSuchMerchant
    return secret


async def _insert_key(tx: Tx, row: ApiKey, key: str, *, name: str, now: datetime) -> None:
    await queries.insert_key(
        tx, row, name=name, digest=keys.digest(key), hint=keys.hint(key), now=now
    )


def _names(merchant_id: UUID, key_id: UUID) -> dict[str, str]:
    return {"merchant": ids.text("mer", merchant_id), "key": ids.text("key", key_id)}


def _check_name(name: str) -> None:
    if not (name.strip() and len(name) <= NAME_MAX and name.isprintable()):
        raise invalid("name", f"must be 1 to {NAME_MAX} printable characters")
    if holds_card_or_secret(name):
        raise invalid("name", NOT_TAKEN)


def _check_scopes(wanted: Collection[str], mode: Mode) -> None:
    mistakes = []
    if not wanted:
        mistakes.append("name at least one")
    for scope in sorted(set(wanted) - allowed(mode)):
        mistakes.append(
            f"{scope} is for keys in test mode only"
            if scope in ALL
            else f"there is no scope {scope!r}; known are {', '.join(sorted(ALL))}"
        )
    if mistakes:
        raise InvalidRequest(errors=[FieldError("scopes", mistake) for mistake in mistakes])
