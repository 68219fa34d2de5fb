"""Money back: what a refund does to charge, balance and events, and what is refused."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import DECLINED, VISA, Json, Merchant, Page

REFUND_PENDS = "4000000000007726"
REFUND_FAILS = "4000000000005126"
DAY = 86_400


async def paid(merchant: Merchant, number: str = VISA, amount: int = 1999, **more: Any) -> Any:
    """The charge of a paid session."""
    session = await merchant.order(amount, **more)
    page = await Page(merchant.http, session.url).open()
    await page.pay(number)
    charge: Any = (await merchant.stripe.v1.charges.list_async({"limit": 1})).data[0]
    return charge


async def refund(merchant: Merchant, **params: Any) -> Any:
    given: Any = params
    return await merchant.stripe.v1.refunds.create_async(given)


async def refusal(merchant: Merchant, **params: Any) -> Json:
    """The error of a refund that is refused with 400 or 404."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await refund(merchant, **params)
    body: Any = refused.value.json_body
    error = body["error"]
    assert error["type"] == "invalid_request_error"
    return {name: error.get(name) for name in ("code", "param", "message")} | {
        "status": refused.value.http_status
    }


async def charge_of(merchant: Merchant, charge: Any) -> Any:
    return await merchant.stripe.v1.charges.retrieve_async(charge.id)


async def newest_event(merchant: Merchant) -> Any:
    return (await merchant.stripe.v1.events.list_async({"limit": 1})).data[0]


async def test_a_refund_gives_all_back_unless_told_how_much(merchant: Merchant) -> None:
    charge = await paid(merchant)
    made = await refund(
        merchant,
        payment_intent=charge.payment_intent,
        reason="duplicate",
        metadata={"payloom_refund": "rfd_1"},
    )
    assert (made.amount, made.currency, made.status) == (1999, "eur", "succeeded")
    assert (made.charge, made.payment_intent) == (charge.id, charge.payment_intent)
    assert (made.reason, made.metadata.to_dict()) == ("duplicate", {"payloom_refund": "rfd_1"})
    assert made.destination_details.card.type == "refund"
    refunded = await charge_of(merchant, charge)
    assert (refunded.amount_refunded, refunded.refunded) == (1999, True)
    events: Any = (await merchant.stripe.v1.events.list_async({"limit": 2})).data
    assert [event.type for event in events] == ["charge.refunded", "refund.created"]
    assert events[0].data.previous_attributes.to_dict() == {"amount_refunded": 0, "refunded": False}
    assert events[1].data.object.id == made.id
    assert events[1].request.id.startswith("req_")


async def test_parts_add_up_to_the_charge_and_no_further(merchant: Merchant) -> None:
    charge = await paid(merchant)
    await refund(merchant, charge=charge.id, amount=500)
    assert (await newest_event(merchant)).data.previous_attributes.to_dict() == {
        "amount_refunded": 0
    }
    half = await charge_of(merchant, charge)
    assert (half.amount_refunded, half.refunded) == (500, False)
    assert await refusal(merchant, charge=charge.id, amount=1500) == {
        "status": 400,
        "code": None,
        "param": "amount",
        "message": "Refund amount (€15.00) is greater than unrefunded amount on charge (€14.99)",
    }
    rest = await refund(merchant, charge=charge.id)
    assert rest.amount == 1499
    assert await refusal(merchant, charge=charge.id, amount=1) == {
        "status": 400,
        "code": "charge_already_refunded",
        "param": None,
        "message": f"Charge {charge.id} has already been refunded.",
    }
    assert (await charge_of(merchant, charge)).amount_refunded == 1999


async def test_the_balance_moves_by_what_was_given_back(merchant: Merchant) -> None:
    charge = await paid(merchant)
    made = await refund(merchant, charge=charge.id, amount=500, expand=["balance_transaction"])
    moved = made.balance_transaction
    assert (moved.type, moved.reporting_category) == ("refund", "refund")
    assert (moved.amount, moved.fee, moved.net) == (-500, 0, -500)
    assert moved.source == made.id
    found: Any = await merchant.stripe.v1.balance_transactions.list_async(
        {"source": made.id, "expand": ["data.source"]}
    )
    assert [t.source.object for t in found.data] == ["refund"]


async def test_a_pending_refund_succeeds_a_day_later(merchant: Merchant) -> None:
    charge = await paid(merchant, REFUND_PENDS)
    made = await refund(merchant, charge=charge.id)
    assert (made.status, made.pending_reason) == ("pending", "processing")
    assert (await charge_of(merchant, charge)).refunded is True
    await merchant.advance(DAY - 60)
    assert (await newest_event(merchant)).type == "charge.updated"
    await merchant.advance(61)
    event = await newest_event(merchant)
    assert (event.type, event.data.object.status) == ("refund.updated", "succeeded")
    assert event.data.previous_attributes.status == "pending"
    assert event.data.object.pending_reason is None
    assert event.created - made.created == DAY
    assert (await merchant.stripe.v1.refunds.retrieve_async(made.id)).status == "succeeded"


