"""When money becomes available and is paid out: once a day, whatever was paid that day."""

import time

from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.stripe.balance import funds, payout_settings, transactions
from tests.sandbox.merchant import DAY

MIDNIGHT = int(time.time()) // DAY * DAY + DAY


def paid(rt: Runtime, tenant: Tenant, at: float, amount: int, *, waits: bool = False) -> None:
    source = {"id": f"ch_{amount}", "currency": "usd"}
    with rt.store.transaction():
        transactions.book(rt.open_tx(tenant, at), "charge", source, amount, waits=waits)


def run_to(rt: Runtime, tenant: Tenant, now: float) -> list[tuple[int, int]]:
    """All that is due by then has happened; when payouts were made, and of how much."""
    rt.tenants.advance(tenant, now - rt.now(tenant))
    rt.agenda.fire(tenant)
    return rt.store.db.execute(
        "SELECT created, body ->> '$.amount' FROM objects WHERE kind = 'payout' ORDER BY seq"
    ).fetchall()


def planned(rt: Runtime) -> list[tuple[str, float]]:
    return rt.store.db.execute("SELECT kind, due_at FROM timers ORDER BY due_at").fetchall()


def test_the_payments_of_a_day_share_one_timer_and_then_there_is_none(
    rt: Runtime, tenant: Tenant
) -> None:
    for amount in (500, 700):
        paid(rt, tenant, MIDNIGHT + amount, amount, waits=True)
    arrival = (funds.ARRIVE, MIDNIGHT + 2 * DAY)
    assert planned(rt) == [arrival]
    for amount in (1000, -300, 2000):
        paid(rt, tenant, MIDNIGHT + 2000, amount)
    assert planned(rt) == [(payout_settings.DAILY, MIDNIGHT + DAY), arrival]
    assert run_to(rt, tenant, MIDNIGHT + 9 * DAY) == [
        (MIDNIGHT + DAY, 2700), (MIDNIGHT + 2 * DAY, 1200),
    ]  # fmt: skip
    assert planned(rt) == []


def test_money_that_only_leaves_has_no_payout_on_the_agenda(rt: Runtime, tenant: Tenant) -> None:
    paid(rt, tenant, MIDNIGHT + 1, -300)
    assert planned(rt) == []


def test_what_came_after_a_midnight_that_is_late_is_paid_out_at_the_next(
    rt: Runtime, tenant: Tenant
) -> None:
    paid(rt, tenant, MIDNIGHT - 9, 500)
    paid(rt, tenant, MIDNIGHT + 1.2, 700)
    assert run_to(rt, tenant, MIDNIGHT + 2) == [(MIDNIGHT, 500)]
    assert run_to(rt, tenant, MIDNIGHT + DAY + 2) == [(MIDNIGHT, 500), (MIDNIGHT + DAY, 700)]


def test_a_late_midnight_pays_out_nothing_where_it_found_a_debt(
    rt: Runtime, tenant: Tenant
) -> None:
    for amount in (500, -800):
        paid(rt, tenant, MIDNIGHT - 9, amount)
    paid(rt, tenant, MIDNIGHT + 1.2, 700)
    assert run_to(rt, tenant, MIDNIGHT + 2) == []
    assert run_to(rt, tenant, MIDNIGHT + DAY + 2) == [(MIDNIGHT + DAY, 400)]


def test_each_key_has_midnights_of_its_own(rt: Runtime, tenant: Tenant) -> None:
    other = rt.tenants.of_key("sk_test_midnight00002")
    assert other is not None
    paid(rt, tenant, MIDNIGHT - 9, 500)
    paid(rt, other, MIDNIGHT - 9, 700)
    paid(rt, tenant, MIDNIGHT - 9, 60, waits=True)
    paid(rt, other, MIDNIGHT - 9, 80, waits=True)
    first, second = (MIDNIGHT, 500), (MIDNIGHT + DAY, 60)
    assert run_to(rt, tenant, MIDNIGHT + DAY + 1) == [first, second]
    assert run_to(rt, other, MIDNIGHT + DAY + 1) == [
        first, second, (MIDNIGHT, 700), (MIDNIGHT + DAY, 80),
    ]  # fmt: skip
