"""What Stripe keeps, what the account has and will have, and the movements that add up to it."""

from typing import Any

import pytest
import stripe

from payloom.sandbox.stripe.balance import fees
from tests.sandbox.merchant import DAY, Merchant

pytestmark = pytest.mark.usefixtures("new_day")
IRISH = "pm_card_bypassPendingInternational"


async def paid(
    merchant: Merchant,
    amount: int = 5000,
    currency: str = "usd",
    method: str = "pm_card_visa",
    wait_s: int = 2,
) -> str:
    """The charge of a payment whose money is booked."""
    intent = await merchant.stripe.v1.payment_intents.create_async(
        {
            "amount": amount,
            "currency": currency,
            "payment_method": method,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    await merchant.advance(wait_s)
    return str(intent.latest_charge)


async def sums(merchant: Merchant, currency: str = "usd") -> tuple[int, int]:
    """What is available, and what is pending."""
    balance = await merchant.stripe.v1.balance.retrieve_async()
    available = sum(part.amount for part in balance.available if part.currency == currency)
    return available, sum(part.amount for part in balance.pending if part.currency == currency)


async def transactions(merchant: Merchant, **filters: Any) -> list[Any]:
    given: Any = filters
    return list((await merchant.stripe.v1.balance_transactions.list_async(given)).data)


@pytest.mark.parametrize(
    ("currency", "brand", "country", "amount", "fee"),
    [
        ("usd", "visa", "US", 10_000, 320),
        ("usd", "amex", "US", 10_000, 320),
        ("usd", "visa", "IE", 10_000, 470),
        ("usd", "visa", "US", 50, 31),
        ("usd", "visa", "US", 1_999, 88),
        ("eur", "visa", "IE", 10_000, 175),
        ("eur", "amex", "FR", 10_000, 215),
        ("eur", "amex", "US", 10_000, 350),
        ("gbp", "visa", "GB", 10_000, 170),
        ("gbp", "visa", "US", 10_000, 345),
        ("jpy", "visa", "US", 10_000, 360),
        ("kwd", "visa", "US", 10_000, 590),
        ("brl", "visa", "US", 10, 10),
    ],
)
def test_a_card_costs_by_currency_brand_and_country(
    currency: str, brand: str, country: str, amount: int, fee: int
) -> None:
    assert fees.rate_of_card(currency, brand, country).of(amount) == fee


@pytest.mark.parametrize(
    ("type_", "currency", "amount", "fee"),
    [
        ("us_bank_account", "usd", 10_000, 80),
        ("us_bank_account", "usd", 1_000_000, 500),
        ("sepa_debit", "eur", 10_000, 35),
        ("bacs_debit", "gbp", 1_000, 20),
        ("bacs_debit", "gbp", 10_000, 100),
        ("konbini", "jpy", 1_000, 120),
        ("a_new_method", "usd", 10_000, 320),
        ("a_new_method", "aed", 10_000, 320),
    ],
)
def test_another_method_has_a_rate_of_its_own(
    type_: str, currency: str, amount: int, fee: int
) -> None:
    assert fees.rate_of_method(type_, currency).of(amount) == fee


def test_a_dispute_costs_fifteen() -> None:
    assert [fees.of_dispute(c) for c in ("usd", "eur", "jpy", "kwd")] == [1500, 1500, 1500, 15000]


async def test_a_payment_is_pending_until_its_day(merchant: Merchant) -> None:
    await merchant.keep_balance()
    charge = await paid(merchant)
    (moved,) = await transactions(merchant, source=charge)
    assert (moved.status, moved.net) == ("pending", 4825)
    assert moved.available_on % DAY == 0
    assert DAY < moved.available_on - moved.created <= 2 * DAY
    assert (moved.exchange_rate, moved.balance_type) == (None, "payments")
    assert await sums(merchant) == (0, 4825)
    await merchant.advance(moved.available_on - moved.created - 60)
    assert await sums(merchant) == (0, 4825)
    assert "balance.available" not in await merchant.events()
    await merchant.advance(61)
    assert await sums(merchant) == (4825, 0)
    (moved,) = await transactions(merchant, source=charge)
    assert moved.status == "available"
    opened: Any = await merchant.stripe.v1.charges.retrieve_async(
        charge, {"expand": ["balance_transaction"]}
    )
    assert opened.balance_transaction.status == "available"
    event: Any = (await merchant.stripe.v1.events.list_async({"limit": 1})).data[0]
    assert event.type == "balance.available"
    assert event.created == moved.available_on
    (usd,) = event.data.object.available
    assert (usd.amount, usd.currency, usd.source_types.card) == (4825, "usd", 4825)


async def test_all_of_a_day_becomes_available_in_one_event(merchant: Merchant) -> None:
    await merchant.keep_balance()
    await paid(merchant)
    await paid(merchant)
    await paid(merchant, currency="eur")
    balance = await merchant.stripe.v1.balance.retrieve_async()
    assert [(part.currency, part.amount) for part in balance.available] == [("eur", 0), ("usd", 0)]
    await merchant.advance(3 * DAY)
    assert (await merchant.events()).count("balance.available") == 1
    assert await sums(merchant) == (2 * 4825, 0)
    assert await sums(merchant, "eur") == (5000 - 188, 0)


async def test_a_card_may_skip_the_pending_balance(merchant: Merchant) -> None:
    await merchant.keep_balance()
    charge = await paid(merchant, method="pm_card_bypassPending", wait_s=0)
    (moved,) = await transactions(merchant, source=charge)
    assert (await merchant.events())[-3:] == [
        "charge.updated", "balance.available", "payment_intent.succeeded",
    ]  # fmt: skip
    assert (moved.status, moved.available_on) == ("available", moved.created)
    assert await sums(merchant) == (4825, 0)
    await paid(merchant, method=IRISH)
    assert await sums(merchant) == (4825 + 5000 - 250, 0)


async def test_an_account_without_money_has_none_in_dollars(merchant: Merchant) -> None:
    status, body = await merchant.get("/v1/balance")
    assert (status, body["object"], body["livemode"]) == (200, "balance", False)
    assert "id" not in body
    none = {"bank_account": None, "card": 0, "fpx": None}
    assert body["available"] == body["pending"]
    assert body["available"] == [{"amount": 0, "currency": "usd", "source_types": none}]


async def test_the_balance_is_the_sum_of_its_transactions(merchant: Merchant) -> None:
    await merchant.keep_balance()
    charge = await paid(merchant)
    await paid(merchant, 700, method="pm_card_bypassPending")
    await paid(merchant, 2000, method="pm_card_createDispute")
    await merchant.stripe.v1.refunds.create_async({"charge": charge, "amount": 1234})
    for _ in range(3):
        found = await transactions(merchant, limit=100)
        by_status = {"available": 0, "pending": 0}
        for moved in found:
            by_status[moved.status] += moved.net
            assert moved.net == moved.amount - moved.fee
            assert moved.fee == sum(part.amount for part in moved.fee_details)
        assert len(found) == 5
        assert await sums(merchant) == tuple(by_status.values())
        await merchant.advance(DAY)


async def test_transactions_are_found_by_what_they_are(merchant: Merchant) -> None:
    charge = await paid(merchant)
    await paid(merchant, currency="eur")
    refund = await merchant.stripe.v1.refunds.create_async({"charge": charge})
    (back,) = await transactions(merchant, type="refund")
    assert (back.source, back.description) == (refund.id, "REFUND FOR CHARGE")
    assert [t.source for t in await transactions(merchant, source=refund.id)] == [refund.id]
    assert [t.currency for t in await transactions(merchant, currency="eur")] == ["eur"]
    assert [t.type for t in await transactions(merchant, currency="usd")] == ["refund", "charge"]
    assert await transactions(merchant, type="no_such_type") == []
    assert await transactions(merchant, created={"gt": back.created + 60}) == []
    newest = (await transactions(merchant, limit=1))[0]
    assert newest.id == back.id
    assert len(await transactions(merchant, starting_after=newest.id)) == 2


async def test_a_transaction_that_is_not_there(merchant: Merchant) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such balance transaction") as refused:
        await merchant.stripe.v1.balance_transactions.retrieve_async("txn_none")
    assert (refused.value.http_status, refused.value.param) == (404, "id")


async def test_each_movement_says_for_what_and_what_was_kept_of_it(merchant: Merchant) -> None:
    by_card = await paid(merchant)
    by_debit = await paid(merchant, 1000, method="pm_usBankAccount_success", wait_s=6 * DAY)
    for charge in (by_card, by_debit):
        await merchant.stripe.v1.refunds.create_async({"charge": charge})
    found = await transactions(merchant, limit=100)
    kept = [(t.type, t.reporting_category, t.fee) for t in reversed(found) if t.type != "payout"]
    assert kept == [
        ("charge", "charge", 175),
        ("payment", "charge", 8),
        ("refund", "refund", 0),
        ("payment_refund", "refund", 0),
    ]
    (fee,) = next(t.fee_details for t in found if t.source == by_card)
    assert fee.to_dict() == {
        "amount": 175, "application": None, "currency": "usd",
        "description": "Stripe processing fees", "type": "stripe_fee",
    }  # fmt: skip
    assert [t.fee_details for t in found if t.type == "refund"] == [[]]


async def test_the_fee_is_of_what_was_captured(merchant: Merchant) -> None:
    intent = await merchant.stripe.v1.payment_intents.create_async(
        {
            "amount": 5000,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "capture_method": "manual",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    await merchant.stripe.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 1000})
    await merchant.advance(2)
    (moved,) = await transactions(merchant)
    assert (moved.amount, moved.fee) == (1000, 59)


async def test_what_moved_the_money_is_shown_whole_on_demand(merchant: Merchant) -> None:
    charge = await paid(merchant)
    (listed,) = await transactions(merchant, expand=["data.source"])
    one: Any = await merchant.stripe.v1.balance_transactions.retrieve_async(
        listed.id, {"expand": ["source"]}
    )
    assert (listed.source.id, one.source.id) == (charge, charge)
    status, body = await merchant.get("/v1/balance?expand[]=available")
    assert (status, "cannot be expanded" in body["error"]["message"]) == (400, True)


async def test_the_money_of_a_live_key_is_live(merchant: Merchant) -> None:
    live = Merchant(merchant.url, merchant.http, merchant.key.replace("_test_", "_live_"))
    assert (await live.stripe.v1.balance.retrieve_async()).livemode is True


async def test_money_is_of_one_key_and_forgotten_with_it(merchant: Merchant) -> None:
    await paid(merchant)
    assert await sums(Merchant(merchant.url, merchant.http)) == (0, 0)
    await merchant.http.post(f"{merchant.url}/_sandbox/reset", headers=merchant.auth)
    assert await sums(merchant) == (0, 0)