async def test_a_refund_may_fail_three_days_after_it_succeeded(merchant: Merchant) -> None:
    charge = await paid(merchant, REFUND_FAILS)
    made = await refund(merchant, charge=charge.id, amount=700)
    assert made.status == "succeeded"
    await merchant.advance(3 * DAY - 60)
    assert (await charge_of(merchant, charge)).amount_refunded == 700
    await merchant.advance(61)
    event = await newest_event(merchant)
    assert event.type == "refund.failed"
    failed = event.data.object
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    back: Any = await merchant.stripe.v1.balance_transactions.retrieve_async(
        failed.failure_balance_transaction
    )
    assert (back.type, back.amount, back.source) == ("refund_failure", 700, made.id)
    after = await charge_of(merchant, charge)
    assert (after.amount_refunded, after.refunded) == (0, False)
    again = await refund(merchant, charge=charge.id)
    assert again.amount == 1999


async def settled(merchant: Merchant, method: str, currency: str, days: int) -> Any:
    """The payment intent of a session paid by this method, once its money is there."""
    session = await merchant.order(currency=currency)
    page = await merchant.confirm(session.id, method)
    await merchant.advance(days * DAY + 1)
    intent: Any = await merchant.stripe.v1.payment_intents.retrieve_async(
        page["payment_intent"]["id"]
    )
    assert intent.status == "succeeded"
    return intent


async def by_voucher(merchant: Merchant) -> Any:
    form = {"type": "oxxo", "billing_details[email]": "jo@example.com"}
    _, method, _ = await merchant.post("/v1/payment_methods", form)
    return await settled(merchant, method["id"], "mxn", 1)


async def test_a_refund_to_a_bank_account_takes_a_day(merchant: Merchant) -> None:
    intent = await settled(merchant, "pm_sepaDebit_success_at", "eur", 5)
    made = await refund(merchant, payment_intent=intent.id, expand=["balance_transaction"])
    assert made.id.startswith("pyr_")
    assert (made.status, made.pending_reason) == ("pending", "processing")
    assert made.destination_details.to_dict() == {"type": "sepa_debit"}
    assert (made.balance_transaction.type, made.balance_transaction.amount) == (
        "payment_refund", -1999,
    )  # fmt: skip
    await merchant.advance(DAY)
    event = await newest_event(merchant)
    assert (event.type, event.data.object.status) == ("refund.updated", "succeeded")


async def test_a_debit_on_its_way_cannot_be_refunded(merchant: Merchant) -> None:
    session = await merchant.order()
    page = await merchant.confirm(session.id, "pm_sepaDebit_success_at")
    intent = page["payment_intent"]
    assert (await refusal(merchant, payment_intent=intent["id"]))["status"] == 400
    error = await refusal(merchant, charge=intent["latest_charge"])
    assert error["code"] == "charge_not_refundable"
    assert "is pending" in error["message"]


async def test_what_was_paid_by_voucher_goes_where_the_shopper_says(merchant: Merchant) -> None:
    intent = await by_voucher(merchant)
    made = await refund(merchant, payment_intent=intent.id, instructions_email="other@example.com")
    assert (made.status, made.pending_reason) == ("requires_action", None)
    sent = made.next_action.display_details.email_sent
    assert (sent.email_sent_to, sent.email_sent_at) == ("other@example.com", made.created)
    assert made.destination_details.type == "mx_bank_transfer"
    await merchant.advance(DAY)
    event = await newest_event(merchant)
    assert (event.type, event.data.object.status) == ("refund.updated", "succeeded")
    assert event.data.previous_attributes.status == "requires_action"
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        await merchant.stripe.v1.refunds.cancel_async(made.id)


