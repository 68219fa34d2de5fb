"""A phase of load, and what was counted in each of its windows."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any

from bench import accounts
from bench.numbers import Buckets, between, read_buckets
from bench.programs import get
from bench.stage import Stage

SETTLE_S = 2.0  # before the first window: queues fill, connections open
DRAIN_S = 90.0
PAUSE_S = 0.25
OWN_SECONDS = "payloom_http_own_seconds"
REGISTER = {"route": "/v1/payment-orders", "method": "POST"}

Progress = Callable[[float, Mapping[str, int]], None]  # seconds gone, counts so far


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of the load generator, and for how long it is watched."""

    phase: str
    load: Mapping[str, object]
    seconds: float
    windows: int


@dataclass(frozen=True, slots=True)
class Sample:
    """All counters at one moment."""

    at: float
    counts: Mapping[str, int]
    cpu_s: Mapping[str, float]
    others_s: float  # CPU that neither these processes nor this one spent


@dataclass(frozen=True, slots=True)
class Window:
    """The difference of two samples."""

    seconds: float
    counts: Mapping[str, int]
    cpu_s: Mapping[str, float]
    others_s: float

    def rate(self, what: str) -> float:
        return self.counts[what] / self.seconds

    def cpu_ms(self, process: str) -> float:
        """Per payment completed in this window."""
        return 1000 * self.cpu_s[process] / max(1, self.counts["completed"])


@dataclass(slots=True)
class Phase:
    """One phase, over: `payments` as the load generator timed them, `own` as the API did."""

    plan: Plan
    began: datetime
    windows: list[Window] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    own: Buckets = field(default_factory=dict)
    ended: datetime | None = None

    def rate(self, what: str) -> float:
        """Per second: the median of the windows."""
        return median(window.rate(what) for window in self.windows)

    def cpu_ms(self, process: str) -> float:
        """Per completed payment: the median of the windows."""
        return median(window.cpu_ms(process) for window in self.windows)

    @property
    def others_percent(self) -> float:
        """How much of the machine's CPU went elsewhere: times by the clock suffer from it."""
        room = sum(window.seconds for window in self.windows) * len(os.sched_getaffinity(0))
        return 100 * max(0.0, sum(window.others_s for window in self.windows)) / room

    def seconds(self, step: str) -> list[float]:
        """How long payments took to a step, from when they were due."""
        return [payment[step] for payment in self.payments if payment[step] is not None]


def run_phase(stage: Stage, plan: Plan, progress: Progress) -> Phase:
    """Put the load on, watch it window by window, take it off and let all that is begun end."""
    own_before = _own_seconds(stage)
    phase = Phase(plan, datetime.now(UTC))
    stage.load.ask(**plan.load, phase=plan.phase)
    _wait(stage, SETTLE_S, lambda _: None)
    before = _sample(stage)
    began = before.at
    for number in range(1, plan.windows + 1):
        end = began + plan.seconds * number / plan.windows
        _wait(
            stage,
            end - time.monotonic(),
            lambda counts: progress(time.monotonic() - began, counts),
        )
        after = _sample(stage)
        phase.windows.append(_difference(before, after))
        before = after
    stage.load.ask(do="stop")
    _drain(stage)
    phase.ended = datetime.now(UTC)
    phase.payments = stage.load.ask(do="payments", phase=plan.phase)
    phase.own = between(own_before, _own_seconds(stage))
    return phase


def memory_mb(stage: Stage) -> dict[str, float]:
    """What each process holds now. PostgreSQL's many share one buffer, which counts once."""
    books = accounts.read_books()
    held = {name: accounts.resident_mb(books, pid) for name, pid in stage.pids.items()}
    return {**held, "PostgreSQL": accounts.proportional_mb(books, stage.pids["PostgreSQL"])}


def _wait(stage: Stage, seconds: float, look: Callable[[Mapping[str, int]], None]) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(PAUSE_S, left))
        stage.programs.check()
        look(stage.load.ask(do="count"))


def _drain(stage: Stage) -> None:
    deadline = time.monotonic() + DRAIN_S
    while stage.load.ask(do="count")["busy"] and time.monotonic() < deadline:
        stage.programs.check()
        time.sleep(PAUSE_S)


def _sample(stage: Stage) -> Sample:
    books = accounts.read_books()
    cpu_s = {name: accounts.cpu_seconds(books, pid) for name, pid in stage.pids.items()}
    others_s = accounts.busy_seconds() - sum(cpu_s.values()) - time.process_time()
    return Sample(time.monotonic(), stage.load.ask(do="count"), cpu_s, others_s)


def _difference(before: Sample, after: Sample) -> Window:
    return Window(
        seconds=after.at - before.at,
        counts={name: count - before.counts[name] for name, count in after.counts.items()},
        cpu_s={name: spent - before.cpu_s[name] for name, spent in after.cpu_s.items()},
        others_s=after.others_s - before.others_s,
    )


def _own_seconds(stage: Stage) -> Buckets:
    metrics = get(f"{stage.api_url}/metrics").decode()
    return read_buckets(metrics, OWN_SECONDS, **REGISTER)
