"""The only writer of the books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payloom.core import ids
from payloom.core.db import Tx
from payloom.ledger.chart import Account, account_id
from payloom.ledger.postings import Entry, Posting


@dataclass(frozen=True, slots=True)
class ToPost:
    """A posting for one merchant's books, about a payment order where it is about one."""

    merchant_id: UUID
    payment_order_id: UUID | None
    posting: Posting
    effective_at: datetime


async def post(tx: Tx, items: Sequence[ToPost], now: datetime) -> None:
    """Write postings and their entries, all in one statement.

    Raises asyncpg.UniqueViolationError when a fact is posted already: the caller's transaction
    must not commit half of a thing that happened once.
    """
    if not items:
        return
    named = [(ids.new(), item) for item in items]
    legs = [(pid, item, entry) for pid, item in named for entry in item.posting.entries]
    accounts = dict(
        sorted({_account(item, leg) for _, item, leg in legs}, key=lambda pair: pair[0])
    )
    await tx.execute(
        _POST,
        list(accounts),
        [merchant_id for merchant_id, _, _ in accounts.values()],
        [account.code for _, account, _ in accounts.values()],
        [account.owner for _, account, _ in accounts.values()],
        [currency for _, _, currency in accounts.values()],
        now,
        [pid for pid, _ in named],
        [item.merchant_id for _, item in named],
        [item.posting.kind for _, item in named],
        [item.payment_order_id for _, item in named],
        [item.posting.source for _, item in named],
        [item.effective_at for _, item in named],
        [pid for pid, _, _ in legs],
        [ids.new() for _ in legs],
        [account_id(i.merchant_id, e.account, e.amount.currency) for _, i, e in legs],
        [entry.amount.minor for _, _, entry in legs],
        [entry.amount.currency for _, _, entry in legs],
        [item.merchant_id for _, item, _ in legs],
    )


def _account(item: ToPost, entry: Entry) -> tuple[UUID, tuple[UUID, Account, str]]:
    """The account of one leg, by its id: sorted, so that two writers never wait in a circle."""
    key = (item.merchant_id, entry.account, entry.amount.currency)
    return account_id(*key), key


_POST = """
WITH known AS (
    INSERT INTO ledger_accounts (id, merchant_id, code, owner, currency, created_at)
    SELECT *, $6::timestamptz
      FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[])
        ON CONFLICT (merchant_id, id) DO NOTHING
), posted AS (
    INSERT INTO ledger_postings
           (id, merchant_id, kind, payment_order_id, source, effective_at, at)
    SELECT *, $6::timestamptz
      FROM unnest($7::uuid[], $8::uuid[], $9::text[], $10::uuid[], $11::text[],
                  $12::timestamptz[])
)
INSERT INTO ledger_entries (posting_id, id, account_id, amount, currency, merchant_id)
SELECT * FROM unnest($13::uuid[], $14::uuid[], $15::uuid[], $16::bigint[], $17::text[],
                     $18::uuid[])
"""
