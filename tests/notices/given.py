"""Orders and notices without a PSP: what it would say is written here."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from payloom.connectors.contract import Expired, Outcome, Paid, Registered
from payloom.core import ids
from payloom.core.secret import Secret
from payloom.merchants.connections import add_connection, connection_for_psp, connector_of
from payloom.merchants.merchants import create_merchant
from payloom.notices.apply import apply_waiting
from payloom.notices.queries import Stored, insert_notices
from payloom.payments import hot
from payloom.payments.compose import new_payment
from payloom.payments.hot import Placed
from payloom.payments.intend import LOOK_AFTER, cancel
from payloom.payments.model import Cause, Fact, Payment
from payloom.payments.queries import lock_payments
from payloom.payments.record import record, write
from payloom.payments.wanted import WantedOrder
from payloom.refunds.model import Refund
from payloom.refunds.queries import insert_refund
from payloom.refunds.states import State as RefundState
from payloom.runtime import Runtime, follow_clock

SECRET = "whsec_" + "0" * 32
COMPLETED = "checkout.session.completed"
VERSION = "2026-10-28.endive"


@dataclass(frozen=True, slots=True)
class Given:
    """A merchant with a connection, and what it takes to be told of payments there."""

    rt: Runtime
    merchant_id: UUID
    connection_id: UUID

    async def unplaced(self) -> Payment:
        """An order that the database does not know yet."""
        connection = await connection_for_psp(self.rt, self.merchant_id, None)
        _, connector = await connector_of(self.rt, connection.id)
        wanted = WantedOrder.model_validate(_order())
        return new_payment(self.rt, connector, connection, wanted, "req_1", self.rt.clock())

    async def place(self, payment: Payment) -> Payment:
        async with self.rt.db.statement() as tx:
            look_up_at = self.rt.clock() + LOOK_AFTER
            assert await hot.place(tx, payment, None, look_up_at) is Placed.NEW
        return payment

    async def placed(self, count: int = 1) -> list[Payment]:
        """Orders whose registration the PSP has not answered."""
        return [await self.place(await self.unplaced()) for _ in range(count)]

    async def opened(self, count: int = 1) -> list[Payment]:
        """Orders whose page is open."""
        payments = await self.placed(count)
        await self.answered(payments)
        return payments

    async def answered(self, payments: Sequence[Payment]) -> None:
        """The PSP answers their registrations."""
        await self.recorded([(payment, page(payment)) for payment in payments], "psp_answer")

    async def recorded(self, told: Sequence[tuple[Payment, Outcome]], cause: str) -> None:
        facts = [
            Fact(self.merchant_id, payment.current.id, outcome, Cause(cause))
            for payment, outcome in told
        ]
        async with self.rt.db.transaction() as tx:
            await record(tx, facts, self.rt.clock())

    async def canceled(self) -> Payment:
        """An order whose page was ended at the shop's wish."""
        (payment,) = await self.opened()
        async with self.rt.db.transaction() as tx:
            now = self.rt.clock()
            locked = await lock_payments(tx, [(self.merchant_id, payment.current.id)])
            await write(tx, [cancel(each, Cause("request"), now) for each in locked.values()], now)
        await self.recorded([(payment, Expired())], "look_up")
        return payment

    async def unwanted(self) -> tuple[Payment, Refund]:
        """A payment that came after its order was canceled, and the refund that we asked for."""
        payment = await self.canceled()
        await self.recorded([(payment, paid(payment))], "look_up")
        refund = refund_of(payment, self.rt.clock())
        async with self.rt.db.statement() as tx:
            await insert_refund(tx, refund)
        return payment, refund

    async def told(self, *events: dict[str, Any] | bytes, via: str = "webhook") -> list[UUID]:
        """Notices as the route stores them; the ids of those not seen before."""
        rows = [self.stored(event) for event in events]
        async with self.rt.db.statement() as tx:
            fresh = await insert_notices(tx, rows, via, self.rt.clock())
        return [row.id for row in rows if row.id in fresh]

    async def all_applied(self) -> int:
        """Let everything due take effect; how many notices that were."""
        total = 0
        while taken := await apply_waiting(self.rt, limit=200):
            total += taken
        return total

    async def later(self, **passed: float) -> None:
        """Let business time pass, as `timedelta(**passed)`."""
        async with self.rt.db.statement() as tx:
            await tx.execute(
                "UPDATE business_clock SET offset_seconds = offset_seconds + $1",
                int(timedelta(**passed).total_seconds()),
            )
        await follow_clock(self.rt)

    async def notices(self) -> list[dict[str, Any]]:
        """Rows of the inbox, oldest first."""
        return await self.rows("SELECT * FROM notices ORDER BY id")

    async def status(self, payment: Payment) -> str:
        sql = "SELECT payment_order_status FROM payment_orders WHERE id = $1"
        (row,) = await self.rows(sql, payment.order.id)
        return str(row["payment_order_status"])

    async def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        async with self.rt.db.statement() as tx:
            rows = await tx.fetch(sql, *values)
        return [{key: row[key] for key in row.keys()} for row in rows]  # noqa: SIM118 a row, no dict

    def stored(self, event: dict[str, Any] | bytes) -> Stored:
        """The row of it, before it is one."""
        body = event if isinstance(event, bytes) else raw(event)
        names = json.loads(body)
        marks = names["data"]["object"].get("metadata") or {}
        attempt = ids.maybe("att", marks.get("payloom_attempt"))
        return Stored(
            self.merchant_id, ids.new(), self.connection_id, names["id"], names["type"], body,
            attempt,
        )  # fmt: skip


