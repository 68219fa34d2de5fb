"""Bank debits: what the shopper leaves behind, and what the bank says days later."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import stripe

from payloom.sandbox.stripe.methods.bank_accounts import ACCOUNTS, Account
from payloom.sandbox.stripe.methods.debits import DEBITS, parts
from payloom.sandbox.stripe.methods.offers import CURRENCIES
from payloom.sandbox.stripe.payments.delayed import PAYS_AFTER_FAILING_S
from tests.sandbox.merchant import DECLINED, VISA, Merchant, Page
from tests.sandbox.process import Start
from tests.sandbox.receiver import Receiver

DAY = 86_400
PAYS = "AT611904300234573201"
PAYS_LATE = "AT321904300235473204"
FAILS = "AT861904300235473202"
FAILS_LATE = "AT051904300235473205"
FAILS_THEN_PAYS = "AT751904300235473206"
SUBMITTED = [
    "payment_intent.created",
    "charge.pending",
    "payment_intent.processing",
    "checkout.session.completed",
]
ARRIVED = [
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.async_payment_succeeded",
]
BOUNCED = [
    "charge.failed",
    "payment_intent.payment_failed",
    "checkout.session.async_payment_failed",
]


async def opened(merchant: Merchant, **more: Any) -> tuple[Any, Page]:
    session = await merchant.order(**more)
    return session, await Page(merchant.http, session.url).open()


async def debited(merchant: Merchant, iban: str) -> tuple[Any, Page]:
    """A session left to the bank that this IBAN stands for."""
    session, page = await opened(merchant)
    assert (await page.pay_by_account("sepa_debit", iban)).startswith("http://127.0.0.1:9/paid")
    return session, page


async def test_a_debit_completes_the_session_before_the_money_is_there(merchant: Merchant) -> None:
    session, page = await debited(merchant, PAYS)
    found, intent, charge = await merchant.state(session)
    assert (found.status, found.payment_status, found.url) == ("complete", "unpaid", None)
    assert found.customer_details.email == "jo@example.com"
    assert (intent.status, intent.amount_received) == ("processing", 0)
    assert charge.id.startswith("py_")
    assert (charge.status, charge.paid, charge.captured) == ("pending", False, False)
    account = charge.payment_method_details.sepa_debit
    assert (account.last4, account.country, account.bank_code) == ("3201", "AT", "19043")
    assert await merchant.events() == SUBMITTED
    await page.open()
    assert "Your payment is on its way" in page.html


async def test_five_days_later_the_money_arrives(merchant: Merchant) -> None:
    session, page = await debited(merchant, PAYS)
    await merchant.advance(5 * DAY - 60)
    assert await merchant.events() == SUBMITTED
    await merchant.advance(65)
    found, intent, charge = await merchant.state(session)
    assert (found.status, found.payment_status) == ("complete", "paid")
    assert (intent.status, intent.amount_received) == ("succeeded", 1999)
    assert (charge.status, charge.paid, charge.amount_captured) == ("succeeded", True, 1999)
    assert await merchant.events() == [*SUBMITTED, *ARRIVED, "charge.updated"]
    moved: Any = await merchant.stripe.v1.balance_transactions.retrieve_async(
        charge.balance_transaction
    )
    assert (moved.type, moved.reporting_category, moved.amount) == ("payment", "charge", 1999)
    await page.open()
    assert "Already paid" in page.html


async def test_a_bank_may_refuse_days_later(merchant: Merchant) -> None:
    session, page = await debited(merchant, FAILS)
    await merchant.advance(5 * DAY + 1)
    found, intent, charge = await merchant.state(session)
    assert (found.status, found.payment_status) == ("complete", "unpaid")
    assert intent.status == "requires_payment_method"
    error = intent.last_payment_error
    assert (error.code, error.charge) == ("generic_could_not_process", charge.id)
    assert error.payment_method.sepa_debit.last4 == "3202"
    assert (charge.status, charge.failure_code) == ("failed", "generic_could_not_process")
    assert await merchant.events() == [*SUBMITTED, *BOUNCED]
    await page.open()
    assert "This payment failed" in page.html


@pytest.mark.parametrize(("iban", "told"), [(PAYS_LATE, ARRIVED), (FAILS_LATE, BOUNCED)])
async def test_a_slow_bank_takes_two_weeks(merchant: Merchant, iban: str, told: list[str]) -> None:
    await debited(merchant, iban)
    await merchant.advance(14 * DAY - 60)
    assert await merchant.events() == SUBMITTED
    await merchant.advance(61)
    assert await merchant.events() == [*SUBMITTED, *told]


async def test_what_had_failed_may_be_paid_after_all(merchant: Merchant) -> None:
    session, _ = await debited(merchant, FAILS_THEN_PAYS)
    await merchant.advance(5 * DAY + 1)
    assert await merchant.events() == [*SUBMITTED, *BOUNCED]
    _, intent, failed = await merchant.state(session)
    assert (intent.status, failed.status) == ("requires_payment_method", "failed")
    await merchant.advance(PAYS_AFTER_FAILING_S)
    found, intent, charge = await merchant.state(session)
    assert (found.status, found.payment_status) == ("complete", "paid")
    assert (intent.status, intent.last_payment_error) == ("succeeded", None)
    assert (charge.status, charge.amount_captured) == ("succeeded", 1999)
    assert charge.id != failed.id
    assert await merchant.events() == [*SUBMITTED, *BOUNCED, *ARRIVED]


async def test_one_step_of_the_clock_may_hold_failure_and_payment(merchant: Merchant) -> None:
    await merchant.keep_balance()
    session, _ = await debited(merchant, FAILS_THEN_PAYS)
    await merchant.advance(30 * DAY - 60)
    settled = ["charge.updated", "balance.available"]
    assert await merchant.events() == [*SUBMITTED, *BOUNCED, *ARRIVED, *settled]
    events: Any = (await merchant.stripe.v1.events.list_async({"limit": 20})).data
    at = {event.type: event.created for event in events}
    paid, failed = at[ARRIVED[-1]], at[BOUNCED[-1]]
    assert paid - failed == PAYS_AFTER_FAILING_S
    assert failed - at[SUBMITTED[-1]] == 5 * DAY
    assert (await merchant.state(session))[0].payment_status == "paid"


async def test_a_bank_may_never_answer(merchant: Merchant) -> None:
    session, page = await opened(merchant, currency="usd")
    await page.pay_by_account("us_bank_account", "110000000-000000000009")
    await merchant.advance(29 * DAY)
    _, intent, charge = await merchant.state(session)
    assert (intent.status, charge.status) == ("processing", "pending")
    assert await merchant.events() == SUBMITTED


async def test_the_merchant_is_told_of_all_this(merchant: Merchant, receiver: Receiver) -> None:
    names = [SUBMITTED[-1], BOUNCED[-1], ARRIVED[-1]]
    await merchant.listen(receiver.url, names)
    await debited(merchant, FAILS_THEN_PAYS)
    for count in (1, 2, 3):
        await receiver.until(count)
        await merchant.advance(5 * DAY + 1)
    told = [(d.type, d.event["data"]["object"]["payment_status"]) for d in receiver.got]
    assert told == [(names[0], "unpaid"), (names[1], "unpaid"), (names[2], "paid")]


def account_id(account: Account) -> str:
    return account.token


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=account_id)
async def test_each_test_account_does_as_its_table_says(
    merchant: Merchant, account: Account
) -> None:
    currency = next(iter(CURRENCIES[account.debit]))
    session, page = await opened(merchant, currency=currency)
    await page.pay_by_account(account.debit, account.number)
    debit = DEBITS[account.debit]
    days = debit.days_late if account.course.endswith("_late") else debit.days
    await merchant.advance(days * DAY - 1)
    assert await merchant.events() == SUBMITTED
    await merchant.advance(2)
    told = (await merchant.events())[len(SUBMITTED) :]
    if account.course == "stays":
        assert told == []
    elif account.course.startswith("pays"):
        assert told == ARRIVED
    else:
        assert told == BOUNCED
        assert (await merchant.state(session))[2].failure_code == account.failure


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=account_id)
async def test_each_test_account_has_a_payment_method_of_its_name(
    merchant: Merchant, account: Account
) -> None:
    session = await merchant.order(currency=next(iter(CURRENCIES[account.debit])))
    body = await merchant.confirm(session.id, f"pm_{account.token}")
    assert (body["status"], body["payment_status"]) == ("complete", "unpaid")
    assert body["payment_intent"]["status"] == "processing"
    id_ = body["payment_intent"]["payment_method"]
    method: Any = await merchant.stripe.v1.payment_methods.retrieve_async(id_)
    number = parts(DEBITS[account.debit], account.number)
    typed = number.get("account_number") or number["iban"]
    assert method[account.debit].last4 == typed[-4:]
    assert [name for name in CURRENCIES if method[name] is not None] == [account.debit]


async def test_an_account_is_given_by_api_as_on_the_page(merchant: Merchant) -> None:
    form = {
        "type": "sepa_debit",
        "sepa_debit[iban]": "at61 1904 3002 3457 3201",
        "billing_details[name]": "Jo Weaver",
        "billing_details[email]": "jo@example.com",
    }
    status, method, _ = await merchant.post("/v1/payment_methods", form)
    assert (status, method["type"]) == (200, "sepa_debit")
    same = await merchant.post("/v1/payment_methods", {**form, "sepa_debit[iban]": PAYS})
    assert same[1]["sepa_debit"] == method["sepa_debit"]
    session = await merchant.order()
    body = await merchant.confirm(session.id, method["id"])
    assert body["payment_status"] == "unpaid"
    await merchant.advance(5 * DAY + 1)
    assert (await merchant.sessions.retrieve_async(session.id)).payment_status == "paid"


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"type": "gold"}, None, "type"),
        ({"type": "sepa_debit"}, "parameter_missing", "sepa_debit[iban]"),
        ({"type": "sepa_debit", "sepa_debit[iban]": ""}, None, "sepa_debit[iban]"),
        ({"type": "sepa_debit", "sepa_debit[iban]": f"{PAYS[:-1]}2"}, None, "sepa_debit[iban]"),
        ({"type": "sepa_debit", "sepa_debit[bic]": "X"}, "parameter_unknown", "sepa_debit[bic]"),
        (
            {"type": "sepa_debit", "sepa_debit[iban]": "GB33BUKB20201555555555"},
            "bank_account_unusable",
            None,
        ),
        (
            {"type": "bacs_debit", "bacs_debit[sort_code]": "108800"},
            "parameter_missing",
            "bacs_debit[account_number]",
        ),
        (
            {
                "type": "us_bank_account",
                "us_bank_account[routing_number]": "11000000",
                "us_bank_account[account_number]": "000123456789",
            },
            "routing_number_invalid",
            "us_bank_account[routing_number]",
        ),
        ({"type": "boleto"}, "parameter_missing", "boleto"),
    ],
)
async def test_what_is_no_account_is_refused(
    merchant: Merchant, form: dict[str, str], code: str | None, param: str | None
) -> None:
    status, body, _ = await merchant.post("/v1/payment_methods", form)
    error = body["error"]
    assert (status, error.get("code"), error.get("param")) == (400, code, param)
    assert not {value for value in form.values() if len(value) > 12 and value in error["message"]}


async def test_a_method_that_the_page_does_not_offer_pays_nothing(merchant: Merchant) -> None:
    session = await merchant.order(currency="gbp")
    body = await merchant.confirm(session.id, "pm_sepaDebit_success_at")
    assert body["error"]["code"] == "payment_intent_incompatible_payment_method"
    assert body["error"]["param"] == "payment_method"
    assert await merchant.events() == []


async def test_a_debit_may_follow_a_declined_card(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    await page.pay(DECLINED)
    await page.pay_by_account("sepa_debit", PAYS)
    await merchant.advance(5 * DAY + 1)
    found, _, charge = await merchant.state(session)
    assert (found.payment_status, charge.status) == ("paid", "succeeded")
    listed: Any = await merchant.stripe.v1.charges.list_async()
    assert [c.id[:3] for c in listed.data] == ["py_", "ch_"]


async def test_the_account_number_stays_nowhere(
    merchant: Merchant, start: Start, store: Path
) -> None:
    process = start(store)
    mine = Merchant(process.url, merchant.http)
    await debited(mine, FAILS_THEN_PAYS)
    form = {"type": "sepa_debit", "sepa_debit[iban]": FAILS_THEN_PAYS}
    await mine.post("/v1/payment_methods", form, Idempotency_Key="k")
    session, page = await opened(mine, currency="gbp")
    await page.pay_by_account("bacs_debit", "108800-00012346")
    assert page.status == 402
    assert "not a test account" in page.html
    await mine.advance(10 * DAY)
    process.stop()
    rows = "".join(sqlite3.connect(store).iterdump())
    assert session.id in rows
    for number in (FAILS_THEN_PAYS, FAILS_THEN_PAYS[4:], "00012346"):
        assert number not in rows
        assert number not in page.html


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"email": "nobody"}, "email", "valid email"),
        ({"sepa_debit_iban": ""}, "sepa_debit_iban", "Enter the IBAN"),
        ({"sepa_debit_iban": f"{PAYS[:-1]}2"}, "sepa_debit_iban", "not valid"),
        ({"sepa_debit_name": ""}, "sepa_debit_name", "full name"),
    ],
)
async def test_a_typing_mistake_is_shown_where_it_is(
    merchant: Merchant, change: dict[str, str], field: str, message: str
) -> None:
    _, page = await opened(merchant)
    assert await page.pay_by_account("sepa_debit", PAYS, **change) == ""
    assert page.status == 422
    shown = page.html.partition(f'id="{field}-problem">')[2].partition("<")[0]
    assert message in shown
    assert PAYS not in page.html
    assert 'value="sepa_debit" checked' in page.html
    await page.open()
    assert 'value="sepa_debit" checked' in page.html
    assert await merchant.events() == []


async def test_digits_are_counted_without_being_repeated(merchant: Merchant) -> None:
    _, page = await opened(merchant, currency="gbp")
    await page.pay_by_account("bacs_debit", "10880-000123456")
    assert "The sort code has 6 digits." in page.html
    assert "The account number has 8 digits." in page.html
    assert "000123456" not in page.html


async def test_a_debited_session_can_be_neither_expired_nor_paid_again(merchant: Merchant) -> None:
    session, page = await debited(merchant, PAYS)
    with pytest.raises(stripe.InvalidRequestError, match="status of complete"):
        await merchant.sessions.expire_async(session.id)
    assert await page.pay(VISA) == ""
    assert "on its way" in page.html
    await merchant.advance(DAY + 60)  # past the session's own end
    assert await merchant.events() == SUBMITTED
