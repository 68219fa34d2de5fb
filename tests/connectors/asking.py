"""A PSP on the other side of a gate, and those who ask it."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from payloom.connectors import breaker
from payloom.connectors.breaker import Breaker
from payloom.connectors.errors import NotSent
from payloom.connectors.gate import Gate
from payloom.connectors.pace import Rates
from payloom.connectors.urgency import Urgency, calling_as
from tests.virtual_time import now

UNLIMITED = Rates()


def a_gate(rates: Rates = UNLIMITED, *, trip_at: int = breaker.TRIP_AT) -> Gate:
    return Gate("con_1", "acme", rates, clock=now, breaker=Breaker(trip_at=trip_at))


class Psp:
    """What is on the other side: answers `status` after `takes_s`, None being no answer at all."""

    def __init__(self, gate: Gate, *, status: int | None = 200, takes_s: float = 0.1) -> None:
        self.gate, self.status, self.takes_s = gate, status, takes_s
        self.asked: list[tuple[float, str]] = []
        self.not_sent = 0

    async def ask(self, verb: str = "register", urgency: Urgency = Urgency.SHOPPER) -> bool:
        """Whether it was asked. Whatever it answers, the gate hears of it."""
        with calling_as(urgency):
            try:
                call = await self.gate.enter(verb)
            except NotSent:
                self.not_sent += 1
                return False
        self.asked.append((now(), verb))
        try:
            await asyncio.sleep(self.takes_s)
            call.answered(503 if self.status is None else self.status)
        finally:
            self.gate.leave(call)
        return True

    async def all(self, count: int) -> list[bool]:
        return await asyncio.gather(*(self.ask() for _ in range(count)))


def gaps(psp: Psp) -> list[float]:
    """Seconds from each call to the next."""
    return [later - earlier for (earlier, _), (later, _) in pairwise(psp.asked)]


def most_in_a_second(times: Sequence[float]) -> int:
    return max(sum(1 for other in times if t <= other < t + 1) for t in times)


async def most_at_once(psp: Psp, count: int) -> int:
    """How many of so many calls made together are on their way at once."""
    calls = [asyncio.create_task(psp.ask()) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    begun = len(psp.asked)
    await asyncio.gather(*calls)
    return begun


async def broken(psp: Psp) -> None:
    """Let it fail until the breaker opens."""
    psp.status = None
    while psp.gate.breaker.is_closed:
        await psp.ask()
