"""A day that has been: orders with all their rows, loaded by COPY before anything is measured.

What is measured then runs on tables and indexes of a real size. Paid orders are as a payment
leaves them; open ones wait for a shopper who never comes.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from payloom.core import ids
from payloom.ledger.chart import Account, account_id

CHUNK = 5_000  # orders at once
DAY = timedelta(days=1)
AMOUNT, CURRENCY = 4999, "EUR"
# As long as what the flow stores on the average.
REQUEST_BYTES, EVENT_BYTES, NOTICE_BYTES = 900, 1_200, 2_000

Row = tuple[Any, ...]
Show = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Whose:
    """The merchant that all of it belongs to."""

    merchant_id: UUID
    connection_id: UUID
    endpoint_id: UUID


@dataclass(slots=True)
class _Rows:
    """Rows of a chunk, by table, as COPY takes them."""

    of: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})


COLUMNS: dict[str, Sequence[str]] = {
    "payment_orders": (
        "merchant_id", "id", "reference", "fingerprint", "payment_order_status", "version",
        "event_sequence", "payment_type", "payment_method", "method_types", "psp", "amount",
        "currency", "capture", "amount_captured", "return_url", "customer", "line_items",
        "metadata", "current_attempt", "paid_by_attempt", "expires_at", "correlation_id",
        "created_at", "updated_at",
    ),
    "attempts": (
        "merchant_id", "id", "payment_order_id", "number", "connection_id", "psp", "state",
        "amount", "currency", "request_body", "request_version", "request_key", "resend_until",
        "token", "redirect_url", "psp_payment", "return_token", "expires_at", "asked_at",
        "answered_at", "created_at", "updated_at",
    ),
    "payment_log": (
        "merchant_id", "payment_order_id", "version", "at", "attempt_id", "from_state",
        "to_state", "from_status", "to_status", "outcome", "cause", "cause_id",
    ),
    "events": ("merchant_id", "id", "payment_order_id", "sequence", "type", "body", "at"),
    "deliveries": (
        "merchant_id", "id", "event_id", "endpoint_id", "state", "tries", "next_at", "created_at",
        "finished_at",
    ),
    "jobs": ("merchant_id", "kind", "subject", "run_at", "correlation_id", "created_at"),
    "notices": (
        "merchant_id", "id", "connection_id", "psp_event", "type", "body", "via", "state", "tries",
        "next_at", "attempt_id", "received_at", "finished_at",
    ),
    "notices_seen": ("merchant_id", "connection_id", "psp_event", "notice_id", "first_at"),
    "ledger_postings": (
        "merchant_id", "id", "kind", "payment_order_id", "source", "at", "effective_at",
    ),
    "ledger_entries": ("merchant_id", "posting_id", "id", "account_id", "amount", "currency"),
}  # fmt: skip


async def preload(
    superuser_url: str, whose: Whose, *, paid: int, open_pages: int, show: Show
) -> None:
    """Write so many paid orders over the last day, and so many whose page is open."""
    connection = await asyncpg.connect(superuser_url)
    try:
        # Rows that belong together come in several COPYs: what keeps them so looks away meanwhile.
        await connection.execute("SET session_replication_role = replica")
        await _open_accounts(connection, whose)
        for rows, done in _chunks(whose, paid, open_pages):
            async with connection.transaction():
                for name, records in rows.of.items():
                    await connection.copy_records_to_table(
                        name, records=records, columns=COLUMNS[name]
                    )
            show(done)
        # Now, so that it is not done in the background of what is measured.
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _open_accounts(connection: Any, whose: Whose) -> None:
    for account in _accounts(whose):
        await connection.execute(
            """INSERT INTO ledger_accounts (merchant_id, id, code, owner, currency, created_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
            whose.merchant_id,
            account_id(whose.merchant_id, account, CURRENCY),
            account.code,
            account.owner,
            CURRENCY,
            datetime.now(UTC),
        )


def _accounts(whose: Whose) -> tuple[Account, Account]:
    return Account("psp_receivable", whose.connection_id), Account("merchant_pending")


def _chunks(whose: Whose, paid: int, open_pages: int) -> Iterator[tuple[_Rows, int]]:
    now = datetime.now(UTC)
    total, rows = paid + open_pages, _Rows()
    for number in range(total):
        at = now - DAY + DAY * number / total
        _write(rows, whose, number, at, is_paid=number >= open_pages)
        if (number + 1) % CHUNK == 0 or number + 1 == total:
            yield rows, number + 1
            rows = _Rows()


