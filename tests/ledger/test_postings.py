"""The recipes: facts in, balances out, as the database keeps them."""

from uuid import UUID

import asyncpg
import pytest

from payloom.core import ids
from payloom.core.money import Money
from payloom.ledger import postings, queries
from payloom.ledger.chart import Account
from payloom.ledger.post import ToPost, post
from payloom.ledger.postings import Entry, Posting, Unbalanced
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime

CONNECTION = ids.new()
EUR, PART = Money(4999, "EUR"), Money(2000, "EUR")


async def balances(rt: Runtime, *facts: Posting) -> dict[str, int]:
    """Account → balance after these facts; debit positive."""
    merchant = (await create_merchant(rt, "Corner Shop", "test")).merchant_id
    await write(rt, merchant, *facts)
    async with rt.db.statement() as tx:
        return {row.code: row.balance for row in await queries.balances(tx, merchant)}


async def write(rt: Runtime, merchant: UUID, *facts: Posting) -> None:
    now = rt.clock()
    async with rt.db.transaction() as tx:
        await post(tx, [ToPost(merchant, None, fact, now) for fact in facts], now)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (["captured"], {"psp_receivable": 4999, "merchant_pending": -4999}),
        (["suspense"], {"psp_receivable": 4999, "suspense": -4999}),
        (["suspense", "returned"], {"psp_receivable": 0, "suspense": 0}),
        (
            ["captured", "promised", "given"],
            {"psp_receivable": 2999, "merchant_pending": -2999, "refunds_in_flight": 0},
        ),
        (
            ["captured", "promised", "released"],
            {"psp_receivable": 4999, "merchant_pending": -4999, "refunds_in_flight": 0},
        ),
        (
            ["captured", "promised", "given", "came_back"],
            {"psp_receivable": 4999, "merchant_pending": -4999, "refunds_in_flight": 0},
        ),
        (
            ["captured", "withdrawn", "lost"],
            {"psp_receivable": 0, "merchant_pending": 0, "dispute_reserve": 0},
        ),
        (
            ["captured", "withdrawn", "won"],
            {"psp_receivable": 4999, "merchant_pending": -4999, "dispute_reserve": 0},
        ),
    ],
)
async def test_facts_leave_these_balances(
    rt: Runtime, facts: list[str], expected: dict[str, int]
) -> None:
    recipes = {
        "captured": postings.captured("att_1", CONNECTION, EUR),
        "suspense": postings.suspense("att_1", CONNECTION, EUR),
        "returned": postings.money_returned("rfd_1", CONNECTION, EUR),
        "promised": postings.refund_started("rfd_2", PART),
        "given": postings.refund_succeeded("rfd_2", CONNECTION, PART),
        "released": postings.refund_released("rfd_2", PART),
        "came_back": postings.refund_failed("rfd_2", CONNECTION, PART, was_surplus=False),
        "withdrawn": postings.dispute_opened("txn_1", CONNECTION, EUR),
        "won": postings.dispute_won("txn_2", CONNECTION, EUR),
        "lost": postings.dispute_lost("dsp_1", EUR),
    }
    assert await balances(rt, *(recipes[fact] for fact in facts)) == expected


async def test_a_fact_is_posted_at_most_once(rt: Runtime) -> None:
    merchant = (await create_merchant(rt, "Corner Shop", "test")).merchant_id
    fact = postings.captured("att_1", CONNECTION, EUR)
    await write(rt, merchant, fact)
    with pytest.raises(asyncpg.UniqueViolationError):
        await write(rt, merchant, fact)


def test_a_posting_that_does_not_balance_cannot_be_made() -> None:
    merchant, suspense = Account("merchant_pending"), Account("suspense")
    with pytest.raises(Unbalanced):
        Posting("captured", "att_1", (Entry(merchant, EUR), Entry(suspense, -EUR - EUR)))
    with pytest.raises(Unbalanced):
        Posting("captured", "att_1", ())
