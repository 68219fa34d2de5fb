"""The demo as a whole: everything brought up in order, as much at once as the order allows."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import aiohttp

from payloom import embedded
from payloom.core.master_keys import MasterKeys
from payloom.core.migrate import migrate, migrations
from payloom.demo import programs
from payloom.demo.children import DatabaseServer
from payloom.demo.home import Home, write_private
from payloom.demo.ports import Ports
from payloom.demo.progress import Progress
from payloom.demo.setup import Setup
from payloom.demo.state import State
from payloom.demo.supervisor import Supervisor
from payloom.runtime import running
from payloom.settings import Settings

DATABASE, MIGRATIONS, KEY = "Database", "Migrations", "Master key"
SANDBOX, MERCHANT, CONNECTION = "PSP sandbox", "Merchant", "Connection"
WEBHOOKS_IN, WEBHOOKS_OUT = "Webhooks in", "Webhooks out"
API, WORKER, SHOP = "API", "Worker", "Shop"
TITLES = (
    *(DATABASE, MIGRATIONS, KEY, SANDBOX, MERCHANT, CONNECTION),
    *(WEBHOOKS_IN, WEBHOOKS_OUT, API, WORKER, SHOP),
)


@dataclass(slots=True)
class Stack:
    """One demo on one home."""

    settings: Settings
    home: Home
    ports: Ports
    state: State
    supervisor: Supervisor
    progress: Progress

    async def start(self) -> dict[str, str]:
        """Bring everything up; the facts that demo.json then holds. Raises DemoError."""
        self.home.facts.unlink(missing_ok=True)  # scripts wait for it, and then for nothing else
        self.state.ports = self.ports
        self._save()
        async with asyncio.TaskGroup() as tasks:
            sandbox = tasks.create_task(self._sandbox())
            url = await self._database()
            with self.progress.step(KEY) as line:
                keys = await embedded.ensure_key(self.settings, url)
                line.detail = str(self.settings.home / "master.key")
            tasks.create_task(self._api(url, keys))
            tasks.create_task(self._worker(url, keys))
            await self._set_up(url, keys, sandbox)
            with self.progress.step(SHOP) as line:
                await self.supervisor.start(programs.shop(self.home, self.ports, self.state))
                line.detail = self.ports.shop_url
        facts = self._facts(url)
        write_private(self.home.facts, json.dumps(facts, indent=2) + "\n")
        return facts

    async def stop(self) -> None:
        """The shop first, since it asks the API, and the database last."""
        await self.supervisor.stop({"shop"}, {"api", "worker"}, {"sandbox"}, {"database"})

    async def _database(self) -> str:
        with self.progress.step(DATABASE) as line:
            await self.supervisor.start(DatabaseServer(self.settings.home))
            url = await asyncio.to_thread(embedded.database_url, self.settings)
            line.detail = "PostgreSQL, embedded"
        with self.progress.step(MIGRATIONS) as line:
            owner = await asyncio.to_thread(embedded.database_url, self.settings, "owner")
            with embedded.reaching():
                fresh = await migrate(owner)
            line.detail = f"{len(fresh)} applied" if fresh else f"all {len(migrations())} there"
        return url

    async def _sandbox(self) -> None:
        with self.progress.step(SANDBOX) as line:
            await self.supervisor.start(programs.sandbox(self.home, self.ports))
            line.detail = self.ports.sandbox_url

    async def _api(self, url: str, keys: MasterKeys) -> None:
        with self.progress.step(API) as line:
            await self.supervisor.start(programs.api(self.home, self.ports, url, keys))
            line.detail = self.ports.api_url

    async def _worker(self, url: str, keys: MasterKeys) -> None:
        with self.progress.step(WORKER) as line:
            await self.supervisor.start(programs.worker(self.home, self.ports, url, keys))
            line.detail = "notices, deliveries, jobs"

    async def _set_up(self, url: str, keys: MasterKeys, sandbox: "asyncio.Task[None]") -> None:
        settings = replace(
            self.settings, public_url=self.ports.api_url, webhooks_to_loopback=True, database_pool=2
        )
        async with running(settings, url, keys) as rt, aiohttp.ClientSession() as http:
            setup = Setup(rt, http, self.ports, self.state, self._save)
            await self._step(MERCHANT, setup.merchant, lambda: self.state.merchant_id)
            await self._step(CONNECTION, setup.connection, lambda: self.state.connection_id)
            await sandbox
            await self._step(WEBHOOKS_IN, setup.webhooks_to_us, lambda: "sandbox → API")
            await self._step(WEBHOOKS_OUT, setup.webhooks_to_shop, lambda: "worker → shop")

    async def _step(
        self, title: str, work: Callable[[], Awaitable[bool]], what: Callable[[], str]
    ) -> None:
        with self.progress.step(title) as line:
            is_new = await work()
            line.detail = what() if is_new else f"{what()}, as before"

    def _facts(self, url: str) -> dict[str, str]:
        return {
            "api_url": self.ports.api_url,
            "shop_url": self.ports.shop_url,
            "sandbox_url": self.ports.sandbox_url,
            "merchant_id": self.state.merchant_id,
            "api_key": self.state.api_key,
            "return_secret": self.state.return_secret,
            "psp_api_key": self.state.psp_api_key,
            "psp_webhook_secret": self.state.psp_webhook_secret,
            "database_url": url,
        }

    def _save(self) -> None:
        self.state.save(self.home.state)
