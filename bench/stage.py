"""Everything that is measured, up and connected to each other, and gone again afterwards."""

import asyncio
import os
import secrets
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import asyncpg

from bench.preload import Whose
from bench.programs import Programs, Talk, free_port, leave_in_good_order
from bench.shopper import Where
from payloom.core import ids, log, postgres
from payloom.core.secret import Secret
from payloom.embedded import opened
from payloom.merchants.connections import add_connection, add_secret
from payloom.merchants.merchants import create_merchant
from payloom.settings import Settings
from payloom.webhooks.endpoints import create_endpoint

# What the connector reads; an operator would subscribe to these at the PSP, and so do we.
NOTICES = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
)
API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True, slots=True)
class Stage:
    """One run: `pids` names the processes whose accounts are read, `load` is told what to do."""

    programs: Programs
    settings: Settings
    database_url: str  # the app role's, as the API and the worker connect
    api_url: str
    receiver_url: str
    notices_url: str
    notices_secret: Secret
    whose: Whose
    load: Talk
    pids: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Introduced:
    """What those who were made known to each other know."""

    where: Where
    whose: Whose
    notices_url: str
    notices_secret: Secret


@dataclass(frozen=True, slots=True)
class _Urls:
    api: str
    sandbox: str
    receiver: str


@contextmanager
def open_stage(*, with_return: bool) -> Iterator[Stage]:
    """Start it all in a temporary home; whatever happens, nothing of it stays."""
    signal.signal(signal.SIGTERM, leave_in_good_order)
    home = Path(tempfile.mkdtemp(prefix="payloom-bench-"))
    with Programs(home) as programs:
        database = _start_database(home)
        ports = [free_port() for _ in range(3)]
        urls = _Urls(*(f"http://127.0.0.1:{port}" for port in ports))
        environment = {
            "PAYLOOM_HOME": str(home),
            "PAYLOOM_PUBLIC_URL": urls.api,
            "PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes",
        }
        settings = Settings.from_env(environment)
        told, tell = os.pipe()
        started = {
            "sandbox": programs.start(
                "sandbox",
                ["payloom.cli", "sandbox", "--port", str(ports[1]),
                 "--store", str(home / "sandbox.sqlite")],
            ),
            "receiver": programs.start(
                "receiver", ["bench.receiver", str(ports[2]), str(tell)], pass_fds=(tell,)
            ),
        }  # fmt: skip
        programs.wait_ready("sandbox", f"{urls.sandbox}/healthz")
        programs.wait_ready("receiver", f"{urls.receiver}/count")
        known = asyncio.run(_introduce(settings, urls, with_return=with_return))
        for name, command in {
            "API": ["payloom.cli", "serve", "--port", str(ports[0])],
            "worker": ["payloom.cli", "worker"],
        }.items():
            started[name] = programs.start(name, command, settings=environment)
        programs.wait_ready("API", f"{urls.api}/readyz")
        started["load generator"] = programs.start(
            "load generator", ["bench.load", str(told)], pass_fds=(told,), talks=True
        )
        os.close(told)
        os.close(tell)
        load = Talk(started["load generator"])
        load.ask(do="begin", **asdict(known.where))
        assert database.pid is not None
        yield Stage(
            programs=programs,
            settings=settings,
            database_url=postgres.dsn(home),
            api_url=urls.api,
            receiver_url=urls.receiver,
            notices_url=known.notices_url,
            notices_secret=known.notices_secret,
            whose=known.whose,
            load=load,
            pids={
                "API": started["API"].pid,
                "worker": started["worker"].pid,
                "PostgreSQL": database.pid,
                **{name: started[name].pid for name in ("sandbox", "load generator", "receiver")},
            },
        )


def _start_database(home: Path) -> postgres.Postmaster:
    """A server that keeps what it acknowledges, and remembers when each transaction committed."""
    server = postgres.Postmaster(home, durable=True)
    server.start()
    server.wait_ready()
    asyncio.run(_remember_commits(postgres.dsn(home, role="superuser")))
    server.stop()
    server.start()
    server.wait_ready()
    return server


async def _remember_commits(superuser_url: str) -> None:
    """The one setting that differs from production: it is what the latency is read from."""
    connection = await asyncpg.connect(superuser_url)
    await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    await connection.close()


async def _introduce(settings: Settings, urls: _Urls, *, with_return: bool) -> _Introduced:
    """A merchant with its endpoint for all events, connected to the sandbox and the other way."""
    log.configure("WARNING")
    psp_key = "sk_test_" + secrets.token_hex(12)
    async with opened(settings) as rt:
        merchant = await create_merchant(rt, "Bench", "test")
        hooks = f"{urls.receiver}/hooks"
        endpoint = await create_endpoint(rt, merchant.merchant_id, "test", hooks, None)
        connection_id = await add_connection(
            rt, merchant.merchant_id, "stripe", {"api_key": Secret(psp_key)}, api_base=urls.sandbox
        )
        notices = f"{urls.api}/psp/stripe/{ids.text('con', connection_id)}/notices"
        secret = await _subscribe(urls.sandbox, psp_key, notices)
        await add_secret(rt, merchant.merchant_id, connection_id, secret)
    where = Where(
        api_url=urls.api,
        api_key=merchant.api_key.reveal(),
        sandbox_url=urls.sandbox,
        psp_key=psp_key,
        run=secrets.token_hex(4),
        with_return=with_return,
    )
    whose = Whose(merchant.merchant_id, connection_id, endpoint.id)
    return _Introduced(where, whose, notices, secret)


async def _subscribe(sandbox_url: str, psp_key: str, notices_url: str) -> Secret:
    wanted = {f"enabled_events[{number}]": name for number, name in enumerate(NOTICES)}
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{sandbox_url}/v1/webhook_endpoints",
            headers={"Authorization": f"Bearer {psp_key}"},
            data={"url": notices_url, "api_version": API_VERSION, **wanted},
        ) as response,
    ):
        endpoint = await response.json()
    return Secret(endpoint["secret"])
