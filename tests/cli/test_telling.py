"""explain and ledger audit, on a payment order that went through."""

from tests.cli.conftest import Cli


async def test_an_unknown_payment_order_is_told(cli: Cli) -> None:
    told = await cli("explain", "po_01h45ytscbebyvny4gc8cr8ma2")
    assert (told.code, told.err) == (1, "payloom: There is no payment order with this id\n")
    assert (await cli("explain", "nonsense")).code == 1


async def test_books_without_entries_balance(cli: Cli) -> None:
    told = await cli("ledger", "audit", "--json")
    assert (told.code, told.json) == (0, {"ok": True, "findings": []})
    assert "The books balance" in (await cli("ledger", "audit")).out
