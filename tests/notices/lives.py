"""Lives of a payment: all that a PSP tells of it, each fact an event with its time there.

And what is left of a payment in the end, without ids and times: state and books, not the way.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from payloom.payments.model import Payment
from tests.notices.given import COMPLETED, Given, event, intent, session

Event = dict[str, Any]
BEGAN = int(time.time()) - 600


@dataclass(frozen=True, slots=True)
class Life:
    """What is told, in the order in which it happened, and the status that it comes to."""

    status: str
    facts: tuple[Callable[[Payment], Event], ...]

    def events(self, payment: Payment) -> list[Event]:
        """Each a second after the one before."""
        told = [fact(payment) for fact in self.facts]
        return [{**each, "created": BEGAN + second} for second, each in enumerate(told)]


def declined(code: str, decline_code: str | None = None) -> Callable[[Payment], Event]:
    return lambda payment: event(
        "payment_intent.payment_failed", intent(payment, code, decline_code)
    )


def of_session(kind: str, **changes: Any) -> Callable[[Payment], Event]:
    return lambda payment: event(kind, session(payment, **changes))


def beside(kind: str) -> Callable[[Payment], Event]:
    """What a PSP tells besides, and moves nothing."""
    return lambda payment: event(kind, {"id": f"ch_{payment.order.id.hex}", "object": "charge"})


LOST_CARD, NO_MONEY = declined("card_declined", "lost_card"), declined("card_declined", "no_money")
PAID, UNPAID = of_session(COMPLETED), of_session(COMPLETED, payment_status="unpaid")
CLEARED = of_session("checkout.session.async_payment_succeeded")
BOUNCED = of_session("checkout.session.async_payment_failed", payment_status="unpaid")
EXPIRED = of_session("checkout.session.expired", status="expired", payment_status="unpaid",
                     payment_intent=None)  # fmt: skip
TOO_LITTLE = of_session(COMPLETED, amount_total=4000)

LIVES: dict[str, Life] = {
    "a card at the third try": Life(
        "SUCCEEDED",
        (LOST_CARD, NO_MONEY, PAID, beside("payment_intent.succeeded"), beside("charge.updated")),
    ),
    "a bank pays": Life("SUCCEEDED", (NO_MONEY, UNPAID, CLEARED, LOST_CARD)),
    "a bank refuses": Life("FAILED", (LOST_CARD, NO_MONEY, UNPAID, BOUNCED)),
    "a bank refuses and pays after all": Life("SUCCEEDED", (LOST_CARD, UNPAID, BOUNCED, CLEARED)),
    "nobody pays": Life("EXPIRED", (LOST_CARD, NO_MONEY, LOST_CARD, EXPIRED)),
    "nobody has paid yet": Life("PENDING", (LOST_CARD, NO_MONEY, declined("expired_card"))),
    "another amount": Life("PROCESSING", (LOST_CARD, TOO_LITTLE, NO_MONEY)),
    "all of it": Life("SUCCEEDED", (LOST_CARD, NO_MONEY, LOST_CARD, UNPAID, BOUNCED, CLEARED)),
}


async def left_of(given: Given, payments: Sequence[Payment]) -> list[str]:
    """What each payment came to, as text."""
    found: dict[UUID, list[str]] = {payment.order.id: [] for payment in payments}
    attempt_of = {payment.current.id: payment.order.id for payment in payments}
    ids = list(found)
    for table, sql in _TABLES.items():
        for row in await given.rows(sql, list(attempt_of) if table in ("jobs", "notices") else ids):
            order_id = row.get("whose") or attempt_of.get(row.get("about"))  # type: ignore[arg-type]
            assert order_id is not None
            kept = {key: _plain(key, value) for key, value in row.items() if key not in _UNEQUAL}
            found[order_id].append(_ID.sub("_", f"{table} {kept}"))
    return ["\n".join(sorted(found[order_id])) for order_id in ids]


def _plain(key: str, value: Any) -> Any:
    is_error = key == "last_error" and value is not None
    return {name: value[name] for name in value if name != "at"} if is_error else value


_ID = re.compile(r"(?:att|po)_\w{26}|[0-9a-f]{32}")
_TABLES = {
    "orders": "SELECT *, id AS whose, paid_by_attempt IS NOT NULL AS is_paid FROM payment_orders"
    " WHERE id = ANY ($1::uuid[])",
    "attempts": "SELECT *, payment_order_id AS whose FROM attempts"
    " WHERE payment_order_id = ANY ($1::uuid[])",
    "postings": "SELECT p.kind, p.source, p.payment_order_id AS whose, e.amount, e.currency, a.code"
    "  FROM ledger_postings AS p JOIN ledger_entries AS e"
    "    ON (e.merchant_id, e.posting_id) = (p.merchant_id, p.id)"
    "  JOIN ledger_accounts AS a ON (a.merchant_id, a.id) = (e.merchant_id, e.account_id)"
    " WHERE p.payment_order_id = ANY ($1::uuid[])",
    "refunds": "SELECT *, payment_order_id AS whose FROM refunds"
    " WHERE payment_order_id = ANY ($1::uuid[])",
    "jobs": "SELECT kind, subject AS about, quarantined_at FROM jobs"
    " WHERE subject = ANY ($1::uuid[])",
}
# Ids, times, what is made of them, and what counts the steps of the way.
_UNEQUAL = {
    "whose", "about", "id", "payment_order_id", "attempt_id", "current_attempt", "paid_by_attempt",
    "reference", "fingerprint", "request_body", "request_key", "return_token", "token",
    "redirect_url", "created_at", "updated_at", "answered_at", "asked_at", "expires_at",
    "resend_until", "cancel_requested_at", "version", "event_sequence",
}  # fmt: skip
