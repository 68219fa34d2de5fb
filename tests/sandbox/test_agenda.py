"""The agenda: a timer that fails neither stops the others nor is lost."""

import time

import pytest

from payloom.sandbox import agenda
from payloom.sandbox.agenda import SET_ASIDE_S, Timer
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant, Tx


def plan(rt: Runtime, tenant: Tenant, *refs: str) -> None:
    with rt.transaction(tenant) as tx:
        for at, ref in enumerate(refs):
            agenda.schedule(tx, "note", ref, tx.now - 10 + at)


def test_timers_run_in_the_order_they_were_due_at_their_own_time(
    rt: Runtime, tenant: Tenant
) -> None:
    ran: list[tuple[str, float]] = []

    def note(tx: Tx, timer: Timer) -> None:
        ran.append((timer.ref, tx.now - timer.due_at))
        agenda.finish(tx, timer)

    rt.agenda.handlers["note"] = note
    plan(rt, tenant, "a", "b", "c")
    rt.agenda.fire(tenant)
    rt.agenda.fire(tenant)
    assert ran == [("a", 0.0), ("b", 0.0), ("c", 0.0)]


def test_what_a_timer_adds_runs_in_its_turn_among_those_already_due(
    rt: Runtime, tenant: Tenant
) -> None:
    ran: list[str] = []

    def note(tx: Tx, timer: Timer) -> None:
        ran.append(timer.ref)
        agenda.finish(tx, timer)
        if timer.ref == "a":
            agenda.schedule(tx, "note", "between", timer.due_at + 0.5)
            agenda.schedule(tx, "note", "last", timer.due_at + 2.5)

    rt.agenda.handlers["note"] = note
    plan(rt, tenant, "a", "b", "c")
    rt.agenda.fire(tenant)
    assert ran == ["a", "between", "b", "c", "last"]


def test_a_timer_that_fails_gets_another_turn_and_the_others_run(
    rt: Runtime, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def note(tx: Tx, timer: Timer) -> None:
        if timer.ref == "bad" and "bad" not in ran:
            ran.append("bad")
            raise ValueError("not this time")
        agenda.finish(tx, timer)
        tx.after_commit.append(lambda: ran.append(f"{timer.ref} done"))

    rt.agenda.handlers["note"] = note
    plan(rt, tenant, "a", "bad", "c")
    rt.agenda.fire(tenant)
    assert ran == ["bad", "a done", "bad done", "c done"]
    assert "not this time" in caplog.text


def test_a_timer_that_always_fails_waits_a_minute(rt: Runtime, tenant: Tenant) -> None:
    tries: list[float] = []

    def note(tx: Tx, timer: Timer) -> None:
        tries.append(time.time())
        raise ValueError("never")

    rt.agenda.handlers["note"] = note
    plan(rt, tenant, "bad")
    rt.agenda.fire(tenant)
    assert len(tries) == 2  # together with others, then by itself
    rt.agenda.fire(tenant)
    assert len(tries) == 2
    rt.tenants.advance(tenant, SET_ASIDE_S + 1)
    rt.agenda.fire(tenant)
    assert len(tries) == 4


def test_what_a_transaction_rolls_back_is_not_on_the_agenda(rt: Runtime, tenant: Tenant) -> None:
    def fail() -> None:
        with rt.transaction(tenant) as tx:
            agenda.schedule(tx, "note", "x", tx.now)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    rt.agenda.fire(tenant)  # would fail for want of a handler
