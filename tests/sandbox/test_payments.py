"""What a card does: to session, payment intent, charge, and in events."""

from typing import Any

import pytest
import stripe

from payloom.sandbox.stripe.methods.cards import CARDS
from tests.sandbox.merchant import (
    DECLINED,
    SECURE,
    SECURE_THEN_DECLINED,
    VISA,
    Merchant,
    Page,
)
from tests.sandbox.receiver import Receiver

PAYS_LATE = "4000000000009912"
PAID_EVENTS = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


async def opened(merchant: Merchant, **more: Any) -> tuple[Any, Page]:
    session = await merchant.order(**more)
    return session, await Page(merchant.http, session.url).open()


async def test_a_good_card_completes_the_session(merchant: Merchant) -> None:
    data = {"metadata": {"order": "po_1"}, "description": "Order 1"}
    session, page = await opened(merchant, client_reference_id="a", payment_intent_data=data)
    where = await page.pay(VISA)
    assert (page.status, where) == (303, f"http://127.0.0.1:9/paid?session={session.id}")
    paths = ["payment_intent.latest_charge"]
    paid: Any = await merchant.sessions.retrieve_async(session.id, {"expand": paths})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    details = paid.customer_details
    assert (details.email, details.name, details.address.country) == (
        "jo@example.com", "Jo Weaver", "IE",
    )  # fmt: skip
    intent, charge = paid.payment_intent, paid.payment_intent.latest_charge
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 1999, 1999)
    assert intent.metadata.to_dict() == charge.metadata.to_dict() == {"order": "po_1"}
    assert intent.description == charge.description == "Order 1"
    assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, True)
    assert charge.balance_transaction is None
    card = charge.payment_method_details.card
    assert (card.brand, card.last4, card.exp_month, card.exp_year) == ("visa", "4242", 12, 2034)
    assert await merchant.events() == PAID_EVENTS


async def test_the_balance_transaction_comes_two_seconds_later(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    await page.pay(VISA)
    await merchant.advance(1)
    assert (await merchant.events())[-1] == "checkout.session.completed"
    await merchant.advance(1.5)
    event: Any = (await merchant.stripe.v1.events.list_async({"limit": 1})).data[0]
    assert event.type == "charge.updated"
    assert event.data.previous_attributes.to_dict() == {"balance_transaction": None}
    charge = event.data.object
    found = await merchant.stripe.v1.balance_transactions.retrieve_async(charge.balance_transaction)
    assert (found.amount, found.fee, found.net) == (1999, 90, 1909)
    assert found.source == charge.id
    assert found.fee_details[0].amount == 90


async def test_a_decline_leaves_the_session_open_for_another_card(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    assert (await page.pay(DECLINED)).endswith("?declined=1")
    assert "Your card was declined." in (await page.open(page.url + "?declined=1")).html
    declined: Any = await merchant.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent"]}
    )
    assert (declined.status, declined.payment_status) == ("open", "unpaid")
    error = declined.payment_intent.last_payment_error
    assert (error.code, error.decline_code) == ("card_declined", "generic_decline")
    assert declined.payment_intent.status == "requires_payment_method"
    assert (await page.pay(VISA)).startswith("http://127.0.0.1:9/paid")
    assert await merchant.events() == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        *PAID_EVENTS[1:],
    ]
    charges = await merchant.stripe.v1.charges.list_async(
        {"payment_intent": declined.payment_intent.id}
    )
    assert [c.status for c in charges.data] == ["succeeded", "failed"]


async def test_3d_secure_asks_first_and_then_pays(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    assert await page.pay(SECURE) == f"/c/pay/{session.id}/authenticate"
    waiting: Any = await merchant.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent"]}
    )
    assert (waiting.status, waiting.payment_intent.status) == ("open", "requires_action")
    assert waiting.payment_intent.next_action.redirect_to_url.url == f"{page.url}/authenticate"
    await page.open(f"{page.url}/authenticate")
    assert "Complete authentication" in page.html
    assert (await page.authenticate("complete")).startswith("http://127.0.0.1:9/paid")
    assert await merchant.events() == [
        "payment_intent.created",
        "payment_intent.requires_action",
        *PAID_EVENTS[1:],
    ]
    charge: Any = (await merchant.stripe.v1.charges.list_async()).data[0]
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"


