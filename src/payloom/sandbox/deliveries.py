"""Delivers webhooks: each delivery is a timer that is kept until a 2xx answer or the last try."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import aiohttp

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.faults import Fault
from payloom.sandbox.store import Tenant, Tx
from payloom.sandbox.tries import NOT_SENT, Outcome

if TYPE_CHECKING:
    from payloom.sandbox.runtime import Runtime

TIMEOUT_S = 20
ERROR_MAX = 200
HELD_S = 2.0  # how long `hook_reorder` waits for another delivery to overtake


@dataclass(frozen=True, slots=True)
class Letter:
    url: str
    headers: Mapping[str, str]
    body: bytes
    event_type: str


class Sender(Protocol):
    """What one PSP knows about its webhooks. `ref` is `{event id} {endpoint id}`."""

    def compose(self, tx: Tx, ref: str, *, forged: bool) -> Letter | None:
        """The signed request, None when the endpoint no longer wants it."""

    def pauses_s(self, tenant: Tenant) -> Sequence[int]:
        """Before each further try, in sandbox time."""

    def delivered(self, tx: Tx, ref: str) -> None:
        """The endpoint took it."""

    def gave_up(self, tx: Tx, ref: str) -> None:
        """The endpoint did not take it, and there is no further try."""


class Deliveries:
    def __init__(self, rt: "Runtime") -> None:
        self._rt = rt
        self._senders: dict[str, Sender] = {}
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}  # by event id
        self._overtaken: dict[str, asyncio.Event] = {}  # by endpoint id
        self._put_off: set[tuple[int, float]] = set()  # timer and when it is due: delayed enough
        self._client: aiohttp.ClientSession | None = None

    def register(self, kind: str, sender: Sender) -> None:
        self._senders[kind] = sender
        self._rt.agenda.handlers[kind] = self._start_when_committed

    def start(self, tx: Tx, kind: str, ref: str) -> None:
        """Write the delivery down and send it as soon as the transaction has committed."""
        timer = agenda.schedule_running(tx, kind, ref)
        self._start_when_committed(tx, timer)

    async def first_try(self, event_id: str, timeout_s: float) -> None:
        """Wait until every endpoint has answered the event once, or the time is up."""
        if tasks := self._tasks.get(event_id):
            await asyncio.wait(tasks, timeout=timeout_s)

    async def settle(self, tenant: Tenant, timeout_s: float) -> None:
        """Wait until none of this tenant's is under way, or the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while tasks := self._under_way(tenant):
                    await asyncio.wait(tasks)

    def _under_way(self, tenant: Tenant) -> list[asyncio.Task[None]]:
        name = _whose(tenant)
        return [task for group in self._tasks.values() for task in group if task.get_name() == name]

    async def close(self) -> None:
        tasks = [task for group in self._tasks.values() for task in group]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def _start_when_committed(self, tx: Tx, timer: Timer) -> None:
        tx.after_commit.append(partial(self._begin, tx.tenant, timer))

    def _begin(self, tenant: Tenant, timer: Timer) -> None:
        topic = timer.ref.partition(" ")[0]
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._deliver(tenant, timer), name=_whose(tenant))
        group = self._tasks.setdefault(topic, set())
        group.add(task)
        task.add_done_callback(partial(self._ended, topic))

    def _ended(self, topic: str, task: asyncio.Task[None]) -> None:
        group = self._tasks[topic]
        group.discard(task)
        if not group:
            del self._tasks[topic]

    async def _deliver(self, tenant: Tenant, timer: Timer) -> None:
        sender = self._senders[timer.kind]
        letter = sender.compose(self._reading(tenant), timer.ref, forged=False)
        if letter is None:
            with self._rt.transaction(tenant) as tx:
                agenda.finish(tx, timer)
            return
        fault = self._fault(tenant, timer, letter)
        effect = fault.effect if fault else ""
        if fault and self._held_back(tenant, timer, letter, fault):
            return
        if fault and effect == "hook_reorder":
            await self._wait_to_be_overtaken(timer, fault)
        if effect == "hook_missign":
            letter = sender.compose(self._reading(tenant), timer.ref, forged=True) or letter
        outcomes = [await self._post(letter)]
        if effect == "hook_duplicate":
            outcomes.append(await self._post(letter))
        if effect != "hook_reorder":
            self._overtake(timer)
        self._record(tenant, timer, letter, effect, outcomes)

    def _fault(self, tenant: Tenant, timer: Timer, letter: Letter) -> Fault | None:
        """What was ordered for this try; one that comes from a delay has had its fault."""
        if (timer.id, timer.due_at) in self._put_off:
            self._put_off.discard((timer.id, timer.due_at))
            return None
        path = urlsplit(letter.url).path
        return self._rt.faults.take_for_hook(tenant, path, letter.event_type)

    def _reading(self, tenant: Tenant) -> Tx:
        """For reads alone: nothing is begun, nothing to commit."""
        return self._rt.open_tx(tenant, self._rt.now(tenant))

    def _held_back(self, tenant: Tenant, timer: Timer, letter: Letter, fault: Fault) -> bool:
        """Lost for good, or put off: either way nothing is sent now."""
        if fault.effect == "hook_lose":
            with self._rt.transaction(tenant) as tx:
                self._write(tx, timer, letter, fault.effect, NOT_SENT)
                agenda.finish(tx, timer)
                self._senders[timer.kind].gave_up(tx, timer.ref)
            return True
        if fault.effect == "hook_delay":
            with self._rt.transaction(tenant) as tx:
                self._write(tx, timer, letter, fault.effect, NOT_SENT)
                due_at = tx.now + (fault.delay_s or HELD_S)
                self._put_off.add((timer.id, due_at))
                agenda.postpone(tx, timer, due_at, timer.attempt)
            return True
        return False

    async def _wait_to_be_overtaken(self, timer: Timer, fault: Fault) -> None:
        endpoint = timer.ref.partition(" ")[2]
        event = self._overtaken.setdefault(endpoint, asyncio.Event())
        try:
            await asyncio.wait_for(event.wait(), fault.delay_s or HELD_S)
        except TimeoutError:
            return  # nothing else was sent meanwhile

    def _overtake(self, timer: Timer) -> None:
        event = self._overtaken.pop(timer.ref.partition(" ")[2], None)
        if event is not None:
            event.set()

    async def _post(self, letter: Letter) -> Outcome:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                connector=aiohttp.TCPConnector(limit=200),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        began = time.perf_counter()
        try:
            async with self._client.post(
                letter.url, data=letter.body, headers=letter.headers, allow_redirects=False
            ) as answer:
                await answer.content.read(65_536)
                return Outcome(answer.status, None, _ms_since(began))
        except TimeoutError:
            return Outcome(None, f"no answer within {TIMEOUT_S} s", _ms_since(began))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = str(error)[:ERROR_MAX] or type(error).__name__
            return Outcome(None, reason, _ms_since(began))

    def _record(
        self, tenant: Tenant, timer: Timer, letter: Letter, effect: str, outcomes: list[Outcome]
    ) -> None:
        sender = self._senders[timer.kind]
        pauses_s = sender.pauses_s(tenant)
        taken = any(outcome.is_taken for outcome in outcomes)
        is_last = timer.attempt >= len(pauses_s)
        with self._rt.transaction(tenant) as tx:
            if taken or is_last:
                is_known = agenda.finish(tx, timer)
            else:
                due_at = tx.now + pauses_s[timer.attempt]
                is_known = agenda.postpone(tx, timer, due_at, timer.attempt + 1)
            if not is_known:
                return  # all of it was forgotten meanwhile
            for outcome in outcomes:
                self._write(tx, timer, letter, effect, outcome)
            if taken:
                sender.delivered(tx, timer.ref)
            elif is_last:
                sender.gave_up(tx, timer.ref)

    def _write(self, tx: Tx, timer: Timer, letter: Letter, effect: str, outcome: Outcome) -> None:
        self._rt.tries.write(
            tx,
            timer.ref,
            type_=letter.event_type,
            url=letter.url,
            attempt=timer.attempt,
            effect=effect,
            outcome=outcome,
        )


def _whose(tenant: Tenant) -> str:
    return f"delivery of {tenant.id}"


def _ms_since(began: float) -> float:
    return round(1000 * (time.perf_counter() - began), 1)
