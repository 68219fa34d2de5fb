"""Change the secret of an endpoint: for a day the old and the new one both sign (F60)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from payloom.core import ids
from payloom.core.errors import Conflict
from payloom.core.secret import Secret
from payloom.merchants import vault
from payloom.merchants.model import Unsealed
from payloom.runtime import Runtime
from payloom.webhooks.endpoints import (
    FIRST_FIELD,
    forget_secrets,
    is_live,
    lock_endpoint,
    new_secret,
)
from payloom.webhooks.model import Endpoint

log = structlog.get_logger()

OVERLAP = timedelta(hours=24)
LIVE_MAX = 5  # each one is a signature more on every delivery


class TooManySecrets(Conflict):
    code = "too_many_webhook_secrets"
    title = f"At most {LIVE_MAX} secrets of an endpoint sign at once; wait for the oldest to end"


@dataclass(frozen=True, slots=True)
class Rotated:
    """The new secret by the name it is kept under, and when the ones before have all ended."""

    endpoint: Endpoint
    field: str
    old_ends_at: datetime


async def rotate_secret(rt: Runtime, merchant_id: UUID, endpoint_id: UUID) -> Rotated:
    """Sign with a new secret from now on; the one it replaces signs on for OVERLAP, then ends.

    Each replaced secret has its whole overlap, however often this is repeated: a receiver that
    knows only the first is not cut off by a second rotation. Past LIVE_MAX it is refused instead.
    Raises NoSuchEndpoint, EndpointDeleted, TooManySecrets.
    """
    now = rt.clock()
    old_ends_at = now + OVERLAP
    async with rt.db.transaction() as tx:
        endpoint = await lock_endpoint(tx, merchant_id, endpoint_id)
        known = await vault.unseal_with_ends(tx, rt, merchant_id, endpoint_id)
        _refuse_too_many(known, now)
        field = f"{FIRST_FIELD}_{max(map(_number, known), default=1) + 1}"
        await vault.end_all(tx, merchant_id, endpoint_id, old_ends_at)
        await vault.seal(tx, rt, merchant_id, endpoint_id, field, new_secret().reveal(), now)
    forget_secrets(rt, merchant_id, endpoint_id)
    log.info("webhook_endpoint.secret_rotated", endpoint=ids.text("whe", endpoint_id), field=field)
    return Rotated(endpoint, field, old_ends_at)


async def secret_named(
    rt: Runtime, merchant_id: UUID, endpoint_id: UUID, field: str
) -> Secret | None:
    """One secret, for whoever was just given it; None when it has ended."""
    async with rt.db.statement() as tx:
        known = await vault.unseal_with_ends(tx, rt, merchant_id, endpoint_id)
    found = known.get(field)
    return found.secret if found is not None and is_live(found, rt.clock()) else None


def _refuse_too_many(known: dict[str, Unsealed], now: datetime) -> None:
    live = [each for each in known.values() if is_live(each, now)]
    if len(live) < LIVE_MAX:
        return
    ends = min(each.ends_at for each in live if each.ends_at is not None)
    raise TooManySecrets(retry_after_s=int((ends - now).total_seconds()) + 1)


def _number(field: str) -> int:
    return int(field.rpartition("_")[2]) if "_" in field else 1
