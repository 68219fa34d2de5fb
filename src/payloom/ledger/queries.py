"""All reads of the books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from payloom.core.db import Row, Tx
from payloom.core.paging import Page


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """One leg as written: debit positive, minor units."""

    account_id: UUID
    code: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Posted:
    """One posting as written."""

    id: UUID
    kind: str
    payment_order_id: UUID | None
    source: str
    at: datetime
    effective_at: datetime
    entries: tuple[PostedEntry, ...]


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """One account and what its entries sum to (debit positive)."""

    id: UUID
    code: str
    owner: UUID | None
    currency: str
    balance: int


async def list_postings(
    tx: Tx, merchant_id: UUID, page: Page, payment_order_id: UUID | None
) -> list[Posted]:
    """Newest first; one row more than the page's limit."""
    rows = await tx.fetch(_POSTINGS, merchant_id, page.after, payment_order_id, page.limit + 1)
    return await _with_entries(tx, merchant_id, rows)


async def posting(tx: Tx, merchant_id: UUID, posting_id: UUID) -> Posted | None:
    rows = await tx.fetch(_POSTING, merchant_id, posting_id)
    found = await _with_entries(tx, merchant_id, rows)
    return found[0] if found else None


async def balances(tx: Tx, merchant_id: UUID) -> list[AccountBalance]:
    """Every account of the merchant with its balance."""
    rows = await tx.fetch(_BALANCES, merchant_id)
    return [
        AccountBalance(row["id"], row["code"], row["owner"], row["currency"], int(row["balance"]))
        for row in rows
    ]


async def _with_entries(tx: Tx, merchant_id: UUID, rows: Sequence[Row]) -> list[Posted]:
    legs = await tx.fetch(_ENTRIES, merchant_id, [row["id"] for row in rows])
    of: dict[Any, list[PostedEntry]] = {row["id"]: [] for row in rows}
    for leg in legs:
        entry = PostedEntry(leg["account_id"], leg["code"], leg["amount"], leg["currency"])
        of[leg["posting_id"]].append(entry)
    return [
        Posted(
            row["id"],
            row["kind"],
            row["payment_order_id"],
            row["source"],
            row["at"],
            row["effective_at"],
            tuple(of[row["id"]]),
        )
        for row in rows
    ]


_POSTINGS = """
SELECT id, kind, payment_order_id, source, at, effective_at
  FROM ledger_postings
 WHERE merchant_id = $1
   AND ($2::uuid IS NULL OR id < $2)
   AND ($3::uuid IS NULL OR payment_order_id = $3)
 ORDER BY id DESC
 LIMIT $4
"""

_POSTING = """
SELECT id, kind, payment_order_id, source, at, effective_at
  FROM ledger_postings
 WHERE merchant_id = $1 AND id = $2
"""

_ENTRIES = """
SELECT e.posting_id, e.account_id, a.code, e.amount, e.currency
  FROM ledger_entries AS e
  JOIN ledger_accounts AS a ON a.merchant_id = e.merchant_id AND a.id = e.account_id
 WHERE e.merchant_id = $1 AND e.posting_id = ANY ($2::uuid[])
 ORDER BY e.posting_id, e.id
"""

_BALANCES = """
SELECT a.id, a.code, a.owner, a.currency, coalesce(sum(e.amount), 0) AS balance
  FROM ledger_accounts AS a
  LEFT JOIN ledger_entries AS e ON e.merchant_id = a.merchant_id AND e.account_id = a.id
 WHERE a.merchant_id = $1
 GROUP BY a.id, a.code, a.owner, a.currency
 ORDER BY a.code, a.currency, a.id
"""
