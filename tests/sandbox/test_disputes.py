"""Disputes: opened by test cards, answered, decided, and what they do to the balance."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import Json, Merchant, Page

DAY = 86_400
FRAUDULENT = "pm_card_createDispute"
NOT_RECEIVED = "pm_card_createDisputeProductNotReceived"
INQUIRY = "pm_card_createDisputeInquiry"
WARNED = "pm_card_createIssuerFraudRecord"


async def paid(merchant: Merchant, method: str, **more: Any) -> Any:
    """The payment intent of a payment by this card."""
    given: Any = {
        "amount": 5000,
        "currency": "usd",
        "payment_method": method,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        **more,
    }
    return await merchant.stripe.v1.payment_intents.create_async(given)


async def disputed(merchant: Merchant, method: str = FRAUDULENT, **more: Any) -> Any:
    await paid(merchant, method, **more)
    (dispute,) = (await merchant.stripe.v1.disputes.list_async()).data
    return dispute


async def answer(merchant: Merchant, dispute: Any, text: str, **more: Any) -> Any:
    given: Any = {"evidence": {"uncategorized_text": text}, **more}
    return await merchant.stripe.v1.disputes.update_async(dispute.id, given)


async def now(merchant: Merchant, dispute: Any) -> Any:
    return await merchant.stripe.v1.disputes.retrieve_async(dispute.id)


async def events(merchant: Merchant, prefix: str = "charge.dispute.") -> list[str]:
    """What was told of disputes, oldest first."""
    return [
        type_.removeprefix(prefix) for type_ in await merchant.events() if type_.startswith(prefix)
    ]


async def available(merchant: Merchant, currency: str = "usd") -> int:
    balance = await merchant.stripe.v1.balance.retrieve_async()
    return sum(part.amount for part in balance.available if part.currency == currency)


async def test_it_is_there_before_the_payment_is_answered(merchant: Merchant) -> None:
    form = {"amount": "5000", "currency": "usd", "confirm": "true", "payment_method": FRAUDULENT}
    await merchant.post("/v1/payment_intents", form | {"payment_method_types[]": "card"})
    assert await merchant.events() == [
        "payment_intent.created",
        "charge.succeeded",
        "charge.updated",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "payment_intent.succeeded",
    ]


@pytest.mark.parametrize(
    ("method", "reason", "code"),
    [(FRAUDULENT, "fraudulent", "10.4"), (NOT_RECEIVED, "product_not_received", "13.1")],
)
async def test_a_chargeback_takes_the_money_and_a_fee(
    merchant: Merchant, method: str, reason: str, code: str
) -> None:
    dispute = await disputed(merchant, method)
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", reason, 5000)
    card = dispute.payment_method_details.card
    assert (card.case_type, card.network_reason_code, card.brand) == ("chargeback", code, "visa")
    assert dispute.is_charge_refundable is False
    (out,) = dispute.balance_transactions
    assert (out.amount, out.fee, out.net) == (-5000, 1500, -6500)
    assert (out.type, out.reporting_category) == ("adjustment", "dispute")
    assert out.fee_details[0].description == "Dispute fee"
    assert out.source == dispute.id
    assert await events(merchant) == ["created", "funds_withdrawn"]
    assert await available(merchant) == -6500
    charge = await merchant.stripe.v1.charges.retrieve_async(dispute.charge)
    assert charge.disputed is True
    assert charge.balance_transaction


async def test_its_last_moment_is_the_end_of_a_day(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    due_by = dispute.evidence_details.due_by
    assert due_by % DAY == DAY - 1
    assert 8 * DAY <= due_by - dispute.created <= 9 * DAY


async def test_what_is_won_comes_back_without_the_fee(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    answered = await answer(merchant, dispute, "winning_evidence")
    assert (answered.status, answered.evidence_details.submission_count) == ("under_review", 1)
    assert answered.evidence_details.has_evidence is True
    await merchant.advance(6)
    won = await now(merchant, dispute)
    assert (won.status, won.is_charge_refundable) == ("won", True)
    back = won.balance_transactions[1]
    assert (back.amount, back.fee, back.net) == (5000, 0, 5000)
    assert (back.type, back.reporting_category) == ("adjustment", "dispute_reversal")
    assert await available(merchant) == -1500
    assert await events(merchant) == [
        "created", "funds_withdrawn", "updated", "funds_reinstated", "closed",
    ]  # fmt: skip
    refund = await merchant.stripe.v1.refunds.create_async({"charge": dispute.charge})
    assert refund.amount == 5000


async def test_what_is_lost_stays_away(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    await answer(merchant, dispute, "losing_evidence")
    await merchant.advance(6)
    lost = await now(merchant, dispute)
    assert (lost.status, len(lost.balance_transactions)) == ("lost", 1)
    assert await available(merchant) == -6500
    assert (await events(merchant))[-1] == "closed"
    with pytest.raises(stripe.InvalidRequestError, match="charged back") as refused:
        await merchant.stripe.v1.refunds.create_async({"charge": dispute.charge})
    assert refused.value.code == "charge_disputed"


async def test_other_evidence_stays_under_review(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    await answer(merchant, dispute, "It was delivered.")
    await merchant.advance(300 * DAY)
    assert (await now(merchant, dispute)).status == "under_review"


async def test_silence_loses(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    due_by = dispute.evidence_details.due_by
    await merchant.advance(due_by - dispute.created - 60)
    assert (await now(merchant, dispute)).status == "needs_response"
    await merchant.advance(60)
    lost = await now(merchant, dispute)
    assert (lost.status, lost.evidence_details.past_due) == ("lost", True)
    assert (await events(merchant))[-1] == "closed"


async def test_evidence_is_kept_until_it_is_submitted(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    staged = await answer(merchant, dispute, "winning_evidence", submit=False)
    assert staged.status == "needs_response"
    details = staged.evidence_details
    assert (details.has_evidence, details.submission_count) == (True, 0)
    event: Any = (await merchant.stripe.v1.events.list_async({"limit": 1})).data[0]
    assert event.data.previous_attributes.to_dict() == {
        "evidence": {"uncategorized_text": None},
        "evidence_details": {"has_evidence": False},
    }
    named: Any = {"evidence": {"customer_name": "Jo Weaver"}, "submit": False}
    await merchant.stripe.v1.disputes.update_async(dispute.id, named)
    sent = await merchant.stripe.v1.disputes.update_async(dispute.id, {"submit": True})
    assert (sent.status, sent.evidence.customer_name) == ("under_review", "Jo Weaver")
    await merchant.advance(6)
    assert (await now(merchant, dispute)).status == "won"


async def test_metadata_alone_submits_nothing(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    await answer(merchant, dispute, "winning_evidence", submit=False)
    api = merchant.stripe.v1.disputes
    noted = await api.update_async(dispute.id, {"metadata": {"a": "1"}})
    assert (noted.status, noted.metadata.to_dict()) == ("needs_response", {"a": "1"})


async def test_evidence_is_submitted_once(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    await answer(merchant, dispute, "It was delivered.")
    with pytest.raises(stripe.InvalidRequestError, match="already submitted"):
        await answer(merchant, dispute, "winning_evidence")
    assert (await now(merchant, dispute)).evidence.uncategorized_text == "It was delivered."


async def test_a_dispute_can_be_given_up_once(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    given_up = await merchant.stripe.v1.disputes.close_async(dispute.id)
    assert given_up.status == "lost"
    assert (await events(merchant))[-1] == "closed"
    for call in (merchant.stripe.v1.disputes.close_async, merchant.stripe.v1.disputes.update_async):
        with pytest.raises(stripe.InvalidRequestError, match="This dispute is already closed"):
            await call(dispute.id)
    await merchant.advance(10 * DAY)
    assert (await events(merchant)).count("closed") == 1


async def test_an_inquiry_moves_no_money(merchant: Merchant) -> None:
    dispute = await disputed(merchant, INQUIRY)
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    assert dispute.payment_method_details.card.case_type == "inquiry"
    assert dispute.is_charge_refundable is True
    assert await events(merchant) == ["created"]
    assert await available(merchant) == 0
    answered = await answer(merchant, dispute, "winning_evidence")
    assert answered.status == "warning_under_review"
    await merchant.advance(6)
    closed = await now(merchant, dispute)
    assert (closed.status, closed.balance_transactions) == ("warning_closed", [])
    assert await events(merchant) == ["created", "updated", "closed"]


async def test_an_inquiry_ends_when_all_was_given_back(merchant: Merchant) -> None:
    dispute = await disputed(merchant, INQUIRY)
    await merchant.stripe.v1.refunds.create_async({"charge": dispute.charge, "amount": 2000})
    assert (await now(merchant, dispute)).status == "warning_needs_response"
    await merchant.stripe.v1.refunds.create_async({"charge": dispute.charge})
    assert (await now(merchant, dispute)).status == "warning_closed"
    assert await events(merchant) == ["created", "closed"]


async def test_an_inquiry_may_become_a_chargeback(merchant: Merchant) -> None:
    dispute = await disputed(merchant, INQUIRY)
    refund = await merchant.stripe.v1.refunds.create_async(
        {"charge": dispute.charge, "amount": 2000}
    )
    await answer(merchant, dispute, "escalate_inquiry_evidence")
    await merchant.advance(6)
    escalated = await now(merchant, dispute)
    assert (escalated.status, escalated.is_charge_refundable) == ("needs_response", False)
    assert escalated.payment_method_details.card.case_type == "chargeback"
    (out,) = escalated.balance_transactions
    assert (out.amount, out.net) == (-5000, -6500)
    assert await events(merchant) == ["created", "updated", "updated", "funds_withdrawn"]
    returned = await merchant.stripe.v1.refunds.retrieve_async(refund.id)
    assert (returned.status, returned.failure_reason) == (
        "failed", "charge_for_pending_refund_disputed",
    )  # fmt: skip
    assert await available(merchant) == -6500
    await answer(merchant, dispute, "winning_evidence")
    await merchant.advance(6)
    assert (await now(merchant, dispute)).status == "won"


async def test_an_unanswered_inquiry_is_closed_in_the_end(merchant: Merchant) -> None:
    dispute = await disputed(merchant, INQUIRY)
    await merchant.advance(10 * DAY)
    late = await now(merchant, dispute)
    assert (late.status, late.evidence_details.past_due) == ("warning_needs_response", True)
    assert await events(merchant) == ["created", "updated"]
    await merchant.advance(111 * DAY)
    assert (await now(merchant, dispute)).status == "warning_closed"
    assert await events(merchant) == ["closed"]  # the others are over 30 days old


async def test_a_held_payment_is_disputed_once_it_is_captured(merchant: Merchant) -> None:
    intent = await paid(merchant, FRAUDULENT, capture_method="manual")
    assert await events(merchant) == []
    given: Any = {"amount_to_capture": 3000}
    await merchant.stripe.v1.payment_intents.capture_async(intent.id, given)
    (dispute,) = (await merchant.stripe.v1.disputes.list_async()).data
    assert dispute.amount == 3000


async def test_disputes_are_found_by_charge_intent_and_time(merchant: Merchant) -> None:
    first = await disputed(merchant)
    await paid(merchant, INQUIRY)
    api = merchant.stripe.v1.disputes

    async def ids(**filters: Any) -> list[str]:
        given: Any = filters
        return [d.id for d in (await api.list_async(given)).data]

    both = await ids()
    assert (len(both), both[1]) == (2, first.id)
    assert await ids(charge=first.charge) == [first.id]
    assert await ids(payment_intent=first.payment_intent) == [first.id]
    assert await ids(created={"gt": first.created + 60}) == []
    assert await ids(starting_after=both[0]) == [first.id]
    opened: Any = await api.retrieve_async(first.id, {"expand": ["charge", "payment_intent"]})
    assert (opened.charge.disputed, opened.payment_intent.status) == (True, "succeeded")


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"colour": "red"}, "colour"),
        ({"evidence[receipt]": "file_1"}, "evidence[receipt]"),
        ({"evidence[colour]": "red"}, "evidence[colour]"),
        ({"evidence[uncategorized_text]": "x" * 20_001}, "evidence[uncategorized_text]"),
        ({"intended_submission_method": "carrier_pigeon"}, "intended_submission_method"),
        ({"submit": "maybe"}, "submit"),
    ],
)
async def test_what_makes_no_sense_is_refused(merchant: Merchant, form: Json, param: str) -> None:
    dispute = await disputed(merchant)
    status, body, _ = await merchant.post(f"/v1/disputes/{dispute.id}", form)
    assert (status, body["error"]["param"]) == (400, param)
    assert (await now(merchant, dispute)).status == "needs_response"


async def test_evidence_has_a_limit_in_all(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    texts = (
        "access_activity_log cancellation_rebuttal product_description refund_policy_disclosure"
        " refund_refusal_explanation customer_name shipping_address uncategorized_text"
    )
    form = {f"evidence[{name}]": "x" * 19_000 for name in texts.split()}
    status, body, _ = await merchant.post(f"/v1/disputes/{dispute.id}", form)
    assert (status, body["error"]["param"]) == (400, "evidence")


async def test_the_dispute_of_another_key_is_out_of_reach(merchant: Merchant) -> None:
    dispute = await disputed(merchant)
    other = Merchant(merchant.url, merchant.http)
    with pytest.raises(stripe.InvalidRequestError, match="No such dispute") as refused:
        await other.stripe.v1.disputes.close_async(dispute.id)
    assert refused.value.http_status == 404


async def test_a_bank_may_warn_of_fraud(merchant: Merchant) -> None:
    intent = await paid(merchant, WARNED)
    api = merchant.stripe.v1.radar.early_fraud_warnings
    (warning,) = (await api.list_async({"payment_intent": intent.id})).data
    assert (warning.actionable, warning.charge) == (True, intent.latest_charge)
    assert warning.fraud_type == "made_with_stolen_card"
    assert (await api.list_async({"charge": "ch_none"})).data == []
    opened: Any = await api.retrieve_async(warning.id, {"expand": ["charge"]})
    assert opened.charge.disputed is False
    await merchant.stripe.v1.refunds.create_async({"payment_intent": intent.id})
    assert (await api.retrieve_async(warning.id)).actionable is False
    assert await events(merchant, "radar.early_fraud_warning.") == ["created", "updated"]


async def test_the_page_pays_with_a_dispute_card_as_with_any(merchant: Merchant) -> None:
    session = await merchant.order()
    page = await Page(merchant.http, session.url).open()
    assert "paid" in await page.pay("4000000000000259")
    assert "charge.dispute.created" in await merchant.events()
    found = await merchant.sessions.retrieve_async(session.id)
    assert found.payment_status == "paid"
