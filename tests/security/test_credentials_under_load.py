"""A connection's API key and webhook secret change while shops sell and the PSP tells: nothing
fails that should not, what was removed opens no door. Steps as in docs/how-to/rotate-keys.md."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import stripe

from payloom.core.crypto import new_key
from payloom.core.master_keys import written
from payloom.runtime import CACHE_TTL_S
from tests.conftest import cluster_dsn
from tests.security.front import open_front
from tests.security.house import House, opened
from tests.security.load import Shop, endpoint, loading, more_than, psp, set_up

FORGED = "whsec_" + "f" * 32


@dataclass(slots=True)
class Teller:
    """Tells of things under several secrets without end, and keeps how each was answered."""

    http: aiohttp.ClientSession
    url: str
    under: dict[str, str]  # name of a secret → the secret
    phase: str = ""
    answers: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    async def tell(self) -> None:
        for name, secret in list(self.under.items()):
            phase, event_id = self.phase, f"evt_{secrets.token_hex(12)}"
            status = await self._send(event_id, secret)
            (self.accepted if status == 200 else self.refused).add(event_id)
            if phase == self.phase:  # else nobody can say which it had to be
                self.answers.setdefault((phase, name), []).append(status)

    async def enter(self, phase: str) -> None:
        """From now on answers belong to this phase; until there are enough of each."""
        self.phase = phase
        for _ in range(1_200):
            if all(len(self.answers.get((phase, name), ())) >= 5 for name in self.under):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(self.answers)

    def seen(self) -> dict[str, dict[str, set[int]]]:
        """The statuses of every phase, by the secret's name."""
        found: dict[str, dict[str, set[int]]] = {}
        for (phase, name), statuses in self.answers.items():
            found.setdefault(phase, {})[name] = set(statuses)
        return found

    async def _send(self, event_id: str, secret: str) -> int:
        body = json.dumps(
            {"id": event_id, "object": "event", "type": "customer.updated", "livemode": False,
             "created": int(time.time()), "data": {"object": {"id": "cus_1"}}}
        )  # fmt: skip
        header = stripe.WebhookSignature.generate_signature_header(body, secret)
        async with self.http.post(
            self.url, data=body, headers={"Stripe-Signature": header}
        ) as response:
            return response.status


@asynccontextmanager
async def telling(url: str, **under: str) -> AsyncIterator[Teller]:
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        teller, is_over = Teller(http, url, under), asyncio.Event()

        async def go_on() -> None:
            while not is_over.is_set():
                await teller.tell()
                await asyncio.sleep(0.05)

        going = asyncio.create_task(go_on())
        try:
            yield teller
        finally:
            is_over.set()
            await going


async def caches_are_fresh() -> None:
    """As long as a process may go on with what it has read."""
    await asyncio.sleep(CACHE_TTL_S + 1)


@pytest.mark.timeout(900)
async def test_an_api_key_is_rolled_and_no_order_notices(tmp_path: Path, dsn: str) -> None:
    async with (
        open_front() as front,
        house_on(tmp_path, dsn, front.url) as house,
    ):
        (shop,), sandbox = await furnished(house, front.behind, front.url)
        connection = (shop.connection, "api_key", "--merchant", shop.merchant)
        replace = ("connections", "replace-secret", *connection)
        async with loading(front.url, sandbox, [shop]) as load, aiohttp.ClientSession() as http:
            await more_than(load, "return", 3)
            stranger = "sk_test_" + secrets.token_hex(12)
            refused = await house.run(*replace, STRIPE_API_KEY=stranger)
            assert refused.code == 1
            assert "A key of another account" in refused.err
            await more_than(load, "return", 3)

            fresh = (await psp(http, sandbox, shop.psp_key, "/_sandbox/keys", data={}))["key"]
            done = await house.done(*replace, STRIPE_API_KEY=fresh)
            assert done == {
                "connection_id": shop.connection, "replaced": "api_key", "tried": True
            }  # fmt: skip
            old, shop.psp_key = shop.psp_key, fresh
            await caches_are_fresh()
            headers = {"Authorization": f"Bearer {old}"}
            async with http.delete(f"{sandbox}/_sandbox/keys", headers=headers) as response:
                assert response.status == 200
            await more_than(load, "return", 5)
        logs = [log.read_text() for log in house.logs.glob("*.log")]
        assert not [log for log in logs if "psp.key_refused" in log]
        assert not [log for log in logs if old in log or fresh in log or stranger in log]


@pytest.mark.timeout(900)
async def test_a_webhook_secret_is_rolled_and_no_notice_is_lost_or_forged(
    tmp_path: Path, dsn: str, database: str
) -> None:
    async with (
        open_front() as front,
        house_on(tmp_path, dsn, front.url) as house,
    ):
        (shop,), sandbox = await furnished(house, front.behind, front.url)
        url = f"{front.url}/psp/stripe/{shop.connection}/notices"
        merchant = ("--merchant", shop.merchant)
        async with (
            loading(front.url, sandbox, [shop]) as load,
            aiohttp.ClientSession() as http,
            telling(url, old=shop.psp_secret, forged=FORGED) as teller,
        ):
            await teller.enter("before")
            old_endpoint = shop.psp_endpoint
            shop.psp_endpoint, new = await endpoint(http, sandbox, shop.psp_key, url)
            add = ("connections", "add-secret", shop.connection, *merchant)
            assert await house.done(*add, STRIPE_WEBHOOK_SECRET=new) == {
                "connection_id": shop.connection, "kept_as": "webhook_secret_2"
            }  # fmt: skip
            await caches_are_fresh()
            teller.under["new"] = new
            await teller.enter("both")
            await more_than(load, "return", 3)

            headers = {"Authorization": f"Bearer {shop.psp_key}"}
            gone = f"{sandbox}/v1/webhook_endpoints/{old_endpoint}"
            async with http.delete(gone, headers=headers) as response:
                assert response.status == 200
            remove = ("connections", "remove-secret", shop.connection, "webhook_secret", *merchant)
            teller.phase = "changing"
            await house.done(*remove)
            await caches_are_fresh()
            await teller.enter("after")
            await more_than(load, "return", 3)
        seen = teller.seen()
        assert seen["before"] == {"old": {200}, "forged": {400}}
        assert seen["both"] == {"old": {200}, "new": {200}, "forged": {400}}
        assert seen["after"] == {"old": {400}, "new": {200}, "forged": {400}}
        stored = await stored_notices(cluster_dsn("owner", database))
        assert teller.accepted <= stored
        assert not teller.refused & stored


async def stored_notices(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT psp_event FROM notices")
    await connection.close()
    return {row["psp_event"] for row in rows}


@asynccontextmanager
async def house_on(folder: Path, dsn: str, public_url: str) -> AsyncIterator[House]:
    settings = {
        "PAYLOOM_DATABASE_URL": dsn,
        "PAYLOOM_PUBLIC_URL": public_url,
        "PAYLOOM_MASTER_KEY": written([new_key()], ","),
    }
    async with opened(folder / "house", **settings) as house:
        yield house


async def furnished(house: House, behind: list[str], public_url: str) -> tuple[list[Shop], str]:
    """Two API processes, a worker, a sandbox and one shop."""
    sandbox = await house.start("sandbox", "sandbox", "--port", "0")
    for name in ("api-1", "api-2"):
        behind.append((await house.start(name, "serve", "--port", "0")).url)
    await house.start("worker", "worker")
    dsn, key = (house.environment[f"PAYLOOM_{name}"] for name in ("DATABASE_URL", "MASTER_KEY"))
    return await set_up(dsn, key, count=1, api=public_url, sandbox=sandbox.url), sandbox.url
