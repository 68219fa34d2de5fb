"""Every recipe: which accounts a fact moves. Pure functions; the whole accounting policy.

A recipe's name is the posting's kind. Amounts are those of the fact, positive unless it says so;
`source` names the fact, which is posted once: ours by our id, a PSP's line by its id there.
"""

from collections.abc import Callable
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


# --- payments ---------------------------------------------------------------------------------


def captured(source: str, connection: UUID, amount: Money) -> Posting:
    """The PSP took the shopper's money: it owes us, we owe the merchant."""
    return _move("captured", source, _receivable(connection), _PENDING, amount)


def suspense(attempt: str, connection: UUID, amount: Money) -> Posting:
    """Money arrived that does not fit an order: it is kept apart until someone explains it."""
    return _move("suspense", attempt, _receivable(connection), _SUSPENSE, amount)


def suspense_explained(resolution: str, amount: Money) -> Posting:
    """Somebody found out whose it is: the merchant's after all."""
    return _move("suspense_explained", resolution, _SUSPENSE, _PENDING, amount)


def payment_bounced(attempt: str, connection: UUID, amount: Money) -> Posting:
    """A bank took back what it had paid: the PSP owes us less, and so do we."""
    return _move("payment_bounced", attempt, _PENDING, _receivable(connection), amount)


# --- refunds ----------------------------------------------------------------------------------


def money_returned(refund: str, connection: UUID, amount: Money) -> Posting:
    """Money that nobody wanted went back to the shopper who had sent it."""
    return _move("money_returned", refund, _SUSPENSE, _receivable(connection), amount)


def refund_started(refund: str, amount: Money) -> Posting:
    """It is promised to the shopper: the merchant has it no more."""
    return _move("refund_started", refund, _PENDING, _IN_FLIGHT, amount)


def refund_succeeded(refund: str, connection: UUID, amount: Money) -> Posting:
    """The PSP gave it to the shopper: it owes us less, and we have kept our promise."""
    return _move("refund_succeeded", refund, _IN_FLIGHT, _receivable(connection), amount)


def refund_released(refund: str, amount: Money) -> Posting:
    """It never left: the merchant has it again."""
    return _move("refund_released", refund, _IN_FLIGHT, _PENDING, amount)


def refund_failed(refund: str, connection: UUID, amount: Money, *, was_surplus: bool) -> Posting:
    """It had left and came back to the PSP: the merchant's again, or nobody's as before."""
    back_to = _SUSPENSE if was_surplus else _PENDING
    return _move("refund_failed", refund, _receivable(connection), back_to, amount)


# --- disputes ---------------------------------------------------------------------------------


def dispute_opened(line: str, connection: UUID, amount: Money) -> Posting:
    """A bank took the payment back until it has decided; the PSP took it from us at once."""
    return _move("dispute_opened", line, _RESERVE, _receivable(connection), amount)


def dispute_won(line: str, connection: UUID, amount: Money) -> Posting:
    """The bank gave it back."""
    return _move("dispute_won", line, _receivable(connection), _RESERVE, amount)


def dispute_lost(dispute: str, amount: Money) -> Posting:
    """The bank keeps it: it was the merchant's."""
    return _move("dispute_lost", dispute, _PENDING, _RESERVE, amount)


# --- what PSPs charge and change --------------------------------------------------------------


def fee_known(line: str, connection: UUID, fee: Money) -> Posting:
    """The PSP kept its fee from what it owes us; a negative one was given back."""
    return _move("fee_known", line, _FEES, _receivable(connection), fee)


def converted(line: str, connection: UUID, presented: Money, settled: Money) -> Posting:
    """The PSP owes us in its own currency what the shopper paid in another. For money that left,
    both amounts are negative."""
    receivable = _receivable(connection)
    return Posting(
        "converted",
        line,
        (
            Entry(receivable, -presented),
            Entry(_EXCHANGE, presented),
            Entry(receivable, settled),
            Entry(_EXCHANGE, -settled),
        ),
    )


def rounding(line: str, connection: UUID, difference: Money) -> Posting:
    """The PSP owes us this much less than its own figures sum to; negative: more."""
    return _move("rounding", line, _ROUNDING, _receivable(connection), difference)


def adjustment(line: str, connection: UUID, amount: Money) -> Posting:
    """A PSP's line about no payment of ours moved what it owes us; negative: down."""
    return _move("adjustment", line, _receivable(connection), _SUSPENSE, amount)


# --- settlements and payouts ------------------------------------------------------------------


def settlement_received(settlement: str, connection: UUID, amount: Money) -> Posting:
    """The PSP paid out: it owes us less, and the bank has it."""
    return _move("settlement_received", settlement, _BANK, _receivable(connection), amount)


def settlement_failed(settlement: str, connection: UUID, amount: Money) -> Posting:
    """The bank sent a payout back after it had been paid: the PSP owes it to us again."""
    return _move("settlement_failed", settlement, _receivable(connection), _BANK, amount)


def made_available(settlement: str, gross: Money, fees: Money) -> Posting:
    """What a settlement covers is the merchant's to take out, less the fees, which it bears now."""
    legs = ((_PENDING, gross), (_FEES, -fees), (_AVAILABLE, fees - gross))
    entries = tuple(Entry(account, amount) for account, amount in legs if amount.minor)
    return Posting("made_available", settlement, entries)


def merchant_payout(payout: str, amount: Money) -> Posting:
    """The merchant was paid: we owe it less, and have less in the bank."""
    return _move("merchant_payout", payout, _AVAILABLE, _BANK, amount)


# --- corrections ------------------------------------------------------------------------------


def reversal(posting: str, entries: tuple[Entry, ...]) -> Posting:
    """A posting that was wrong is undone, leg by leg; `posting` is its id."""
    undone = tuple(Entry(entry.account, -entry.amount) for entry in entries)
    return Posting("reversal", posting, undone)


RECIPES: tuple[Callable[..., Posting], ...] = (
    captured,
    suspense,
    suspense_explained,
    payment_bounced,
    money_returned,
    refund_started,
    refund_succeeded,
    refund_released,
    refund_failed,
    dispute_opened,
    dispute_won,
    dispute_lost,
    fee_known,
    converted,
    rounding,
    adjustment,
    settlement_received,
    settlement_failed,
    made_available,
    merchant_payout,
    reversal,
)

_PENDING = Account("merchant_pending")
_AVAILABLE = Account("merchant_available")
_IN_FLIGHT = Account("refunds_in_flight")
_RESERVE = Account("dispute_reserve")
_FEES = Account("psp_fees")
_BANK = Account("bank")
_EXCHANGE = Account("exchange")
_ROUNDING = Account("rounding")
_SUSPENSE = Account("suspense")


def _receivable(connection: UUID) -> Account:
    return Account("psp_receivable", connection)


def _move(kind: str, source: str, debit: Account, credit: Account, amount: Money) -> Posting:
    return Posting(kind, source, (Entry(debit, amount), Entry(credit, -amount)))
