"""Every recipe: which accounts a fact moves. Pure functions; the whole accounting policy."""

from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from payloom.core.money import Money
from payloom.ledger.chart import Account


class Unbalanced(ValueError):
    """A posting whose entries do not sum to zero in each currency."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg; a positive amount is a debit."""

    account: Account
    amount: Money


@dataclass(frozen=True, slots=True)
class Posting:
    """A balanced set of entries. `source` names the fact: one posting per kind and source."""

    kind: str
    source: str
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        legs = sorted(self.entries, key=lambda entry: entry.amount.currency)
        for currency, group in groupby(legs, key=lambda entry: entry.amount.currency):
            total = sum(entry.amount.minor for entry in group)
            if total != 0:
                raise Unbalanced(f"{self.kind} of {self.source} is off by {total} {currency}")
        if len(self.entries) < 2 or any(entry.amount.minor == 0 for entry in self.entries):
            raise Unbalanced(f"{self.kind} of {self.source} needs two entries, none of them zero")


def captured(attempt: str, connection: UUID, amount: Money) -> Posting:
    """The PSP took the shopper's money: it owes us, we owe the merchant."""
    return _move("captured", attempt, _receivable(connection), _MERCHANT, amount)


def suspense(attempt: str, connection: UUID, amount: Money) -> Posting:
    """Money arrived that does not fit an order: it is kept apart until someone explains it."""
    return _move("suspense", attempt, _receivable(connection), _SUSPENSE, amount)


def money_returned(refund: str, connection: UUID, amount: Money, *, from_suspense: bool) -> Posting:
    """The PSP gave money back to the shopper: it owes us less, and so do we."""
    taken_from = _SUSPENSE if from_suspense else _MERCHANT
    return _move("money_returned", refund, taken_from, _receivable(connection), amount)


def refund_failed(refund: str, connection: UUID, amount: Money) -> Posting:
    """Money that had left for the shopper came back to the PSP: nobody's, until a person says."""
    return _move("refund_failed", refund, _receivable(connection), _SUSPENSE, amount)


_MERCHANT = Account("merchant_pending")
_SUSPENSE = Account("suspense")


def _receivable(connection: UUID) -> Account:
    return Account("psp_receivable", connection)


def _move(kind: str, source: str, debit: Account, credit: Account, amount: Money) -> Posting:
    return Posting(kind, source, (Entry(debit, amount), Entry(credit, -amount)))
