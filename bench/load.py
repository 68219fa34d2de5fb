"""`python -m bench.load`: shops and shoppers. Told what to do by lines of JSON on standard input.

    {"do": "begin", …}                             whom to drive: the fields of shopper.Where
    {"do": "open", "phase": …, "per_s": 15}        arrivals by a clock, whoever is still waiting
    {"do": "closed", "phase": …, "in_flight": 64}  so many shoppers at once, one after the other
    {"do": "stop"}                                 nobody new sets out
    {"do": "count"}, {"do": "payments", "phase": …}

Every line is answered by one. Order ids that the shop was told are paid come in on the descriptor
given as argument.
"""

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import asdict
from io import FileIO
from typing import Any

import aiohttp
import uvloop

from bench.shopper import Payment, Street, Where

TIMEOUT_S = 30.0


class Load:
    """The payments of one run, by phase."""

    def __init__(self, street: Street) -> None:
        self._street = street
        self._payments: list[Payment] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._running = False

    def open_loop(self, phase: str, per_s: float) -> None:
        self._running = True
        self._spawn(self._arrivals(phase, per_s))

    def closed_loop(self, phase: str, in_flight: int) -> None:
        self._running = True
        for _ in range(in_flight):
            self._spawn(self._one_after_the_other(phase))

    def stop(self) -> None:
        self._running = False

    def count(self) -> dict[str, int]:
        """How many payments got how far since the process began."""
        return {**self._street.counts, "busy": len(self._busy)}

    def payments(self, phase: str) -> list[dict[str, Any]]:
        return [asdict(payment) for payment in self._payments if payment.phase == phase]

    async def _arrivals(self, phase: str, per_s: float) -> None:
        """Each payment is timed from when it was due, so a late start here flatters nobody."""
        began, number = time.monotonic(), 0
        while self._running:
            due = began + number / per_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._spawn(self._pay(phase, due))
            number += 1

    async def _one_after_the_other(self, phase: str) -> None:
        while self._running:
            await self._pay(phase, time.monotonic())

    async def _pay(self, phase: str, due: float) -> None:
        payment = Payment(phase, due)
        self._payments.append(payment)
        await self._street.pay(payment, len(self._payments))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)


async def main(told: int) -> None:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        orders, _ = await _lines_of(told)
        asked, _ = await _lines_of(sys.stdin.fileno())
        begin = json.loads(await asked.readline())
        begin.pop("do")
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )
        street = Street(Where(**begin), http)
        load = Load(street)
        listening = loop.create_task(_listen(orders, street))
        _say({})
        while line := await asked.readline():
            _say(_obey(load, json.loads(line)))
        listening.cancel()


def _obey(load: Load, words: dict[str, Any]) -> Any:
    match words.pop("do"):
        case "open":
            load.open_loop(**words)
        case "closed":
            load.closed_loop(**words)
        case "stop":
            load.stop()
        case "count":
            return load.count()
        case "payments":
            return load.payments(**words)
    return {}


async def _listen(orders: asyncio.StreamReader, street: Street) -> None:
    while line := await orders.readline():
        street.told(line.decode().strip())


async def _lines_of(descriptor: int) -> tuple[asyncio.StreamReader, asyncio.BaseTransport]:
    reader = asyncio.StreamReader(limit=1 << 20)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), FileIO(descriptor)
    )
    return reader, transport


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main(int(sys.argv[1])))
