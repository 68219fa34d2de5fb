"""explain and ledger audit: what operators ask about a payment, and about all of them."""

from dataclasses import replace
from datetime import datetime

from payloom.audit.invariants import BOOKS, INVARIANTS
from payloom.payments.model import Payment
from payloom.runtime import Runtime
from tests.cli.conftest import Cli
from tests.notices import given as givens
from tests.notices.given import Given


async def placed_as(given: Given, reference: str) -> Payment:
    payment = await given.unplaced()
    return await given.place(replace(payment, order=replace(payment.order, reference=reference)))


async def test_an_unknown_payment_order_is_told(cli: Cli) -> None:
    for wanted in ("po_01h45ytscbebyvny4gc8cr8ma2", "nonsense"):
        told = await cli("explain", wanted)
        unknown = "payloom: There is no payment order with this id or reference\n"
        assert (told.code, told.err) == (1, unknown)


async def test_a_payment_order_is_found_by_its_reference_too(cli: Cli, given: Given) -> None:
    payment = await placed_as(given, "W-1001")
    await placed_as(given, "W-10012")
    for wanted in (payment.order.public_id, "W-1001"):
        told = (await cli("explain", wanted, "--json")).json
        assert told["payment_order"]["id"] == payment.order.public_id


async def test_a_reference_of_several_merchants_is_told_with_their_orders(
    cli: Cli, given: Given
) -> None:
    mine = await placed_as(given, "W-1001")
    theirs = await placed_as(await givens.given(given.rt), "W-1001")
    told = await cli("explain", "W-1001")
    assert (told.code, told.out) == (1, "")
    first, *orders = told.err.splitlines()
    assert first == "payloom: Several merchants have a payment order W-1001:"
    ids = [payment.order.public_id for payment in (theirs, mine)]
    assert [order.split()[0] for order in orders] == ids
    assert all(order.endswith(", test") for order in orders)


async def test_a_story_is_told_in_utc_whatever_the_machine_thinks(cli: Cli, given: Given) -> None:
    payment = await placed_as(given, "W-1001")
    lines = (await cli("explain", "W-1001", TZ="Asia/Tokyo")).out.splitlines()
    at = datetime.fromisoformat(lines[1][:23] + "+00:00")
    assert 0 <= (payment.order.created_at - at).total_seconds() < 0.001
    assert lines[-1] == "Times are UTC."


async def test_books_without_entries_balance(cli: Cli) -> None:
    told = await cli("ledger", "audit", "--json")
    checked = [each.id for each in INVARIANTS if each.id in BOOKS]
    assert (told.code, told.json) == (0, {"ok": True, "checked": checked, "findings": []})
    shown = (await cli("ledger", "audit")).out
    assert shown == f"✓ The books balance: {len(checked)} invariants hold.\n"
    every = await cli("ledger", "audit", "--all")
    assert every.out == f"✓ The books balance: all {len(INVARIANTS)} invariants hold.\n"


async def test_what_is_broken_is_shown_and_counted(cli: Cli, given: Given, owner: Runtime) -> None:
    payment = await placed_as(given, "W-1001")
    async with owner.db.statement() as tx:
        await tx.execute("DELETE FROM jobs")  # nobody asks about it any more (I4)
        await tx.execute("UPDATE attempts SET created_at = created_at - interval '1 day'")
    told = await cli("ledger", "audit", "--all")
    assert told.code == 1
    assert payment.current.public_id in told.out
    assert told.out.endswith(f"✗ 1 of {len(INVARIANTS)} invariants are broken.\n")
