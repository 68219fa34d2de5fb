"""What the database itself refuses of a return: another amount, twice, of money that is wanted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from payloom.core import ids
from payloom.core.db import Tx
from payloom.payments import hot
from payloom.payments.model import Payment
from payloom.payments.states import State as AttemptState
from payloom.refunds import queries
from payloom.refunds.model import Refund
from payloom.refunds.states import State
from payloom.runtime import Runtime
from tests.payments.given import (
    AMOUNT,
    CONNECTION,
    CURRENCY,
    MERCHANT,
    NOW,
    ORDER,
    attempt,
    payment,
)

SURPLUS = attempt(1).id


def refund(number: int = 1, **changes: Any) -> Refund:
    return replace(
        Refund(
            merchant_id=MERCHANT,
            id=ids.new(),
            payment_order_id=ORDER,
            attempt_id=SURPLUS,
            connection_id=CONNECTION,
            number=number,
            purpose="surplus",
            state=State.REQUESTED,
            amount=AMOUNT,
            currency=CURRENCY,
            reason="duplicate",
            metadata={},
            shop_key=None,
            request_body="",
            request_version="1",
            request_key="key",
            resend_until=NOW + timedelta(hours=12),
            psp_refund=None,
            last_error=None,
            created_at=NOW,
            updated_at=NOW,
        ),
        **changes,
    )


async def given(owner: Tx, state: AttemptState = AttemptState.SUCCEEDED) -> Payment:
    """An order that was canceled, and its attempt in this state."""
    await owner.execute(
        "INSERT INTO merchants VALUES ($1, 'Corner Shop', 'test', $2)", MERCHANT, NOW
    )
    await owner.execute(
        "INSERT INTO connections (merchant_id, id, psp, created_at) VALUES ($1, $2, 'acme', $3)",
        MERCHANT, CONNECTION, NOW,
    )  # fmt: skip
    paid = payment()
    await hot.place(owner, paid, None, NOW)
    await owner.execute("ALTER TABLE attempts DISABLE TRIGGER USER")
    await owner.execute("UPDATE attempts SET state = $1, token = 't', redirect_url = 'u'", state)
    await owner.execute("ALTER TABLE attempts ENABLE TRIGGER USER")
    return paid


async def test_unwanted_money_goes_back_once(owner: Runtime) -> None:
    async with owner.db.statement() as tx:
        await given(tx)
        await queries.insert_refund(tx, refund())
        with pytest.raises(asyncpg.UniqueViolationError):
            await queries.insert_refund(tx, refund(2))


async def test_after_a_failure_it_may_be_asked_for_again(owner: Runtime) -> None:
    async with owner.db.statement() as tx:
        await given(tx)
        first = refund()
        await queries.insert_refund(tx, first)
        await queries.write_refund(tx, replace(first, state=State.FAILED), NOW)
        await queries.insert_refund(tx, refund(2))
        made = await queries.refunds_of_attempt(tx, MERCHANT, SURPLUS)

    assert [each.state for each in made] == [State.FAILED, State.REQUESTED]


@pytest.mark.parametrize(
    "changes", [{"amount": AMOUNT + 1}, {"amount": AMOUNT - 1}, {"currency": "JPY"}], ids=str
)
async def test_another_amount_or_currency_is_refused(
    owner: Runtime, changes: dict[str, Any]
) -> None:
    async with owner.db.statement() as tx:
        await given(tx)
        with pytest.raises(asyncpg.CheckViolationError, match="no such money"):
            await queries.insert_refund(tx, refund(**changes))


@pytest.mark.parametrize("state", sorted({*AttemptState} - {AttemptState.SUCCEEDED}))
async def test_money_that_never_came_is_not_returned(owner: Runtime, state: AttemptState) -> None:
    async with owner.db.statement() as tx:
        await given(tx, state)
        with pytest.raises(asyncpg.CheckViolationError, match="no such money"):
            await queries.insert_refund(tx, refund())


async def test_the_money_that_pays_the_order_stays(owner: Runtime) -> None:
    async with owner.db.statement() as tx:
        await given(tx)
        await tx.execute(
            """UPDATE payment_orders SET paid_by_attempt = $1, payment_order_status = 'SUCCEEDED',
                      amount_captured = amount, version = version + 1""",
            SURPLUS,
        )
        with pytest.raises(asyncpg.CheckViolationError, match="no such money"):
            await queries.insert_refund(tx, refund())


async def test_a_refund_moves_along_its_table_only(owner: Runtime) -> None:
    async with owner.db.statement() as tx:
        await given(tx)
        made = refund()
        await queries.insert_refund(tx, made)
        done = replace(made, state=State.SUCCEEDED, psp_refund="re_1")
        await queries.write_refund(tx, done, NOW)
        with pytest.raises(asyncpg.CheckViolationError, match="may not become"):
            await queries.write_refund(tx, replace(done, state=State.PENDING), NOW)
