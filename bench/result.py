"""What a run found out: plain values, for people (report.py) and for files (`--json`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from bench.measure import Phase
from bench.numbers import bucket_percentile, percentile
from bench.sweeping import Sweeping
from bench.truth import Outcome

OURS = ("API", "worker")  # what the CPU target is about


@dataclass(frozen=True, slots=True)
class Spread:
    """Of many times, in milliseconds; None where there were none."""

    p50: float | None
    p99: float | None

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        return cls(_ms(percentile(seconds, 50)), _ms(percentile(seconds, 99)))


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """Rates and CPU are medians of the windows, times are over all payments of the phase."""

    offered_per_s: float
    registered_per_s: float
    completed_per_s: float
    completed_by_window: list[float]
    cpu_ms: dict[str, float]  # per completed payment, by process
    cpu_ms_by_window: dict[str, list[float]]
    own_ms: Spread  # of a registration, the PSP's answer not counted
    register_ms: Spread  # the same as the shop sees it, the PSP's answer included
    notice_to_paid_ms: Spread
    told_ms: Spread  # from when the shopper set out until the shop was told
    others_percent: float  # of the machine's CPU, spent by programs that are none of ours
    payments: int
    broken: dict[str, int]  # what went wrong, how often

    @classmethod
    def of(cls, phase: Phase, notice_to_paid: Sequence[float]) -> Self:
        processes = phase.windows[0].cpu_s
        return cls(
            offered_per_s=phase.rate("offered"),
            registered_per_s=phase.rate("registered"),
            completed_per_s=phase.rate("completed"),
            completed_by_window=[window.rate("completed") for window in phase.windows],
            cpu_ms={process: phase.cpu_ms(process) for process in processes},
            cpu_ms_by_window={
                process: [window.cpu_ms(process) for window in phase.windows]
                for process in processes
            },
            own_ms=Spread(*(_ms(bucket_percentile(phase.own, each)) for each in (50, 99))),
            register_ms=Spread.of(phase.seconds("registered_s")),
            notice_to_paid_ms=Spread.of(notice_to_paid),
            told_ms=Spread.of(phase.seconds("told_s")),
            others_percent=phase.others_percent,
            payments=len(phase.payments),
            broken=_broken(phase),
        )


@dataclass(frozen=True, slots=True)
class Burst:
    """A PSP's backlog: how much of it was taken in, how fast, and what waits at the end."""

    stored: int
    refused: int
    seconds: float
    left: int


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU per payment, window by window, and how many webhooks came with one."""

    cpu_ms: list[float]
    webhooks: float

    @property
    def median_ms(self) -> float:
        return median(self.cpu_ms)


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """The sandbox by itself, as other projects run it in their tests."""

    ready_s: list[float]
    one_event: Cost
    all_events: Cost
    stored: int  # payments in its store when the memory is read
    store_mb: float
    memory_mb: float

    @property
    def median_ready_s(self) -> float:
        return median(self.ready_s)


@dataclass(frozen=True, slots=True)
class Result:
    """The whole run."""

    machine: Mapping[str, str]
    database: Mapping[str, str]
    preloaded: int  # orders that were there before
    steady_per_s: float
    in_flight: int
    with_return: bool
    steady: PhaseResult
    saturated: PhaseResult
    backlog: PhaseResult  # by the clock, while a burst of notices comes in
    burst: Burst
    sweeps: tuple[Sweeping, Sweeping]  # with one page open, and with very many
    memory_mb: Mapping[str, float]
    outcome: Outcome
    sandbox: SandboxResult


def _broken(phase: Phase) -> dict[str, int]:
    counted: dict[str, int] = {}
    for payment in phase.payments:
        problem = payment["problem"] or ("never finished" if payment["told_s"] is None else None)
        if problem is not None:
            counted[problem] = counted.get(problem, 0) + 1
    return counted


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
