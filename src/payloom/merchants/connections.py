"""A merchant's account at a PSP: credentials checked and sealed, and made into a connector."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from payloom.connectors.contract import Connector
from payloom.connectors.spec import Credentials
from payloom.core import ids, jobs
from payloom.core.db import Tx
from payloom.core.errors import FieldError, InvalidRequest, NotFound, invalid
from payloom.core.jobs import Wanted
from payloom.core.secret import Secret
from payloom.merchants import queries, vault
from payloom.merchants.cached import cached
from payloom.merchants.credentials import (
    WEBHOOK_SECRETS,
    address_mistakes,
    is_here,
    mistakes_in,
    secret_mistakes,
)
from payloom.merchants.merchants import NoSuchMerchant
from payloom.merchants.model import Connection as Connection  # part of this module's interface
from payloom.runtime import Runtime

log = structlog.get_logger()

SWEEP = "sweep"  # the job that reads the connection's event list at the PSP (notices/)


class PspUnavailable(InvalidRequest):
    code = "psp_unavailable"
    title = "The merchant has no connection to this PSP"


class NoSuchConnection(NotFound):
    title = "There is no such connection"


async def add_connection(
    rt: Runtime,
    merchant_id: UUID,
    psp: str,
    secrets: Mapping[str, Secret],
    *,
    api_base: str | None = None,
    psp_account: str | None = None,
) -> UUID:
    """Keep a merchant's credentials at a PSP; new payment orders use the newest connection.

    Raises InvalidRequest with every mistake, and NotFound for an unknown merchant.
    """
    spec = rt.specs.get(psp)
    if spec is None:
        raise invalid("psp", f"there is no connector {psp!r}; known are {_known(rt)}")
    now = rt.clock()
    async with rt.db.transaction() as tx:
        mode = await queries.mode_of(tx, merchant_id)
        if mode is None:
            raise NoSuchMerchant
        mistakes = mistakes_in(spec, mode, secrets) + address_mistakes(api_base, psp_account)
        if mistakes:
            raise InvalidRequest(errors=mistakes)
        connection = Connection(merchant_id, ids.new(), psp, api_base, psp_account, mode)
        await queries.insert_connection(tx, connection, now)
        for field, secret in secrets.items():
            await vault.seal(tx, rt, merchant_id, connection.id, field, secret.reveal(), now)
        await jobs.schedule(tx, [Wanted(merchant_id, SWEEP, connection.id, now, "")], now)
    _changed(rt, connection, "connection.added")
    return connection.id


async def add_secret(rt: Runtime, merchant_id: UUID, connection_id: UUID, secret: Secret) -> str:
    """Keep one more webhook secret beside those in use, and say under which name.

    Both verify while the PSP changes from one to the other. Raises InvalidRequest, NotFound.
    """
    async with rt.db.transaction() as tx:
        connection = await _locked(tx, merchant_id, connection_id)
        taken = await vault.unseal_all(tx, rt, merchant_id, connection_id)
        field = next((name for name in WEBHOOK_SECRETS if name not in taken), None)
        if field is None:
            raise invalid(WEBHOOK_SECRETS[0], "there are enough: replace one of them")
        await _keep(tx, rt, connection, field, secret)
    _changed(rt, connection, "connection.secret_kept", field=field)
    return field


async def replace_secret(
    rt: Runtime, merchant_id: UUID, connection_id: UUID, *, field: str, secret: Secret
) -> None:
    """Put a new secret in the place of one. Raises InvalidRequest, NotFound."""
    async with rt.db.transaction() as tx:
        connection = await _locked(tx, merchant_id, connection_id)
        await _keep(tx, rt, connection, field, secret)
    _changed(rt, connection, "connection.secret_kept", field=field)


async def remove_secret(rt: Runtime, merchant_id: UUID, connection_id: UUID, *, field: str) -> None:
    """Forget a webhook secret: what it signed is refused, here at once and elsewhere within
    CACHE_TTL_S. Another one must be left. Raises InvalidRequest, NotFound."""
    async with rt.db.transaction() as tx:
        connection = await _locked(tx, merchant_id, connection_id)
        present = await vault.unseal_all(tx, rt, merchant_id, connection_id)
        live = [name for name in WEBHOOK_SECRETS if name in present]
        if field not in live:
            known = ", ".join(live) or "none"
            raise invalid("field", f"is not a webhook secret of this connection; it has {known}")
        if live == [field]:
            raise invalid("field", "is the last one, and nothing would verify: add another first")
        await queries.delete_secret(tx, merchant_id, connection_id, field)
    _changed(rt, connection, "connection.secret_removed", field=field)


async def disable_connection(rt: Runtime, merchant_id: UUID, connection_id: UUID) -> None:
    """Use it no more, neither for payments nor for notices. Raises NotFound."""
    async with rt.db.transaction() as tx:
        connection = await _locked(tx, merchant_id, connection_id)
        await queries.disable_connection(tx, merchant_id, connection_id, rt.clock())
    _changed(rt, connection, "connection.disabled")


async def connection_for_psp(rt: Runtime, merchant_id: UUID, psp: str | None) -> Connection:
    """The merchant's newest connection to this PSP, or to any. Raises PspUnavailable."""

    async def load() -> Connection | None:
        async with rt.db.statement() as tx:
            return await queries.newest_connection(tx, merchant_id, wanted)

    wanted = [name for name in rt.specs if psp in (None, name)]
    found = await cached(rt, ("connection_for_psp", merchant_id, psp), load) if wanted else None
    if found is None:
        sentence = f"no connection to {psp!r}" if psp else "no connection to any PSP yet"
        message = f"this merchant has {sentence}; connectors here are {_known(rt)}"
        raise PspUnavailable(errors=[FieldError("psp", message)])
    return found