def _write(rows: _Rows, whose: Whose, number: int, at: datetime, *, is_paid: bool) -> None:
    """One order. `at` is when it was asked for; it was paid half a minute later."""
    order, attempt = _id(at), _id(at)
    token = f"cs_test_{secrets.token_hex(24)}"
    paid_at = at + timedelta(seconds=30)
    mine = (whose.merchant_id, order)
    _write_order(rows, whose, number, (order, attempt), (at, paid_at), token, is_paid=is_paid)
    log = rows.of["payment_log"]
    log.append((*mine, 1, at, attempt, None, "REGISTERING", None, "CREATED", "Requested",
                "request", f"req_{number}"))  # fmt: skip
    log.append((*mine, 2, at, attempt, "REGISTERING", "OPEN", "CREATED", "PENDING", "Registered",
                "psp_answer", None))  # fmt: skip
    _tell(rows, whose, order, 1, "payment_order.registered", at)
    if not is_paid:
        due = at + DAY + timedelta(minutes=1)
        rows.of["jobs"].append((whose.merchant_id, "look_up", attempt, due, f"req_{number}", at))
        return
    notice = _id(paid_at)
    log.append((*mine, 3, paid_at, attempt, "OPEN", "SUCCEEDED", "PENDING", "SUCCEEDED", "Paid",
                "notice", ids.text("ntc", notice)))  # fmt: skip
    _tell(rows, whose, order, 2, "payment_order.succeeded", paid_at)
    _hear(rows, whose, attempt, notice, paid_at)
    _book(rows, whose, order, attempt, paid_at)


def _write_order(
    rows: _Rows, whose: Whose, number: int, id_: tuple[UUID, UUID],
    times: tuple[datetime, datetime], token: str, *, is_paid: bool,
) -> None:  # fmt: skip
    (order, attempt), (at, paid_at) = id_, times
    last = paid_at if is_paid else at
    rows.of["payment_orders"].append(
        (whose.merchant_id, order, f"day-{order.hex}", bytes(32),
         "SUCCEEDED" if is_paid else "PENDING", 3 if is_paid else 2, 2 if is_paid else 1, "SALE",
         "APM", [], "stripe", AMOUNT, CURRENCY, "automatic", AMOUNT if is_paid else 0,
         "http://127.0.0.1/shop/return", json.dumps({"id": f"c-{number % 5000}"}), "[]", "{}",
         attempt, attempt if is_paid else None, at + DAY, f"req_{number}", at, last)
    )  # fmt: skip
    rows.of["attempts"].append(
        (whose.merchant_id, attempt, order, 1, whose.connection_id, "stripe",
         "SUCCEEDED" if is_paid else "OPEN", AMOUNT, CURRENCY, "x" * REQUEST_BYTES,
         "2026-10-28.endive", ids.text("att", attempt), at, token,
         f"https://pay.example/{token}", f"pi_{number}" if is_paid else None, bytes(16), at + DAY,
         at, at, at, last)
    )  # fmt: skip


def _tell(rows: _Rows, whose: Whose, order: UUID, sequence: int, kind: str, at: datetime) -> None:
    event = _id(at)
    body = json.dumps({"id": ids.text("evt", event), "type": kind, "sequence": sequence,
                       "data": {"id": ids.text("po", order), "is": "x" * EVENT_BYTES}})  # fmt: skip
    rows.of["events"].append((whose.merchant_id, event, order, sequence, kind, body, at))
    rows.of["deliveries"].append(
        (whose.merchant_id, _id(at), event, whose.endpoint_id, "delivered", 1, at, at, at)
    )


def _hear(rows: _Rows, whose: Whose, attempt: UUID, notice: UUID, at: datetime) -> None:
    name = f"evt_{notice.hex}"
    rows.of["notices"].append(
        (whose.merchant_id, notice, whose.connection_id, name, "checkout.session.completed",
         b"x" * NOTICE_BYTES, "webhook", "applied", 1, at, attempt, at, at)
    )  # fmt: skip
    rows.of["notices_seen"].append((whose.merchant_id, whose.connection_id, name, notice, at))


def _book(rows: _Rows, whose: Whose, order: UUID, attempt: UUID, at: datetime) -> None:
    posting = _id(at)
    rows.of["ledger_postings"].append(
        (whose.merchant_id, posting, "captured", order, ids.text("att", attempt), at, at)
    )
    for account, sign in zip(_accounts(whose), (1, -1), strict=True):
        rows.of["ledger_entries"].append(
            (whose.merchant_id, posting, _id(at),
             account_id(whose.merchant_id, account, CURRENCY), sign * AMOUNT, CURRENCY)
        )  # fmt: skip


def _id(at: datetime) -> UUID:
    """An id as it would have been made at that moment."""
    noise = secrets.randbits(74)
    return UUID(int=ids.first_at(at).int | 7 << 76 | (noise >> 62) << 64 | 2 << 62 | noise % 2**62)
