"""The gate that every call of one connection passes: pace, breaker, budget, and who goes first.

One per connection and process, so that a PSP that hangs holds up nobody else's calls (F20). It
outlives the connectors, which are built anew every few seconds, and knows nothing of payments.
While nothing waits, a call passes in a few microseconds.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from payloom.connectors.breaker import PROBE_WAIT_S, Breaker
from payloom.connectors.budget import Budget
from payloom.connectors.call import Call, Verdict
from payloom.connectors.errors import NotSent
from payloom.connectors.line import Line, Waiting
from payloom.connectors.pace import SLOW_S, Bucket, Rates, Window
from payloom.connectors.urgency import Urgency, present
from payloom.core.metrics import PSP_LIMITED, PSP_NOT_SENT, PSP_WAIT_SECONDS

log = structlog.get_logger()

DEADLINE_S = 10.0  # a whole call: its turn, connect, send, every byte of the answer
SHOPPERS_WAIT_S = 5.0
OTHERS_WAIT_S = 1.0
OTHERS_AT_ONCE = 10  # calls that nobody waits for, on their way or in line
# How long others wait until they may come near: a PSP that answers lets all in, one that hangs
# holds none of a worker's jobs for longer.
CROWD_WAIT_S = 0.1
_TICK_S = 0.001


class Gate:
    """`enter` before each call, `leave` after it. `name` is for logs, `psp` for metrics."""

    def __init__(
        self,
        name: str,
        psp: str,
        rates: Rates,
        *,
        clock: Callable[[], float] = time.monotonic,
        deadline_s: float = DEADLINE_S,
        breaker: Breaker | None = None,
    ) -> None:
        self.name, self.psp, self.deadline_s = name, psp, deadline_s
        self.breaker = breaker or Breaker()
        self._clock = clock
        self._window, self._budget, self._line = Window(), Budget(), Line()
        self._rates = rates
        self._account = Bucket(rates.account, clock())
        self._endpoints: dict[str, Bucket] = {}  # a verb is one endpoint
        self._places = asyncio.Semaphore(OTHERS_AT_ONCE)
        self._timer: asyncio.TimerHandle | None = None

    def is_idle(self) -> bool:
        """Nobody is here, and nothing it knows would be missed for long."""
        return self.breaker.is_closed and not self._line and not self._window.used

    async def enter(self, verb: str) -> Call:
        """Wait for our turn. Raises NotSent when it will not come, or not soon enough."""
        urgency, now = present(), self._clock()
        if self.breaker.holds_back(now):
            raise self._not_sent("breaker", "it does not answer at present")
        if urgency is not Urgency.SHOPPER:
            await self._let_near(urgency)
            now = self._clock()
        if not self._line and self._may_go(verb, now):
            return self._go(verb, urgency, now)
        waiting = Waiting(verb, urgency)
        try:
            return await self._wait(waiting)
        except BaseException:
            self._line.drop(waiting)
            self._give_up(waiting)
            raise
        finally:
            PSP_WAIT_SECONDS.labels(self.psp).observe(self._clock() - now)

    def leave(self, call: Call) -> None:
        """The call is over: learn from how it went, and let the next ones in."""
        now = self._clock()
        self._window.used -= 1
        if call.urgency is not Urgency.SHOPPER:
            self._places.release()
        self._learn(call, now)
        if self._line:
            self._look()

    # --- who goes ----------------------------------------------------------------------------

    async def _let_near(self, urgency: Urgency) -> None:
        """Of what nobody waits for only so much, or one connection had all of a worker's jobs."""
        try:
            async with asyncio.timeout(CROWD_WAIT_S):
                await self._places.acquire()
        except TimeoutError:
            raise self._not_sent("crowd", "enough of what nobody waits for is on its way") from None
        if urgency is Urgency.REPEAT and not self._budget.take(self._clock()):
            self._places.release()
            raise self._not_sent("budget", "too much that was asked again went unanswered")

    def _may_go(self, verb: str, now: float) -> bool:
        is_open = self._window.has_room() and self.breaker.lets_pass(now)
        return is_open and not self._pause_s(verb, now)

    def _pause_s(self, verb: str, now: float) -> float:
        return max(self._account.wait_s(now), self._endpoint(verb).wait_s(now))

    def _endpoint(self, verb: str) -> Bucket:
        bucket = self._endpoints.get(verb)
        if bucket is None:
            bucket = self._endpoints[verb] = Bucket(self._rates.endpoint, self._clock())
        return bucket

    def _go(self, verb: str, urgency: Urgency, now: float) -> Call:
        self._window.used += 1
        self._account.take()
        self._endpoint(verb).take()
        if urgency is not Urgency.REPEAT:
            self._budget.first_try()
        return Call(verb, urgency, now, self.breaker.begin(now))

    # --- the line ----------------------------------------------------------------------------

    async def _wait(self, waiting: Waiting) -> Call:
        if not self._line.join(waiting):
            raise self._not_sent("queue", "too many wait already")
        self._look()
        is_shopper = waiting.urgency is Urgency.SHOPPER
        patience_s = SHOPPERS_WAIT_S if is_shopper else OTHERS_WAIT_S
        if not self.breaker.is_closed:
            patience_s = min(patience_s, PROBE_WAIT_S)
        try:
            async with asyncio.timeout(patience_s):
                return await waiting.turn
        except TimeoutError:
            raise self._not_sent("queue", "its turn did not come in time") from None

    def _give_up(self, waiting: Waiting) -> None:
        if waiting.has_come():  # just now, and nobody is there to go
            self.leave(waiting.turn.result())
            return
        if waiting.urgency is not Urgency.SHOPPER:
            self._places.release()
        if waiting.urgency is Urgency.REPEAT:
            self._budget.not_sent()

    def _look(self) -> None:
        """Let those go whose turn it is, and look again when the next one's will be."""
        now = self._clock()
        while (waiting := self._next(now)) is not None:
            self._line.let_in(waiting, self._go(waiting.verb, waiting.urgency, now))
        verbs = {waiting.verb for waiting in self._line}
        pauses = [pause for verb in verbs if (pause := self._pause_s(verb, now))]
        if pauses and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(min(pauses), _TICK_S), self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._look()

    def _next(self, now: float) -> Waiting | None:
        """The first in line that may go. Who waits for another endpoint stands in nobody's way."""
        blocked: set[str] = set()
        for waiting in self._line:
            if waiting.verb not in blocked:
                if self._may_go(waiting.verb, now):
                    return waiting
                blocked.add(waiting.verb)
        return None

    # --- what a call teaches -----------------------------------------------------------------

    def _learn(self, call: Call, now: float) -> None:
        match call.verdict:
            case Verdict.ANSWERED:
                self._learn_from_answer(call, now)
            case Verdict.LIMITED:
                self._learn_from_limit(call, now)
            case Verdict.BROKEN:
                self._learn_from_failure(call, now)
            case None:
                self.breaker.abandoned(is_probe=call.is_probe)

    def _learn_from_answer(self, call: Call, now: float) -> None:
        if now - call.began < SLOW_S:
            self._window.widen()
        else:
            self._window.narrow(call.began, now)
        if call.urgency is Urgency.REPEAT:
            self._budget.answered()
        self._is_back(call)

    def _learn_from_limit(self, call: Call, now: float) -> None:
        PSP_LIMITED.labels(self.psp, call.verb).inc()
        endpoint = self._endpoint(call.verb)
        if endpoint.slow_down(call.began, now):
            rate = round(endpoint.rate, 1)
            log.warning("psp.slowed_down", connection=self.name, verb=call.verb, per_s=rate)
        self._is_back(call)

    def _learn_from_failure(self, call: Call, now: float) -> None:
        self._window.narrow(call.began, now)
        if self.breaker.failed(now, is_probe=call.is_probe):
            log.warning("psp.breaker_opened", connection=self.name, psp=self.psp, verb=call.verb)
        if self.breaker.holds_back(now):
            for waiting in self._line.empty():
                waiting.turn.set_exception(self._not_sent("breaker", "it does not answer"))

    def _is_back(self, call: Call) -> None:
        if self.breaker.answered(is_probe=call.is_probe):
            log.info("psp.breaker_closed", connection=self.name, psp=self.psp, verb=call.verb)

    def _not_sent(self, why: str, text: str) -> NotSent:
        PSP_NOT_SENT.labels(self.psp, why).inc()
        return NotSent(f"not sent to {self.psp}: {text}")
