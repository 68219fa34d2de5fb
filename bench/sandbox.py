"""`python -m bench.sandbox [--quick]`: the sandbox by itself, in a process of its own.

What it must never be is the bottleneck of somebody's tests: how soon it is ready, what a payment
costs it, and how much memory it takes when very many are in its store.
"""

import argparse
import asyncio
import secrets
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from rich.console import Console

from bench import accounts
from bench.programs import NotRunning, Programs, leave_in_good_order
from bench.report import show_sandbox
from bench.result import Cost, SandboxResult

STARTS = 5
WINDOWS = 7
AT_ONCE = 8
CARD = {
    "type": "card",
    "card[number]": "4242424242424242",
    "card[exp_month]": "12",
    "card[exp_year]": "2034",
    "card[cvc]": "123",
}
ORDER = {
    "mode": "payment",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "1999",
    "line_items[0][price_data][product_data][name]": "Blue mug",
    "line_items[0][quantity]": "1",
    "success_url": "http://127.0.0.1/paid?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://127.0.0.1/cart",
}
COMPLETED = "checkout.session.completed"


def measure(*, quick: bool) -> SandboxResult:
    """Everything about the sandbox. Raises NotRunning when it ends before its time."""
    with _programs() as programs:
        return _measure(programs, *((100, 10_000) if quick else (300, 100_000)))


def _measure(programs: Programs, per_window: int, stored: int) -> SandboxResult:
    ready_s = [_started(programs, f"start {n}")[0] for n in range(STARTS)]
    _, sandbox = _started(programs, "sandbox, one event")
    one = asyncio.run(_cost(sandbox, [COMPLETED], per_window))
    sandbox.end()
    _, sandbox = _started(programs, "sandbox, all events")
    every = asyncio.run(_cost(sandbox, ["*"], per_window))
    sandbox.end()
    have = per_window * (WINDOWS + 1)
    _multiply(sandbox.store, stored // have)
    _, full = _started(programs, "sandbox, full", sandbox.store)
    asyncio.run(_cost(full, ["*"], per_window // 3))
    memory = accounts.resident_mb(accounts.read_books(), full.pid)
    full.end()
    return SandboxResult(
        ready_s=ready_s,
        one_event=one,
        all_events=every,
        stored=stored // have * have,
        store_mb=full.store.stat().st_size / accounts.MEGABYTE,
        memory_mb=memory,
    )


@dataclass(frozen=True, slots=True)
class _Sandbox:
    url: str
    pid: int
    store: Path
    programs: Programs
    name: str

    def end(self) -> None:
        self.programs.end(self.name)


def _started(programs: Programs, name: str, store: Path | None = None) -> tuple[float, _Sandbox]:
    """A sandbox, and the seconds from its start to the line that says it is ready."""
    path = store or programs.home / f"{name.replace(' ', '-')}.sqlite"
    began = time.perf_counter()
    command = ["payloom.cli", "sandbox", "--port", "0", "--store", str(path)]
    child = programs.start(name, command, talks=True)
    assert child.stdout is not None
    line = child.stdout.readline().decode()
    took = time.perf_counter() - began
    if "ready" not in line:
        raise NotRunning(f"{name} did not become ready")
    sandbox = _Sandbox(line.rpartition(" ")[2].strip(), child.pid, path, programs, name)
    if name.startswith("start "):
        sandbox.end()
    return took, sandbox


async def _cost(sandbox: _Sandbox, events: list[str], per_window: int) -> Cost:
    """What payments cost it, some at once; those of the first window only warm it up."""
    async with _shop(sandbox, events) as shop:
        cpu_ms = []
        for _ in range(WINDOWS + 1):
            before = accounts.cpu_seconds(accounts.read_books(), sandbox.pid)
            await shop.sell(per_window)
            spent = accounts.cpu_seconds(accounts.read_books(), sandbox.pid) - before
            cpu_ms.append(1000 * spent / per_window)
        return Cost(cpu_ms[1:], shop.delivered / (per_window * (WINDOWS + 1)))


class _Shop:
    """A merchant's endpoint, and shoppers who pay there: both in this process."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url = url
        self._http = http
        self._key = {"Authorization": f"Bearer sk_test_{secrets.token_hex(12)}"}
        self._told = asyncio.Event()
        self._told_of = 0
        self.delivered = 0

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.delivered += 1
        if COMPLETED.encode() in body:
            self._told_of += 1
            self._told.set()
        return web.Response()

    async def subscribe(self, url: str, events: list[str]) -> None:
        wanted = {f"enabled_events[{n}]": name for n, name in enumerate(events)}
        await self._post("webhook_endpoints", {"url": url, **wanted})

    async def sell(self, count: int) -> None:
        """So many payments, and their webhooks delivered."""
        wanted = self._told_of + count
        left = iter(range(count))
        await asyncio.gather(*(self._shopper(left) for _ in range(AT_ONCE)))
        while self._told_of < wanted:
            self._told.clear()
            await asyncio.wait_for(self._told.wait(), 30)

    async def _shopper(self, left: Iterator[int]) -> None:
        for _ in left:
            session = await self._post("checkout/sessions", ORDER)
            method = await self._post("payment_methods", CARD)
            paid = {"payment_method": method}
            await self._post(f"payment_pages/{session}/confirm", paid)

    async def _post(self, path: str, form: dict[str, str]) -> str:
        headers = {**self._key, "Idempotency-Key": secrets.token_hex(16)}
        async with self._http.post(f"{self._url}/v1/{path}", data=form, headers=headers) as answer:
            body = await answer.json()
            if answer.status != 200:
                raise NotRunning(f"the sandbox answered {answer.status}: {body}")
            return str(body["id"])


@asynccontextmanager
async def _shop(sandbox: _Sandbox, events: list[str]) -> AsyncIterator[_Shop]:
    async with aiohttp.ClientSession() as http:
        shop = _Shop(sandbox.url, http)
        app = web.Application()
        app.router.add_post("/hook", shop.take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await shop.subscribe(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", events)
        try:
            yield shop
        finally:
            await runner.cleanup()


def _multiply(store: Path, times: int) -> None:
    """Copy every row until there are so many payments: their bytes count, not what they say."""
    copies = {
        "objects": ("tenant, kind, id || '_' || n, created, parent || '_' || n, body",
                    "tenant, kind, id, created, parent, body"),
        "events": ("tenant, id || '_' || n, type, created, undelivered, body",
                   "tenant, id, type, created, undelivered, body"),
        "timers": ("tenant, due_at + 864000, kind, ref || '_' || n",
                   "tenant, due_at, kind, ref"),
        "answers": ("tenant, key || '_' || n, path, fingerprint, request_id, status, body, at",
                    "tenant, key, path, fingerprint, request_id, status, body, at"),
    }  # fmt: skip
    numbers = (
        f"WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {times - 1})"
    )
    with closing(sqlite3.connect(store)) as db, db:
        for table, (values, columns) in copies.items():
            db.execute(
                f"INSERT INTO {table} ({columns}) {numbers} SELECT {values} FROM {table}, c"
                + (" WHERE kind <> 'webhook_endpoint'" if table == "objects" else "")
            )


@contextmanager
def _programs() -> Iterator[Programs]:
    signal.signal(signal.SIGTERM, leave_in_good_order)
    home = Path(tempfile.mkdtemp(prefix="payloom-bench-sandbox-"))
    try:
        with Programs(home) as programs:
            yield programs
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sandbox")
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    show_sandbox(Console(), measure(quick=quick))


if __name__ == "__main__":
    main()
