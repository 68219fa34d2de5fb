"""Endpoints: where a merchant wants to hear of events, and the secret that signs them."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from payloom.core import ids
from payloom.core.db import Tx
from payloom.core.errors import Conflict, FieldError, InvalidRequest, NotFound
from payloom.core.secret import Secret
from payloom.merchants import vault
from payloom.merchants.model import Mode, Unsealed
from payloom.runtime import Runtime
from payloom.webhooks import queries
from payloom.webhooks.addresses import mistakes_in
from payloom.webhooks.event_types import EVENT_TYPES
from payloom.webhooks.model import Endpoint

log = structlog.get_logger()

ENABLED_MAX = 20  # each one is a row more for every event
SECRET_BYTES = 32
FIRST_FIELD = "secret"  # the next ones are secret_2, secret_3 …: see rotate.py


class NoSuchEndpoint(NotFound):
    title = "There is no such webhook endpoint"


class TooManyEndpoints(Conflict):
    code = "too_many_webhook_endpoints"
    title = f"A merchant can have {ENABLED_MAX} webhook endpoints; delete one first"


class EndpointDeleted(Conflict):
    code = "webhook_endpoint_deleted"
    title = "This webhook endpoint was deleted; create a new one"


async def create_endpoint(
    rt: Runtime, merchant_id: UUID, mode: Mode, url: str, event_types: Sequence[str] | None
) -> Endpoint:
    """A new endpoint with its secret, told of everything that happens from now on.

    `event_types` None means all. Raises InvalidRequest with every mistake, TooManyEndpoints.
    """
    _check(url, event_types, allow_loopback=allow_loopback(rt, mode))
    now = rt.clock()
    kinds = tuple(dict.fromkeys(event_types)) if event_types is not None else None
    endpoint = Endpoint(merchant_id, ids.new(), url, kinds, now)
    async with rt.db.transaction() as tx:
        if not await queries.insert_endpoint(tx, endpoint, ENABLED_MAX):
            raise TooManyEndpoints
        secret = new_secret().reveal()
        await vault.seal(tx, rt, merchant_id, endpoint.id, FIRST_FIELD, secret, now)
    log.info("webhook_endpoint.created", endpoint=ids.text("whe", endpoint.id))
    return endpoint


async def get_endpoint(rt: Runtime, merchant_id: UUID, endpoint_id: UUID) -> Endpoint:
    """One endpoint, also a disabled one. Raises NoSuchEndpoint, also for another merchant's."""
    async with rt.db.statement() as tx:
        found = await queries.endpoint(tx, merchant_id, endpoint_id)
    if found is None:
        raise NoSuchEndpoint
    return found


async def delete_endpoint(rt: Runtime, merchant_id: UUID, endpoint_id: UUID) -> Endpoint:
    """Tell it nothing more, for good; what it is still owed is closed by the worker.

    Its secrets end. Repeating is harmless. Raises NoSuchEndpoint.
    """
    now = rt.clock()
    async with rt.db.transaction() as tx:
        found = await queries.delete_endpoint(tx, merchant_id, endpoint_id, now)
        if found is None:
            raise NoSuchEndpoint
        await vault.end_all(tx, merchant_id, endpoint_id, now)
    forget_secrets(rt, merchant_id, endpoint_id)
    log.info("webhook_endpoint.deleted", endpoint=ids.text("whe", endpoint_id))
    return found


async def enable_endpoint(rt: Runtime, merchant_id: UUID, endpoint_id: UUID) -> Endpoint:
    """Tell it of events again, from now on. Of an enabled one it changes nothing.

    Raises NoSuchEndpoint, EndpointDeleted, TooManyEndpoints.
    """
    async with rt.db.transaction() as tx:
        found = await lock_endpoint(tx, merchant_id, endpoint_id)
        if found.disabled_at is None:
            return found
        enabled = await queries.enable_endpoint(
            tx, merchant_id, endpoint_id, ENABLED_MAX, rt.clock()
        )
        if enabled is None:
            raise TooManyEndpoints
    log.info("webhook_endpoint.enabled", endpoint=ids.text("whe", endpoint_id))
    return enabled


async def lock_endpoint(tx: Tx, merchant_id: UUID, endpoint_id: UUID) -> Endpoint:
    """An endpoint that may still be used, locked. Raises NoSuchEndpoint, EndpointDeleted."""
    found = await queries.lock_endpoint(tx, merchant_id, endpoint_id)
    if found is None:
        raise NoSuchEndpoint
    if found.disabled_reason == "deleted":
        raise EndpointDeleted
    return found


async def signing_secrets(rt: Runtime, merchant_id: UUID, endpoint_id: UUID) -> tuple[Secret, ...]:
    """The secrets that are live, each of which signs every delivery (F60), the newest first.

    What another process did is seen some seconds later; an end that was set is kept exactly.
    """

    async def load() -> list[Unsealed]:
        async with rt.db.statement() as tx:
            found = await vault.unseal_with_ends(tx, rt, merchant_id, endpoint_id)
        return sorted(found.values(), key=_newest_first)

    known = await rt.cache.get(_cache_key(merchant_id, endpoint_id), load)
    return tuple(each.secret for each in known if is_live(each, rt.clock()))


def is_live(unsealed: Unsealed, now: datetime) -> bool:
    """Whether a secret signs. One that has ended may still lie there, until upkeep comes by."""
    return unsealed.ends_at is None or now < unsealed.ends_at


def forget_secrets(rt: Runtime, merchant_id: UUID, endpoint_id: UUID) -> None:
    """They have changed: read them afresh here."""
    rt.cache.forget(_cache_key(merchant_id, endpoint_id))


def allow_loopback(rt: Runtime, mode: Mode) -> bool:
    """Whether endpoints of such a merchant may be on this machine."""
    return mode == "test" and rt.settings.webhooks_to_loopback


def new_secret() -> Secret:
    """`whsec_` and the base64 of random bytes, as Standard Webhooks writes them."""
    return Secret("whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())


def _cache_key(merchant_id: UUID, endpoint_id: UUID) -> tuple[str, UUID, UUID]:
    return ("webhook_secrets", merchant_id, endpoint_id)


def _newest_first(unsealed: Unsealed) -> float:
    return -unsealed.ends_at.timestamp() if unsealed.ends_at else float("-inf")


def _check(url: str, event_types: Sequence[str] | None, *, allow_loopback: bool) -> None:
    mistakes = [FieldError("url", why) for why in mistakes_in(url, allow_loopback=allow_loopback)]
    for place, kind in enumerate(event_types or ()):
        if kind not in EVENT_TYPES:
            mistakes.append(FieldError(f"event_types[{place}]", "there is no such event type"))
    if event_types is not None and not event_types:
        mistakes.append(FieldError("event_types", "name at least one, or leave it out for all"))
    if mistakes:
        raise InvalidRequest(errors=mistakes)