async def test_failed_authentication_leaves_the_session_open(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    await page.pay(SECURE)
    await page.open(f"{page.url}/authenticate")
    assert (await page.authenticate("fail")).endswith("?declined=1")
    assert "unable to authenticate" in (await page.open(f"{page.url}?declined=1")).html
    failed: Any = (await merchant.stripe.v1.payment_intents.list_async()).data[0]
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert failed.latest_charge is None
    assert (await merchant.events())[-1] == "payment_intent.payment_failed"
    assert (await page.pay(VISA)).startswith("http://127.0.0.1:9/paid")


async def test_3d_secure_may_pass_and_the_bank_still_decline(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    await page.pay(SECURE_THEN_DECLINED)
    await page.open(f"{page.url}/authenticate")
    assert (await page.authenticate("complete")).endswith("?declined=1")
    assert (await merchant.events())[-2:] == ["charge.failed", "payment_intent.payment_failed"]


async def test_an_abandoned_challenge_may_be_replaced_by_another_card(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    await page.pay(SECURE)
    await page.open()
    assert (await page.pay(VISA)).startswith("http://127.0.0.1:9/paid")
    await page.open(f"{page.url}/authenticate")
    assert "Already paid" in page.html
    assert (await merchant.events()).count("charge.succeeded") == 1


async def test_optional_3d_secure_is_frictionless_unless_the_merchant_insists(
    merchant: Merchant,
) -> None:
    _, page = await opened(merchant)
    assert (await page.pay("4000000000003055")).startswith("http://127.0.0.1:9/paid")
    options = {"card": {"request_three_d_secure": "challenge"}}
    _, page = await opened(merchant, payment_method_options=options)
    assert (await page.pay("4000000000003055")).endswith("/authenticate")


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000009987", "card_declined", "lost_card"),
        ("4000000000009979", "card_declined", "stolen_card"),
        ("4000000000006975", "card_declined", "card_velocity_exceeded"),
        ("4000000000000069", "expired_card", "expired_card"),
        ("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
        ("4000000000000119", "processing_error", "processing_error"),
        ("4100000000000019", "card_declined", "fraudulent"),
        ("4000000000000341", "card_declined", "generic_decline"),
    ],
)
async def test_each_documented_card_declines_with_its_code(
    merchant: Merchant, number: str, code: str, decline_code: str
) -> None:
    _, page = await opened(merchant)
    await page.pay(number)
    intent: Any = (await merchant.stripe.v1.payment_intents.list_async()).data[0]
    error = intent.last_payment_error
    assert (error.code, error.decline_code) == (code, decline_code)
    assert error.payment_method.card.last4 == number[-4:]
    charge: Any = (await merchant.stripe.v1.charges.list_async()).data[0]
    assert (charge.failure_code, charge.status, charge.paid) == (code, "failed", False)


@pytest.mark.parametrize(
    "card", [c for c in CARDS.values() if not c.decline and c.three_d_secure in ("", "optional")]
)
async def test_each_documented_good_card_pays_with_its_brand(merchant: Merchant, card: Any) -> None:
    _, page = await opened(merchant)
    where = await page.pay(card.number, cardCvc="1234" if card.brand == "amex" else "123")
    assert where.startswith("http://127.0.0.1:9/paid")
    charge: Any = (await merchant.stripe.v1.charges.list_async()).data[0]
    details = charge.payment_method_details.card
    assert (details.brand, details.last4) == (card.brand, card.number[-4:])
    assert (details.funding, details.country) == (card.funding, card.country)


async def test_a_payment_without_the_page_as_the_cli_makes_it(merchant: Merchant) -> None:
    session = await merchant.order(3000, "usd")
    status, page = await merchant.get(f"/v1/payment_pages/{session.id}")
    assert (status, page["session_id"], page["status"]) == (200, session.id, "open")
    card = {"type": "card", "card[token]": "tok_visa", "billing_details[email]": "a@b.example"}
    _, method, _ = await merchant.post("/v1/payment_methods", card)
    assert (method["card"]["last4"], method["billing_details"]["email"]) == ("4242", "a@b.example")
    path = f"/v1/payment_pages/{session.id}/confirm"
    wrong = {"payment_method": method["id"], "expected_amount": "2999"}
    assert (await merchant.post(path, wrong))[0] == 400
    status, done, _ = await merchant.post(path, {**wrong, "expected_amount": "3000"})
    assert (status, done["payment_status"]) == (200, "paid")
    status, again, _ = await merchant.post(path, {**wrong, "expected_amount": "3000"})
    assert (status, again["error"]["code"]) == (400, "payment_intent_unexpected_state")
    events: Any = await merchant.stripe.v1.events.list_async({"type": "checkout.session.completed"})
    assert len(events.data) == 1
    assert events.data[0].request.id.startswith("req_")


async def test_a_declined_confirmation_is_402_and_keeps_what_it_wrote(merchant: Merchant) -> None:
    session = await merchant.order()
    body = await merchant.confirm(session.id, "pm_card_chargeDeclinedInsufficientFunds")
    error = body["error"]
    assert (error["type"], error["code"]) == ("card_error", "card_declined")
    assert error["decline_code"] == "insufficient_funds"
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert (await merchant.sessions.retrieve_async(session.id)).status == "open"
    assert (await merchant.events())[-1] == "payment_intent.payment_failed"


async def test_a_confirmation_may_end_in_a_challenge(merchant: Merchant) -> None:
    session = await merchant.order()
    body = await merchant.confirm(session.id, "pm_card_threeDSecure2Required")
    intent = body["payment_intent"]
    assert intent["status"] == "requires_action"
    page = await Page(merchant.http, session.url).open(
        intent["next_action"]["redirect_to_url"]["url"]
    )
    assert (await page.authenticate("complete")).startswith("http://127.0.0.1:9/paid")


@pytest.mark.parametrize(
    ("card", "code", "param"),
    [
        ({"number": "4242424242424241"}, "incorrect_number", "card[number]"),
        ({"number": "42424242"}, "incorrect_number", "card[number]"),
        ({"number": "abcd"}, "invalid_number", "card[number]"),
        ({"exp_month": "13"}, "invalid_expiry_month", "card[exp_month]"),
        ({"exp_year": "2020"}, "invalid_expiry_year", "card[exp_year]"),
        ({"cvc": "12"}, "invalid_cvc", "card[cvc]"),
        ({"number": "4111111111111111"}, "card_declined", None),
    ],
)
async def test_a_bad_card_is_a_card_error(
    merchant: Merchant, card: dict[str, str], code: str, param: str | None
) -> None:
    typed = {"number": VISA, "exp_month": "12", "exp_year": "34", "cvc": "123", **card}
    params: Any = {"type": "card", "card": typed}
    with pytest.raises(stripe.CardError) as refused:
        await merchant.stripe.v1.payment_methods.create_async(params)
    assert (refused.value.http_status, refused.value.code) == (402, code)
    assert refused.value.param == param


async def test_the_same_card_has_the_same_fingerprint(merchant: Merchant) -> None:
    async def fingerprint(token: str) -> str:
        form = {"type": "card", "card[token]": token}
        _, method, _ = await merchant.post("/v1/payment_methods", form)
        return str(method["card"]["fingerprint"])

    assert await fingerprint("tok_visa") == await fingerprint("tok_visa")
    assert await fingerprint("tok_visa") != await fingerprint("tok_mastercard")


async def test_a_session_over_nothing_completes_without_a_payment(merchant: Merchant) -> None:
    session, page = await opened(merchant, amount=0)
    assert session.payment_status == "no_payment_required"
    assert 'id="cardNumber"' not in page.html
    assert await page.submit(page.url, {"email": "nobody"}) == ""
    assert page.status == 422
    where = await page.submit(page.url, {"email": "jo@example.com"})
    assert where.startswith("http://127.0.0.1:9/paid")
    done = await merchant.sessions.retrieve_async(session.id)
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert done.payment_intent is None
    assert await merchant.events() == ["checkout.session.completed"]


async def test_events_say_who_caused_them(merchant: Merchant, receiver: Receiver) -> None:
    _, page = await opened(merchant)
    await page.pay(VISA)
    other = await merchant.order()
    await merchant.post(f"/v1/checkout/sessions/{other.id}/expire", Idempotency_Key="mine")
    events: Any = await merchant.stripe.v1.events.list_async()
    by_type = {event.type: event for event in events.data}
    shopper = by_type["checkout.session.completed"].request
    assert (shopper.id, shopper.idempotency_key) == (None, None)
    caller = by_type["checkout.session.expired"].request
    assert caller.id.startswith("req_")
    assert caller.idempotency_key == "mine"


async def test_an_expired_session_cannot_be_paid(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    await merchant.sessions.expire_async(session.id)
    assert await page.pay(VISA) == ""
    assert "expired" in page.html
    body = await merchant.confirm(session.id, "pm_card_visa")
    assert body["error"]["code"] == "payment_intent_unexpected_state"
    assert await merchant.events() == ["checkout.session.expired"]


async def test_one_card_of_our_own_pays_a_page_that_has_expired(merchant: Merchant) -> None:
    session, page = await opened(merchant)
    await merchant.sessions.expire_async(session.id)
    assert (await page.pay(PAYS_LATE)).startswith("http://127.0.0.1:9/paid")
    paid = await merchant.sessions.retrieve_async(session.id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert await merchant.events() == ["checkout.session.expired", *PAID_EVENTS]
    assert await page.pay(PAYS_LATE) == ""
    assert "Already paid" in page.html
    assert (await merchant.events()).count("charge.succeeded") == 1


async def test_a_challenge_cannot_be_completed_after_expiry(merchant: Merchant) -> None:
    _, page = await opened(merchant)
    await page.pay(SECURE)
    await page.open(f"{page.url}/authenticate")
    await merchant.advance(24 * 3600 + 1)
    assert await page.authenticate("complete") == ""
    assert page.status == 410
    assert "charge.succeeded" not in await merchant.events()


async def test_events_are_found_by_type_time_and_delivery(
    merchant: Merchant, receiver: Receiver
) -> None:
    receiver.status = 500
    await merchant.listen(receiver.url, ["charge.succeeded"])
    _, page = await opened(merchant)
    await page.pay(VISA)
    await receiver.until(1)

    async def found(**filters: Any) -> list[str]:
        params: Any = filters
        return [e.type for e in (await merchant.stripe.v1.events.list_async(params)).data]

    assert await found(type="charge.*") == ["charge.succeeded"]
    types = ["payment_intent.created", "checkout.session.completed"]
    assert await found(types=types) == list(reversed(types))
    assert await found(delivery_success=False) == ["charge.succeeded"]
    assert len(await found(delivery_success=True)) == 3
    clock = await merchant.advance(0)
    assert await found(created={"gt": clock["now"] + 5}) == []
    assert len(await found(created={"gte": clock["now"] - 60}, limit=2)) == 2
    await merchant.advance(31 * 86_400)
    assert await found(type="payment_intent.created") == []
