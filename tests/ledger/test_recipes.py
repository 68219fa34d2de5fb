"""Every recipe has an example on its page, and the example is what the recipe does."""

from collections import Counter

import pytest

from payloom.core import ids
from payloom.core.currencies import EXPONENTS
from payloom.core.money import Money
from payloom.ledger import postings, queries
from payloom.ledger.chart import CHART
from payloom.ledger.post import ToPost, post
from payloom.ledger.postings import RECIPES, Posting
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime
from tests.docs.recipes import Example, examples, written

EXAMPLES = examples()


def test_every_recipe_has_an_example_and_every_account_appears_in_one() -> None:
    assert [example.recipe for example in EXAMPLES if example.recipe] != []
    assert {example.recipe for example in EXAMPLES} == {recipe.__name__ for recipe in RECIPES}
    assert {account for example in EXAMPLES for account, _ in example.entries} == set(CHART)


def test_every_recipe_is_in_the_list() -> None:
    """One that is missing there would need no example."""
    public = {
        name
        for name, thing in vars(postings).items()
        if callable(thing) and getattr(thing, "__module__", "") == postings.__name__
        and not name.startswith("_") and not isinstance(thing, type)
    }  # fmt: skip
    assert public == {recipe.__name__ for recipe in RECIPES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.recipe)
async def test_the_example_leaves_these_balances(rt: Runtime, example: Example) -> None:
    posting = example.posting
    assert posting.kind == example.recipe
    assert sorted(written(posting)) == sorted(example.entries)
    merchant = (await create_merchant(rt, "Corner Shop", "test")).merchant_id
    now = rt.clock()
    async with rt.db.transaction() as tx:
        await post(tx, [ToPost(merchant, None, posting, now)], now)
        found = await queries.balances(tx, merchant)
    assert Counter((row.code, str(Money(row.balance, row.currency))) for row in found) == Counter(
        (account, amount.removeprefix("+")) for account, amount in example.entries
    )


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_parts_of_a_payment_sum_to_the_whole_in_every_currency(currency: str) -> None:
    """Captured in parts and refunded in parts, nothing is left anywhere (F50)."""
    connection, whole = ids.new(), Money(10**6 + 7, currency)
    parts, refunds = whole.split(1, 2, 4), whole.split(3, 3, 3, 1)
    booked: list[Posting] = []
    for number, part in enumerate(parts):
        booked.append(postings.captured(f"att_1/{number}", connection, part))
    for number, part in enumerate(refunds):
        booked.append(postings.refund_started(f"rfd_{number}", part))
        booked.append(postings.refund_succeeded(f"rfd_{number}", connection, part))
    total: Counter[str] = Counter()
    for posting in booked:
        for entry in posting.entries:
            total[entry.account.code] += entry.amount.minor
    assert set(total.values()) == {0}
