"""One run, top to bottom: warm up, 15 payments a second, as many as it takes, then the truth."""

import asyncio
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bench import truth
from bench.measure import Phase, Plan, memory_mb, run_phase
from bench.preload import preload
from bench.programs import Talk
from bench.result import Burst, PhaseResult, Result
from bench.sandbox import measure
from bench.stage import Stage, open_stage
from bench.sweeping import Sweeping, cost_of_a_sweep
from payloom.core import postgres

STEADY_PER_S = 15


@dataclass(frozen=True, slots=True)
class Size:
    """How much was there before, and how much comes at once."""

    paid: int
    open_pages: int
    backlog: int  # notices


FULL, QUICK = Size(900_000, 100_000, 20_000), Size(40_000, 10_000, 5_000)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    quick: bool
    in_flight: int
    with_return: bool


def run(options: Options, console: Console) -> Result:
    """Measure. Raises NotRunning when a process ends before its time."""
    size = QUICK if options.quick else FULL
    console.print("The sandbox by itself: starts, payments, then a store that is full …")
    sandbox = measure(quick=options.quick)
    console.print("Starting database, API, worker, sandbox, receiver and load generator …")
    with open_stage(with_return=options.with_return) as stage:
        with _progress(console) as progress:
            sweeps = _fill(stage, size, progress)
            events_before = truth.count_events(stage)
            *warm_up, steady, full = (_with_bar(stage, plan, progress) for plan in _plans(options))
            backlog = _with_backlog(stage, options, size, progress)
        console.print("Letting everything come to its end, then auditing …")
        memory = memory_mb(stage)
        phases = (*warm_up, steady, full, backlog.phase)
        payments = [payment for phase in phases for payment in phase.payments]
        return Result(
            machine=_machine(stage),
            database=truth.settings_of(stage),
            preloaded=size.paid + size.open_pages,
            steady_per_s=STEADY_PER_S,
            in_flight=options.in_flight,
            with_return=options.with_return,
            steady=_result(stage, steady),
            saturated=_result(stage, full),
            backlog=_result(stage, backlog.phase),
            burst=backlog.burst,
            sweeps=sweeps,
            memory_mb=memory,
            sandbox=sandbox,
            outcome=truth.outcome_of(
                stage,
                acknowledged={each["order"] for each in payments if each["order"]},
                confirmed={each["order"] for each in payments if each["confirmed_s"] is not None},
                events_before=events_before,
            ),
        )


def _fill(stage: Stage, size: Size, progress: Progress) -> tuple[Sweeping, Sweeping]:
    """A day's orders; and what a sweep costs with one page open, then with very many."""
    _preload(stage, progress, f"{size.paid:,} paid, 1 open", paid=size.paid, open_pages=1)
    few = cost_of_a_sweep(stage, 1)
    _preload(stage, progress, f"{size.open_pages:,} open", paid=0, open_pages=size.open_pages - 1)
    return few, cost_of_a_sweep(stage, size.open_pages)


def _preload(stage: Stage, progress: Progress, what: str, *, paid: int, open_pages: int) -> None:
    bar = progress.add_task(f"loading {what}", total=paid + open_pages, counts="")
    superuser_url = postgres.dsn(stage.programs.home, role="superuser")
    asyncio.run(
        preload(
            superuser_url,
            stage.whose,
            paid=paid,
            open_pages=open_pages,
            show=lambda done: progress.update(bar, completed=done),
        )
    )


@dataclass(frozen=True, slots=True)
class _Backlog:
    phase: Phase
    burst: Burst


def _with_backlog(stage: Stage, options: Options, size: Size, progress: Progress) -> _Backlog:
    """Payments by the clock, while the PSP sends its backlog as fast as it is taken."""
    clocked = {"do": "open", "per_s": STEADY_PER_S}
    seconds = 20 if options.quick else 60
    plan = Plan("by the clock, and a backlog", clocked, seconds, 4 if options.quick else 6)
    psp = Talk(stage.programs.start("PSP", ["bench.burst"], talks=True))
    psp.say(
        url=stage.notices_url,
        secret=stage.notices_secret.reveal(),
        sessions=truth.sessions_of_the_day(stage, size.backlog),
    )
    phase = _with_bar(stage, plan, progress)
    return _Backlog(phase, Burst(**psp.hear(), left=truth.count_waiting(stage)))


def _plans(options: Options) -> Iterator[Plan]:
    clocked = {"do": "open", "per_s": STEADY_PER_S}
    crowd = {"do": "closed", "in_flight": options.in_flight}
    quick = options.quick
    yield Plan("warming up", clocked, 2 if quick else 5, 1)
    yield Plan("warming up, many at once", crowd, 2 if quick else 5, 1)
    yield Plan(f"{STEADY_PER_S}/s by the clock", clocked, 15 if quick else 60, 3 if quick else 6)
    yield Plan("as many as it takes", crowd, 10 if quick else 30, 5 if quick else 10)


def _with_bar(stage: Stage, plan: Plan, progress: Progress) -> Phase:
    bar = progress.add_task(plan.phase, total=plan.seconds, counts="")

    def show(gone: float, counts: Mapping[str, int]) -> None:
        words = f"{counts['completed']} paid, {counts['broken']} broken"
        progress.update(bar, completed=gone, counts=words)

    phase = run_phase(stage, plan, show)
    progress.update(bar, completed=plan.seconds)
    return phase


def _result(stage: Stage, phase: Phase) -> PhaseResult:
    assert phase.ended is not None
    return PhaseResult.of(phase, truth.notice_to_paid(stage, phase.began, phase.ended))


def _machine(stage: Stage) -> dict[str, str]:
    models = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    return {
        "cores": f"{len(os.sched_getaffinity(0))} ({', '.join(sorted(models)) or 'unknown'})",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB",
        "file system": truth.file_system_of(stage.programs.home),
        "Python": platform.python_version(),
        "load before": f"{os.getloadavg()[2]:.1f}",
    }


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    with Progress(
        TextColumn("{task.description:<26}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[counts]}"),
        console=console,
    ) as progress:
        yield progress