async def given(rt: Runtime) -> Given:
    merchant = await create_merchant(rt, "Corner Shop", "test")
    held = {"api_key": Secret("sk_test_" + "0" * 24), "webhook_secret": Secret(SECRET)}
    connection_id = await add_connection(rt, merchant.merchant_id, "stripe", held)
    return Given(rt, merchant.merchant_id, connection_id)


def event(kind: str, thing: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An event of the PSP's about `thing`, its id fresh."""
    return {"id": f"evt_{secrets.token_hex(12)}", "object": "event", "type": kind,
            "livemode": False, "api_version": VERSION, "created": int(time.time()),
            "data": {"object": thing}, **changes}  # fmt: skip


def session(payment: Payment, **changes: Any) -> dict[str, Any]:
    """The payment's session as the PSP shows it once it is paid."""
    order = payment.order
    return {"id": page(payment).token, "object": "checkout.session", "status": "complete",
            "payment_status": "paid", "amount_total": order.amount,
            "currency": order.currency.lower(), "payment_intent": f"pi_{order.id.hex}",
            "client_reference_id": order.public_id, "livemode": False,
            "metadata": {"payloom_attempt": payment.current.public_id}, **changes}  # fmt: skip


def paid(payment: Payment) -> Paid:
    """What the PSP answers when it is asked about a session that was paid."""
    return Paid(payment.order.money, f"pi_{payment.order.id.hex}", payment.order.public_id)


def intent(payment: Payment, code: str, decline_code: str | None = None) -> dict[str, Any]:
    """The payment's intent after a try that was declined."""
    error = {"code": code, "decline_code": decline_code}
    return {"id": f"pi_{payment.order.id.hex}", "object": "payment_intent",
            "status": "requires_payment_method", "last_payment_error": error,
            "metadata": {"payloom_attempt": payment.current.public_id}}  # fmt: skip


def refunding(payment: Payment, refund: Refund, status: str, **changes: Any) -> dict[str, Any]:
    """The refund as the PSP shows it."""
    marks = {"payloom_attempt": payment.current.public_id, "payloom_refund": refund.public_id}
    return {"id": f"re_{refund.id.hex}", "object": "refund", "status": status,
            "amount": refund.amount, "metadata": marks, **changes}  # fmt: skip


def refund_of(payment: Payment, now: datetime) -> Refund:
    id_, attempt = ids.new(), payment.current
    return Refund(
        merchant_id=attempt.merchant_id, id=id_, payment_order_id=payment.order.id,
        attempt_id=attempt.id, connection_id=attempt.connection_id, number=1, purpose="surplus",
        state=RefundState.REQUESTED, amount=attempt.amount, currency=attempt.currency,
        reason="requested_by_customer", metadata={}, shop_key=None, request_body="",
        request_version=VERSION,
        request_key=ids.text("rfd", id_), resend_until=now, psp_refund=None, last_error=None,
        created_at=now, updated_at=now,
    )  # fmt: skip


def page(payment: Payment) -> Registered:
    return Registered(f"cs_test_{payment.current.id.hex}", "https://pay.example/page")


def raw(event: object) -> bytes:
    return json.dumps(event).encode()


def _order() -> dict[str, Any]:
    return {"reference": f"W-{secrets.token_hex(8)}", "amount": 4999, "currency": "EUR",
            "return_url": "https://shop.example/"}  # fmt: skip