async def stand_ins(rt: Runtime) -> set[tuple[str, Secret]]:
    """The PSPs that are programs on this machine: each address with the key of a tenant there."""
    async with rt.db.statement() as tx:
        connections = await queries.enabled_connections(tx)
        found = set()
        for each in connections:
            if each.api_base is None or not is_here(each.api_base):
                continue
            secrets = await vault.unseal_all(tx, rt, each.merchant_id, each.id)
            if "api_key" in secrets:
                found.add((each.api_base, secrets["api_key"]))
    return found


async def connector_of(rt: Runtime, connection_id: UUID) -> tuple[Connection, Connector]:
    """A connection ready for use. Raises NotFound if it is unknown or disabled."""

    async def load() -> tuple[Connection, Connector] | None:
        async with rt.db.statement() as tx:
            connection = await queries.connection_by_id(tx, connection_id)
            if connection is None:
                return None
            secrets = await vault.unseal_all(tx, rt, connection.merchant_id, connection_id)
        return connection, _built(rt, connection, secrets)

    found = await cached(rt, ("connector_of", connection_id), load)
    if found is None:
        raise NoSuchConnection
    return found


async def connector_with(
    rt: Runtime, merchant_id: UUID, connection_id: UUID, *, field: str, secret: Secret
) -> Connector:
    """The connector as it would be with another secret, to try it. Raises InvalidRequest,
    NotFound."""
    async with rt.db.statement() as tx:
        connection = await queries.connection_by_id(tx, connection_id)
        if connection is None or connection.merchant_id != merchant_id:
            raise NoSuchConnection
        secrets = await vault.unseal_all(tx, rt, merchant_id, connection_id)
    _check(rt, connection, field, secret)
    return _built(rt, connection, {**secrets, field: secret})


def _built(rt: Runtime, connection: Connection, secrets: Mapping[str, Secret]) -> Connector:
    spec = rt.specs[connection.psp]
    # What a PSP publishes is about its own servers, not about a stand-in at another address.
    published = None if connection.api_base else spec.rates.get(connection.mode)
    gate = rt.gates.of(connection.id, spec.name, published)
    name = ids.text("con", connection.id)
    return spec.build(Credentials(secrets, connection.api_base, name), rt.http, gate)


async def _locked(tx: Tx, merchant_id: UUID, connection_id: UUID) -> Connection:
    connection = await queries.lock_connection(tx, merchant_id, connection_id)
    if connection is None:
        raise NoSuchConnection
    return connection


async def _keep(tx: Tx, rt: Runtime, connection: Connection, field: str, secret: Secret) -> None:
    _check(rt, connection, field, secret)
    await vault.seal(
        tx, rt, connection.merchant_id, connection.id, field, secret.reveal(), rt.clock()
    )


def _check(rt: Runtime, connection: Connection, field: str, secret: Secret) -> None:
    spec = rt.specs[connection.psp]
    if mistakes := secret_mistakes(spec, connection.mode, field, secret):
        raise InvalidRequest(errors=mistakes)


def _changed(rt: Runtime, connection: Connection, what: str, **facts: str) -> None:
    """Committed: leave a trace, and use it here at once (elsewhere within CACHE_TTL_S)."""
    rt.cache.forget(("connector_of", connection.id))
    rt.cache.forget(("connection_for_psp", connection.merchant_id, connection.psp))
    rt.cache.forget(("connection_for_psp", connection.merchant_id, None))
    names = {
        "merchant": ids.text("mer", connection.merchant_id),
        "connection": ids.text("con", connection.id),
    }
    log.info(what, **names, psp=connection.psp, **facts)


def _known(rt: Runtime) -> str:
    return ", ".join(sorted(rt.specs)) or "none"
