"""The examples of docs/explanation/recipes.md, read from the page and executed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from payloom.core.money import Money
from payloom.ledger.postings import RECIPES, Posting
from tests.docs.markdown import code, table

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "recipes.md"
STRIPE = UUID(int=1)
_EXAMPLE = re.compile(r"^### (\w+)$(.*?)^```books\n(.*?)\n\n(.*?)\n```$", re.M | re.S)
_CURRENCIES = ("EUR", "JPY")
_WORDS = {
    **{recipe.__name__: recipe for recipe in RECIPES},
    **{currency: partial(Money, currency=currency) for currency in _CURRENCIES},
    "STRIPE": STRIPE,
}


@dataclass(frozen=True, slots=True)
class Example:
    """One example as the page has it: the call, and the entries below it."""

    recipe: str
    call: str
    entries: tuple[tuple[str, str], ...]  # (account, amount), as written

    @property
    def posting(self) -> Posting:
        made: Posting = eval(self.call, {"__builtins__": {}}, _WORDS)
        return made


def examples() -> list[Example]:
    return [
        Example(name, call, tuple(_entries(entries)))
        for name, _, call, entries in _EXAMPLE.findall(PAGE.read_text())
    ]


def written(posting: Posting) -> tuple[tuple[str, str], ...]:
    """The entries as the page writes them."""
    return tuple(
        (entry.account.code, f"{'+' if entry.amount.minor > 0 else ''}{entry.amount}")
        for entry in posting.entries
    )


def recipes() -> str:
    """Each recipe, what it is for, and the two sides of its example."""
    said = {recipe.__name__: " ".join((recipe.__doc__ or "").split()) for recipe in RECIPES}
    rows = (
        (code(each.recipe), said[each.recipe], _side(each, "+"), _side(each, "-"))
        for each in examples()
    )
    return table(["recipe", "the fact", "debit", "credit"], rows)


def _side(example: Example, sign: str) -> str:
    legs = (leg for leg in example.entries if leg[1].startswith(sign))
    return "<br>".join(f"{code(account)} {amount}" for account, amount in legs)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        account, amount, currency = line.split()
        yield account, f"{amount} {currency}"
