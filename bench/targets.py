"""What is to be reached, as data; and whether it was."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.result import OURS, Result, SandboxResult

SAME = 1.25  # of what it was: more is more than the noise of a shared machine
RATE_HELD = 0.98  # of what was offered: a payment that began before a window may end in it


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target. `measured` None: it could not be told."""

    target: str
    limit: float
    measured: float | None
    unit: str
    at_least: bool = False

    @property
    def is_met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def verdicts(result: Result) -> Iterator[Verdict]:
    """Every target of this benchmark, in the order in which they are shown."""
    steady, full = result.steady, result.saturated
    yield Verdict(
        f"{result.steady_per_s:g}/s offered, completed",
        result.steady_per_s * RATE_HELD,
        steady.completed_per_s,
        "/s",
        at_least=True,
    )
    yield Verdict("registration, own time, p99", 25, steady.own_ms.p99, "ms")
    yield Verdict("notice to order paid, p99", 250, steady.notice_to_paid_ms.p99, "ms")
    for what, before, meanwhile in (
        ("own time", steady.own_ms.p99, result.backlog.own_ms.p99),
        ("notice to paid", steady.notice_to_paid_ms.p99, result.backlog.notice_to_paid_ms.p99),
    ):
        yield Verdict(f"{what}, p99, during a backlog", 2, _ratio(meanwhile, before), "×")
    yield Verdict("notices of the backlog left", 0, result.burst.left, "")
    few, many = (each.ms for each in result.sweeps)
    pages = result.sweeps[1].open_pages
    yield Verdict(f"a sweep with {pages:,} open pages", SAME, _ratio(many, few), "×")
    spent = sum(full.cpu_ms[process] for process in OURS)
    yield Verdict("API + worker, saturated", 6, spent, "ms")
    for process in OURS:
        yield Verdict(f"memory of the {process}", 150, result.memory_mb[process], "MB")
    yield from sandbox_verdicts(result.sandbox)


def sandbox_verdicts(result: SandboxResult) -> Iterator[Verdict]:
    """What the sandbox is to reach by itself."""
    yield Verdict("sandbox, payment, one event", 3, result.one_event.median_ms, "ms")
    yield Verdict("sandbox, payment, all events", 6, result.all_events.median_ms, "ms")
    yield Verdict(f"sandbox, {result.stored:,} payments", 200, result.memory_mb, "MB")
    yield Verdict("sandbox, ready", 1, result.median_ready_s, "s")


def _ratio(after: float | None, before: float | None) -> float | None:
    return after / before if after is not None and before else None
