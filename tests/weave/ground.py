"""What pairs are played on: one merchant, a PSP in memory, and a runtime for each flow."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import asyncpg

from payloom.core import jobs
from payloom.core.cache import Cache
from payloom.core.crypto import new_key
from payloom.core.db import Database
from payloom.core.master_keys import MasterKeys
from payloom.merchants.auth import Caller
from payloom.merchants.connections import add_connection, connection_for_psp, connector_of
from payloom.merchants.merchants import create_merchant, return_secret
from payloom.notices.apply import apply_waiting
from payloom.payments import queries
from payloom.payments.model import Payment
from payloom.payments.wanted import WantedOrder
from payloom.runtime import Runtime
from payloom.settings import Settings
from payloom.webhooks.deliver import Outlet, open_outlet
from payloom.webhooks.endpoints import create_endpoint, signing_secrets
from payloom.worker import HANDLERS
from tests.weave.loom import Loom, Strand
from tests.weave.psp import NAME, Psp
from tests.weave.stepping import SteppingDatabase
from tests.webhooks.receiver import Receiver, open_receiver

FOR_EVER_S = 1e9
NOW = timedelta(seconds=10)  # after the endpoint was made: no event is as young as that
LATER = timedelta(minutes=1)  # more than any pause before a look-up or a parked notice


@dataclass(slots=True)
class Side:
    """One flow's own: a process, as it were."""

    rt: Runtime
    outlet: Outlet
    strand: Strand


@dataclass(slots=True)
class Ground:
    """`rt` sets up and looks, `later` does what follows, `one` and `other` are led by `loom`."""

    rt: Runtime
    later: Runtime
    one: Side
    other: Side
    loom: Loom
    psp: Psp
    caller: Caller
    receiver: Receiver
    orders: int = 0

    def wanted(self) -> WantedOrder:
        """A fresh order to be."""
        self.orders += 1
        return WantedOrder.model_validate(
            {
                "reference": f"W-{self.orders}",
                "amount": 4999,
                "currency": "EUR",
                "return_url": "http://127.0.0.1/shop",
            }
        )

    async def payment(self, reference: str) -> Payment:
        async with self.rt.db.statement() as tx:
            found = await queries.payment_by_reference(tx, self.caller.merchant_id, reference)
        assert found is not None, reference
        return found


@asynccontextmanager
async def open_ground(dsn: str, owner_dsn: str) -> AsyncIterator[Ground]:
    """Everything connected, every cache warm: a flow's statements are its own alone."""
    told = {"PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes", "PAYLOOM_SWEEP": "yes", "HOME": "."}
    settings = Settings.from_env(told)
    keys, psp = MasterKeys([new_key()]), Psp()
    strands = (Strand("one"), Strand("other"))
    free = Strand("free")  # nobody leads it
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        receiver = await stack.enter_async_context(open_receiver())
        observer = await asyncpg.connect(owner_dsn)
        stack.push_async_callback(observer.close)

        async def runtime(strand: Strand) -> Runtime:
            db = await Database.connect(dsn, size_max=4)
            stack.push_async_callback(db.close)
            rt = Runtime(settings, SteppingDatabase(db, strand), http, keys)
            rt.specs = {NAME: psp.connector(strand)}
            rt.cache = Cache(ttl_s=FOR_EVER_S)
            return rt

        rt, later, one, other = [await runtime(each) for each in (free, free, *strands)]
        caller = await _merchant(rt, receiver)
        for each, offset in ((rt, NOW), (later, LATER), (one, NOW), (other, NOW)):
            each.clock.offset = offset
            await _warm(each, caller)
        outlets = [await stack.enter_async_context(open_outlet(each)) for each in (one, other)]
        yield Ground(
            rt,
            later,
            Side(one, outlets[0], strands[0]),
            Side(other, outlets[1], strands[1]),
            Loom(observer, strands),
            psp,
            caller,
            receiver,
        )


async def rest(ground: Ground) -> None:
    """What follows a minute later: parked notices, and what the PSP is to be asked."""
    rt = ground.later
    while await apply_waiting(rt, limit=100):
        pass
    async with rt.db.statement() as tx:
        due = await jobs.claim(tx, rt.clock(), limit=100)
    for job in due:
        again_at = await HANDLERS[job.kind](rt, job)
        async with rt.db.statement() as tx:
            if again_at is not None:
                await jobs.run_again(tx, job, again_at)
            else:
                await jobs.finish(tx, job)


async def _merchant(rt: Runtime, receiver: Receiver) -> Caller:
    made = await create_merchant(rt, "Corner Shop", "test")
    await add_connection(rt, made.merchant_id, NAME, {})
    await create_endpoint(rt, made.merchant_id, "test", receiver.url, None)
    return Caller(made.merchant_id, "test", made.merchant_id, frozenset())


async def _warm(rt: Runtime, caller: Caller) -> None:
    connection = await connection_for_psp(rt, caller.merchant_id, None)
    await connector_of(rt, connection.id)
    await return_secret(rt, caller.merchant_id)
    async with rt.db.statement() as tx:
        for row in await tx.fetch("SELECT id FROM webhook_endpoints"):
            await signing_secrets(rt, caller.merchant_id, row["id"])