async def test_a_refund_may_be_canceled_until_the_shopper_has_said_where(
    merchant: Merchant,
) -> None:
    intent = await by_voucher(merchant)
    made = await refund(merchant, payment_intent=intent.id)
    assert made.next_action.display_details.email_sent.email_sent_to == "jo@example.com"
    canceled = await merchant.stripe.v1.refunds.cancel_async(made.id)
    assert (canceled.status, canceled.failure_reason) == ("canceled", "merchant_request")
    assert canceled.next_action is None
    back: Any = await merchant.stripe.v1.balance_transactions.retrieve_async(
        str(canceled.failure_balance_transaction)
    )
    assert (back.type, back.amount) == ("refund_failure", 1999)
    event = await newest_event(merchant)
    assert (event.type, event.data.object.status) == ("refund.updated", "canceled")
    charge: Any = await merchant.stripe.v1.charges.retrieve_async(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    await merchant.advance(2 * DAY)
    assert (await merchant.events()).count("refund.updated") == 1
    assert (await refund(merchant, payment_intent=intent.id)).amount == 1999


async def test_a_refund_is_found_by_charge_by_intent_and_by_time(merchant: Merchant) -> None:
    first, second = await paid(merchant), await paid(merchant)
    mine = [(await refund(merchant, charge=first.id, amount=100)).id for _ in range(3)]
    other = await refund(merchant, charge=second.id)
    api = merchant.stripe.v1.refunds

    async def ids(**filters: Any) -> list[str]:
        given: Any = filters
        return [r.id for r in (await api.list_async(given)).data]

    assert await ids() == [other.id, *reversed(mine)]
    assert await ids(charge=first.id) == list(reversed(mine))
    assert await ids(payment_intent=first.payment_intent) == list(reversed(mine))
    assert await ids(payment_intent=second.payment_intent) == [other.id]
    assert await ids(payment_intent="pi_none") == []
    assert await ids(limit=2) == [other.id, mine[2]]
    assert await ids(starting_after=mine[2]) == [mine[1], mine[0]]
    assert await ids(ending_before=mine[1], charge=first.id) == [mine[2]]
    assert await ids(created={"gte": other.created - 60, "lt": other.created + 60}) != []
    assert await ids(created={"gt": other.created + 60}) == []
    paged = await api.list_async({"limit": 1})
    assert [r.id async for r in paged.auto_paging_iter()] == await ids()


async def test_a_charge_shows_its_refunds_when_asked(merchant: Merchant) -> None:
    charge = await paid(merchant)
    made = [(await refund(merchant, charge=charge.id, amount=1)).id for _ in range(11)]
    shown: Any = await merchant.stripe.v1.charges.retrieve_async(charge.id, {"expand": ["refunds"]})
    assert shown.refunds.has_more is True
    assert [r.id for r in shown.refunds.data] == list(reversed(made[1:]))
    assert [r.id async for r in shown.refunds.auto_paging_iter()] == list(reversed(made))


async def test_its_metadata_may_be_changed(merchant: Merchant) -> None:
    charge = await paid(merchant)
    made = await refund(merchant, charge=charge.id, metadata={"a": "1", "b": "2"})
    api = merchant.stripe.v1.refunds
    changed = await api.update_async(made.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    event = await newest_event(merchant)
    assert event.type == "refund.updated"
    assert event.data.previous_attributes.to_dict() == {"metadata": {"a": "1", "b": "2"}}
    await api.update_async(made.id, {"metadata": {"c": "3"}})
    assert (await merchant.events()).count("refund.updated") == 1


async def test_each_change_is_told_once_under_its_older_name_too(merchant: Merchant) -> None:
    charge = await paid(merchant, REFUND_FAILS)
    made = await refund(merchant, charge=charge.id)
    assert "charge.refund.updated" not in await merchant.events()
    await merchant.stripe.v1.refunds.update_async(made.id, {"metadata": {"a": "1"}})
    found: Any = await merchant.stripe.v1.events.list_async({"type": "charge.refund.updated"})
    (event,) = found.data
    assert event.data.object.metadata.to_dict() == {"a": "1"}
    assert event.data.previous_attributes.to_dict() == {"metadata": {}}
    await merchant.advance(3 * DAY + 1)
    assert (await merchant.events()).count("charge.refund.updated") == 2
    assert (await merchant.events()).count("refund.failed") == 1


@pytest.mark.parametrize("number", [VISA, REFUND_PENDS])
async def test_a_card_refund_cannot_be_canceled(merchant: Merchant, number: str) -> None:
    charge = await paid(merchant, number)
    made = await refund(merchant, charge=charge.id)
    with pytest.raises(stripe.InvalidRequestError, match=made.status) as refused:
        await merchant.stripe.v1.refunds.cancel_async(made.id)
    assert refused.value.http_status == 400
    assert (await merchant.stripe.v1.refunds.retrieve_async(made.id)).status == made.status


@pytest.mark.parametrize(
    ("wanted", "status", "code", "param"),
    [
        ({"colour": "red"}, 400, "parameter_unknown", "colour"),
        ({"amount": 0}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": -5}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": "much"}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": 2000}, 400, None, "amount"),
        ({"reason": "regret"}, 400, None, "reason"),
        ({"metadata": {"x" * 41: "1"}}, 400, None, "metadata"),
        ({"charge": ""}, 400, "parameter_invalid_empty", "charge"),
        ({"charge": None}, 400, None, None),
        ({"charge": "ch_none"}, 404, "resource_missing", "charge"),
        ({"charge": None, "payment_intent": "pi_none"}, 404, "resource_missing", "payment_intent"),
        ({"payment_intent": "pi_none"}, 400, "parameters_exclusive", "charge"),
        ({"origin": "customer_balance"}, 400, None, "origin"),
        ({"reverse_transfer": True}, 400, None, "reverse_transfer"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_moves_nothing(
    merchant: Merchant, wanted: Json, status: int, code: str | None, param: str | None
) -> None:
    charge = await paid(merchant)
    asked = {"charge": charge.id, **wanted}
    error = await refusal(merchant, **{k: v for k, v in asked.items() if v is not None})
    assert (error["status"], error["code"], error["param"]) == (status, code, param)
    assert (await charge_of(merchant, charge)).amount_refunded == 0
    assert "refund.created" not in await merchant.events()


async def test_nothing_is_given_back_of_what_was_not_paid(merchant: Merchant) -> None:
    charge = await paid(merchant, DECLINED)
    by_intent = await refusal(merchant, payment_intent=charge.payment_intent)
    assert (by_intent["status"], by_intent["code"]) == (400, None)
    assert "does not have a successful charge to refund" in by_intent["message"]
    assert (await refusal(merchant, charge=charge.id))["code"] == "charge_not_refundable"


async def test_the_money_of_another_key_is_out_of_reach(merchant: Merchant) -> None:
    charge = await paid(merchant)
    other = Merchant(merchant.url, merchant.http)
    assert (await refusal(other, charge=charge.id))["status"] == 404
    made = await refund(merchant, charge=charge.id)
    for call in (other.stripe.v1.refunds.retrieve_async, other.stripe.v1.refunds.cancel_async):
        with pytest.raises(stripe.InvalidRequestError, match="No such refund"):
            await call(made.id)
    listed = await other.stripe.v1.refunds.list_async({"charge": charge.id})
    assert listed.data == []


async def test_an_amount_is_told_in_the_decimals_of_its_currency(merchant: Merchant) -> None:
    charge = await paid(merchant, amount=500, currency="jpy")
    error = await refusal(merchant, charge=charge.id, amount=501)
    assert error["message"] == "Refund amount (¥501) is greater than charge amount (¥500)"


async def test_one_key_gives_back_once(merchant: Merchant) -> None:
    charge = await paid(merchant)
    form = {"charge": charge.id, "amount": "500"}
    _, first, _ = await merchant.post("/v1/refunds", form, Idempotency_Key="rfd_1")
    status, again, headers = await merchant.post("/v1/refunds", form, Idempotency_Key="rfd_1")
    assert (status, again, headers["Idempotent-Replayed"]) == (200, first, "true")
    assert (await charge_of(merchant, charge)).amount_refunded == 500
    other = {**form, "amount": "501"}
    status, body, _ = await merchant.post("/v1/refunds", other, Idempotency_Key="rfd_1")
    assert (status, body["error"]["type"]) == (400, "idempotency_error")


async def test_a_refusal_decided_by_the_charge_is_kept_under_its_key(merchant: Merchant) -> None:
    charge = await paid(merchant)
    form = {"charge": charge.id, "amount": "2000"}
    await merchant.post("/v1/refunds", form, Idempotency_Key="rfd_1")
    status, body, headers = await merchant.post("/v1/refunds", form, Idempotency_Key="rfd_1")
    assert (status, body["error"]["param"]) == (400, "amount")
    assert headers["Idempotent-Replayed"] == "true"


async def test_a_refund_whose_answer_is_lost_is_found_again(merchant: Merchant) -> None:
    charge = await paid(merchant)
    await merchant.fault("/v1/refunds", "apply_then_drop", method="POST")
    with pytest.raises(stripe.APIConnectionError):
        await refund(merchant, charge=charge.id, metadata={"payloom_refund": "rfd_1"})
    found = (await merchant.stripe.v1.refunds.list_async({"charge": charge.id})).data
    assert [r.metadata and r.metadata.to_dict() for r in found] == [{"payloom_refund": "rfd_1"}]


async def test_the_log_names_the_refund(merchant: Merchant) -> None:
    charge = await paid(merchant)
    form = {"charge": charge.id}
    _, made, _ = await merchant.post("/v1/refunds", form, Idempotency_Key="k")
    await merchant.post("/v1/refunds", form, Idempotency_Key="k")
    await merchant.post("/v1/refunds", form, Idempotency_Key="k2")
    await merchant.post(f"/v1/refunds/{made['id']}", {"metadata[a]": "1"})
    await merchant.post(f"/v1/refunds/{made['id']}/cancel")
    await merchant.get(f"/v1/refunds/{made['id']}")
    log = [e for e in await merchant.log() if "/refunds" in e["path"]]
    assert [(e["status"], e["replayed"], e["object"]) for e in log] == [
        (200, False, made["id"]),
        (200, True, made["id"]),
        (400, False, None),
        (200, False, made["id"]),
        (400, False, None),
        (200, False, made["id"]),
    ]
