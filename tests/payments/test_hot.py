"""The two ways of recording a registration leave the same rows."""

from typing import Any

import pytest

from payloom.connectors.contract import Registered
from payloom.core.db import Tx
from payloom.core.secret import Secret
from payloom.merchants.connections import add_connection, connection_for_psp, connector_of
from payloom.merchants.merchants import NewMerchant, create_merchant
from payloom.payments import hot
from payloom.payments.answer import answer_of
from payloom.payments.compose import new_payment
from payloom.payments.decide import Change, decide
from payloom.payments.hot import Placed
from payloom.payments.model import Cause, Fact, Payment
from payloom.payments.record import event_of, record
from payloom.payments.wanted import WantedOrder
from payloom.runtime import Runtime
from payloom.webhooks.endpoints import create_endpoint

TABLES = ("payment_orders", "attempts", "payment_log", "events", "deliveries", "jobs")
# What cannot be the same: ids, what carries them, and times.
UNEQUAL = {
    "id", "event_id", "payment_order_id", "attempt_id", "current_attempt", "subject", "reference",
    "fingerprint", "request_body", "request_key", "return_token", "token", "redirect_url", "body",
    "created_at", "updated_at", "answered_at", "asked_at", "at", "next_at", "run_at", "expires_at",
    "resend_until",
}  # fmt: skip


@pytest.fixture
async def merchant(rt: Runtime) -> NewMerchant:
    merchant = await create_merchant(rt, "Corner Shop", "test")
    await add_connection(
        rt, merchant.merchant_id, "stripe", {"api_key": Secret("sk_test_" + "0" * 24)}
    )
    await create_endpoint(rt, merchant.merchant_id, "test", "http://127.0.0.1:8443/hooks", None)
    return merchant


async def _placed(rt: Runtime, merchant: NewMerchant, reference: str) -> Payment:
    connection = await connection_for_psp(rt, merchant.merchant_id, None)
    _, connector = await connector_of(rt, connection.id)
    wanted = WantedOrder.model_validate(
        {
            "reference": reference,
            "amount": 100,
            "currency": "EUR",
            "return_url": "https://shop.example/",
        }
    )
    payment = new_payment(rt, connector, connection, wanted, "req_1", rt.clock())
    async with rt.db.statement() as tx:
        assert await hot.place(tx, payment, None, rt.clock()) is Placed.NEW
    return payment


def _fact(payment: Payment) -> Fact:
    attempt = payment.current
    page = Registered(f"cs_{payment.order.reference}", "https://pay.example/cs")
    return Fact(attempt.merchant_id, attempt.id, page, Cause("psp_answer"))


async def _rows(tx: Tx, payment: Payment) -> dict[str, Any]:
    found = {}
    for table in TABLES:
        column = {
            "payment_orders": "id", "attempts": "payment_order_id",
            "payment_log": "payment_order_id", "events": "payment_order_id",
        }.get(table)  # fmt: skip
        if table == "deliveries":
            rows = await tx.fetch(
                "SELECT * FROM deliveries WHERE event_id IN"
                " (SELECT id FROM events WHERE payment_order_id = $1)", payment.order.id,
            )  # fmt: skip
        elif table == "jobs":
            rows = await tx.fetch("SELECT * FROM jobs WHERE subject = $1", payment.current.id)
        else:
            rows = await tx.fetch(f"SELECT * FROM {table} WHERE {column} = $1", payment.order.id)
        found[table] = sorted(
            str({key: row[key] for key in row.keys() if key not in UNEQUAL})  # noqa: SIM118
            for row in rows
        )
    return found


async def test_the_one_statement_and_the_plain_flow_leave_the_same_rows(
    rt: Runtime, merchant: NewMerchant
) -> None:
    quick, plain = await _placed(rt, merchant, "quick"), await _placed(rt, merchant, "plain")
    change = decide(quick, _fact(quick), rt.clock())
    assert isinstance(change, Change)
    async with rt.db.statement() as tx:
        event = event_of(change, rt.clock())
        answer = answer_of(change.payment, is_new=True)
        assert await hot.opened(tx, change, event, None, answer)
    async with rt.db.transaction() as tx:
        await record(tx, [_fact(plain)], rt.clock())
    async with rt.db.statement() as tx:
        of_quick, of_plain = await _rows(tx, quick), await _rows(tx, plain)
    assert all(of_quick[table] for table in TABLES)
    assert of_quick == of_plain


async def test_an_order_that_moved_meanwhile_is_left_alone(
    rt: Runtime, merchant: NewMerchant
) -> None:
    payment = await _placed(rt, merchant, "moved")
    change = decide(payment, _fact(payment), rt.clock())
    assert isinstance(change, Change)
    async with rt.db.transaction() as tx:
        await record(tx, [_fact(payment)], rt.clock())
    async with rt.db.statement() as tx:
        before = await _rows(tx, payment)
        event = event_of(change, rt.clock())
        answer = answer_of(change.payment, is_new=True)
        assert not await hot.opened(tx, change, event, None, answer)
        assert await _rows(tx, payment) == before
