"""The run's result as tables on the terminal."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.result import OURS, PhaseResult, Result, SandboxResult
from bench.targets import Verdict, sandbox_verdicts, verdicts

FINDINGS_SHOWN = 10


def show(console: Console, result: Result) -> None:
    """Conditions, measurements, targets, and what became of every payment."""
    console.print()
    for title, facts in (("machine", result.machine), ("database", result.database)):
        words = ", ".join(f"{name} {value}" for name, value in facts.items())
        console.print(f"[dim]{title}: {words}", highlight=False)
    console.print(_payments(result))
    console.print(_processes(result))
    console.print(_others(result))
    console.print(_sandbox(result.sandbox))
    console.print(_targets(verdicts(result)))
    _show_broken(console, (result.steady, result.saturated))
    _show_outcome(console, result)


def _payments(result: Result) -> Table:
    table = _table(
        "Payments (times: p50 · p99)",
        f"{result.steady_per_s:g}/s by the clock",
        f"{result.in_flight} at once",
        f"{result.steady_per_s:g}/s and a backlog",
    )
    phases = (result.steady, result.saturated, result.backlog)
    for row in zip(*map(_figures, phases), strict=True):
        table.add_row(row[0][0], *(figure for _, figure in row))
    return table


def _figures(phase: PhaseResult) -> Iterator[tuple[str, str]]:
    yield "offered", f"{phase.offered_per_s:.1f}/s"
    yield "registered", f"{phase.registered_per_s:.1f}/s"
    yield "completed (the shop was told)", f"{phase.completed_per_s:.1f}/s"
    for name, spread in (
        ("registration, own time", phase.own_ms),
        ("registration, PSP included", phase.register_ms),
        ("notice to order paid", phase.notice_to_paid_ms),
        ("shopper sets out, shop told", phase.told_ms),
    ):
        yield name, f"{_number(spread.p50)} · {_number(spread.p99)} ms"
    yield "the machine, busy with other things", f"{phase.others_percent:.0f} %"


def _processes(result: Result) -> Table:
    steady, full = result.steady.cpu_ms, result.saturated.cpu_ms
    table = _table("CPU per payment", "steady", "saturated", "memory at the end")
    for name, memory in result.memory_mb.items():
        table.add_row(name, f"{steady[name]:.2f} ms", f"{full[name]:.2f} ms", f"{memory:.0f} MB")
    for name, processes in (("API + worker", OURS), ("all together", result.memory_mb)):
        sums = (sum(phase[process] for process in processes) for phase in (steady, full))
        table.add_row(f"[bold]{name}", *(f"[bold]{each:.2f} ms" for each in sums), "")
    return table


def _others(result: Result) -> Table:
    table = _table("Besides", "")
    table.add_row("orders that were there before", f"{result.preloaded:,}")
    burst = result.burst
    rate = burst.stored / burst.seconds if burst.seconds else 0.0
    table.add_row("backlog of notices, taken in", f"{burst.stored:,} at {rate:.0f}/s")
    for sweeping in result.sweeps:
        pages = f"a sweep with {sweeping.open_pages:,} open"
        spent = f"{sweeping.own_ms:.2f} + {sweeping.database_ms:.2f} ms CPU"
        table.add_row(f"{pages} (own + PostgreSQL)", spent)
    return table


def show_sandbox(console: Console, result: SandboxResult) -> None:
    """The sandbox's part alone."""
    console.print(_sandbox(result))
    console.print(_targets(sandbox_verdicts(result)))


def _sandbox(result: SandboxResult) -> Table:
    table = _table("The sandbox by itself", "median", "windows or starts")
    for name, cost in (("one event", result.one_event), ("all events", result.all_events)):
        windows = " ".join(f"{each:.2f}" for each in cost.cpu_ms)
        webhooks = f"{cost.webhooks:.1f} webhooks"
        table.add_row(f"payment, {name} ({webhooks})", f"{cost.median_ms:.2f} ms", windows)
    starts = " ".join(f"{each:.2f}" for each in result.ready_s)
    table.add_row("from start to ready", f"{result.median_ready_s:.2f} s", starts)
    stored = f"memory, {result.stored:,} payments stored"
    table.add_row(stored, f"{result.memory_mb:.0f} MB", f"{result.store_mb:.0f} MB on disk")
    return table


def _targets(targets: Iterable[Verdict]) -> Table:
    table = _table("Targets", "to reach", "measured", "")
    words = {True: "[green]met", False: "[red]not met", None: "[yellow]not measured"}
    for verdict in targets:
        table.add_row(
            verdict.target,
            f"{'≥' if verdict.at_least else '≤'} {verdict.limit:.4g} {verdict.unit}",
            f"{_number(verdict.measured)} {verdict.unit}",
            words[verdict.is_met],
        )
    return table


def _show_broken(console: Console, phases: Iterable[PhaseResult]) -> None:
    for phase in phases:
        for problem, times in phase.broken.items():
            console.print(f"[red]{times} × {escape(problem)}")


def _show_outcome(console: Console, result: Result) -> None:
    outcome = result.outcome
    for count, what in (
        (outcome.lost, "paid at the PSP, but not here"),
        (outcome.forgotten, "acknowledged, but not in the database"),
        (outcome.left_waiting, "notices or deliveries still wait"),
        (outcome.untold, "events never reached the shop"),
    ):
        if count:
            console.print(f"[red]{count} {what}")
    for finding in outcome.findings[:FINDINGS_SHOWN]:
        console.print(f"[red]{finding.invariant} {finding.what}: {escape(finding.detail)}")
    if outcome.is_good:
        console.print(
            f"[green]No payment was lost, and the books balance:[/] {outcome.orders} orders,"
            f" {outcome.rules} rules of the audit."
        )


def _table(*columns: str) -> Table:
    first, *rest = columns
    table = Table()
    table.add_column(first, no_wrap=True)
    for column in rest:
        table.add_column(column, justify="right")
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
