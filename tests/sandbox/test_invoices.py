"""Invoices: drafted of what a customer owes, finalized, paid, refused, voided."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import Merchant

DAY = 86_400


async def customer(merchant: Merchant, token: str = "") -> Any:
    """With a card of their own, if one is named."""
    params: Any = {"email": "jo@example.com", "name": "Jo Weaver"}
    if token:
        params["payment_method"] = f"pm_card_{token}"
    made = await merchant.stripe.v1.customers.create_async(params)
    if not token:
        return made
    methods = await merchant.stripe.v1.payment_methods.list_async({"customer": made.id})
    settings: Any = {"invoice_settings": {"default_payment_method": methods.data[0].id}}
    return await merchant.stripe.v1.customers.update_async(made.id, settings)


async def drafted(merchant: Merchant, whose: Any, amount: int = 2000, **more: Any) -> Any:
    item: Any = {"customer": whose.id, "amount": amount, "currency": "usd", "description": "Mugs"}
    await merchant.stripe.v1.invoice_items.create_async(item)
    params: Any = {"customer": whose.id, "pending_invoice_items_behavior": "include", **more}
    return await merchant.stripe.v1.invoices.create_async(params)


async def test_a_draft_takes_up_what_is_owed(merchant: Merchant) -> None:
    whose = await customer(merchant)
    draft = await drafted(merchant, whose)
    assert (draft.status, draft.total, draft.amount_due, draft.currency) == (
        "draft", 2000, 2000, "usd",
    )  # fmt: skip
    assert (draft.customer_email, draft.number) == ("jo@example.com", None)
    (line,) = draft.lines.data
    assert (line.amount, line.description, line.invoice) == (2000, "Mugs", draft.id)
    item = await merchant.stripe.v1.invoice_items.retrieve_async(
        line.parent.invoice_item_details.invoice_item
    )
    assert item.invoice == draft.id
    another = await drafted(merchant, whose, 500)
    assert another.total == 500
    empty = await merchant.stripe.v1.invoices.create_async({"customer": whose.id})
    assert (empty.total, empty.lines.data) == (0, [])


async def test_it_is_paid_by_a_method_named_or_kept(merchant: Merchant) -> None:
    whose = await customer(merchant, "visa")
    invoices = merchant.stripe.v1.invoices
    draft = await drafted(merchant, whose)
    before = len(await merchant.events())
    paid = await invoices.pay_async(draft.id, {"expand": ["payments"]})
    assert (paid.status, paid.amount_paid, paid.amount_remaining, paid.attempt_count) == (
        "paid", 2000, 0, 1,
    )  # fmt: skip
    assert paid.number is not None
    assert paid.status_transitions.paid_at is not None
    payments: Any = paid.payments
    (payment,) = payments.data
    assert (payment.status, payment.amount_paid) == ("paid", 2000)
    intent = await merchant.stripe.v1.payment_intents.retrieve_async(payment.payment.payment_intent)
    assert (intent.status, intent.amount, intent.customer) == ("succeeded", 2000, whose.id)
    assert (await merchant.events())[before:] == [
        "invoice.finalized", "payment_intent.created", "charge.succeeded",
        "payment_intent.succeeded", "invoice_payment.paid", "invoice.paid",
        "invoice.payment_succeeded",
    ]  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError) as twice:
        await invoices.pay_async(draft.id)
    assert twice.value.code == "invoice_already_paid"


async def test_its_payment_leads_to_the_money_and_back(merchant: Merchant) -> None:
    whose = await customer(merchant, "visa")
    draft = await drafted(merchant, whose)
    await drafted(merchant, whose)
    other = await drafted(merchant, whose, auto_advance=False)
    await merchant.stripe.v1.invoices.finalize_invoice_async(other.id)
    path = "payments.data.payment.payment_intent"
    paid: Any = await merchant.stripe.v1.invoices.pay_async(draft.id, {"expand": [path]})
    (payment,) = paid.payments.data
    intent = payment.payment.payment_intent
    assert (intent.object, intent.status, intent.amount) == ("payment_intent", "succeeded", 2000)
    asked: Any = {"type": "payment_intent", "payment_intent": intent.id}
    assert await payments_of(merchant, payment=asked) == [payment.id]
    assert await payments_of(merchant, payment={**asked, "payment_intent": "pi_none"}) == []
    assert await payments_of(merchant, payment={"type": "payment_record"}) == []
    assert len(await payments_of(merchant, payment={"type": "payment_intent"})) == 2
    assert await payments_of(merchant, status="paid") == [payment.id]
    listed: Any = await merchant.stripe.v1.invoice_payments.list_async(
        {"invoice": draft.id, "expand": ["data.payment.payment_intent.latest_charge"]}
    )
    assert listed.data[0].payment.payment_intent.latest_charge.amount == 2000
    with pytest.raises(stripe.InvalidRequestError) as untyped:
        await payments_of(merchant, payment={"payment_intent": intent.id})
    assert (untyped.value.code, untyped.value.param) == ("parameter_missing", "payment[type]")


async def payments_of(merchant: Merchant, **asked: Any) -> list[str]:
    params: Any = asked
    listed = await merchant.stripe.v1.invoice_payments.list_async(params)
    return [payment.id for payment in listed.data]


async def test_a_card_that_fails_leaves_it_open(merchant: Merchant) -> None:
    whose = await customer(merchant, "chargeCustomerFail")
    draft = await drafted(merchant, whose)
    with pytest.raises(stripe.CardError) as declined:
        await merchant.stripe.v1.invoices.pay_async(draft.id)
    assert declined.value.code == "card_declined"
    still = await merchant.stripe.v1.invoices.retrieve_async(draft.id)
    assert (still.status, still.attempted, still.attempt_count) == ("open", True, 1)
    assert (await merchant.events())[-1] == "invoice.payment_failed"
    paid = await merchant.stripe.v1.invoices.pay_async(draft.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.attempt_count) == ("paid", 2)


async def test_a_card_that_asks_needs_the_customer(merchant: Merchant) -> None:
    whose = await customer(merchant, "threeDSecure2Required")
    draft = await drafted(merchant, whose)
    with pytest.raises(stripe.CardError) as refused:
        await merchant.stripe.v1.invoices.pay_async(draft.id)
    assert refused.value.code == "invoice_payment_intent_requires_action"
    error: Any = refused.value.error
    assert error.payment_intent.status == "requires_action"
    assert (await merchant.events())[-2:] == [
        "invoice.payment_action_required", "invoice.payment_failed",
    ]  # fmt: skip


async def test_without_a_method_it_cannot_be_collected(merchant: Merchant) -> None:
    draft = await drafted(merchant, await customer(merchant))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await merchant.stripe.v1.invoices.pay_async(draft.id)
    assert "default_payment_method" in str(refused.value.user_message)
    still = await merchant.stripe.v1.invoices.retrieve_async(draft.id)
    assert still.status == "draft", "a refusal undoes the finalization, too"


async def test_money_that_came_another_way_ends_its_payment(merchant: Merchant) -> None:
    draft = await drafted(merchant, await customer(merchant))
    invoices = merchant.stripe.v1.invoices
    paid = await invoices.pay_async(draft.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid, paid.amount_paid_off_stripe) == ("paid", 2000, 2000)
    intents = await merchant.stripe.v1.payment_intents.list_async()
    assert [intent.status for intent in intents.data] == ["canceled"]


async def test_what_is_void_asks_for_nothing(merchant: Merchant) -> None:
    draft = await drafted(merchant, await customer(merchant))
    invoices = merchant.stripe.v1.invoices
    assert (await invoices.finalize_invoice_async(draft.id)).status == "open"
    gone = await invoices.void_invoice_async(draft.id)
    assert (gone.status, gone.status_transitions.voided_at is None) == ("void", False)
    intents = await merchant.stripe.v1.payment_intents.list_async()
    assert [(each.status, each.cancellation_reason) for each in intents.data] == [
        ("canceled", "void_invoice")
    ]
    assert (await merchant.events())[-1] == "invoice.voided"
    for late in (invoices.pay_async, invoices.void_invoice_async, invoices.finalize_invoice_async):
        with pytest.raises(stripe.InvalidRequestError):
            await late(draft.id)


async def test_what_is_given_up_can_be_paid_after_all(merchant: Merchant) -> None:
    draft = await drafted(merchant, await customer(merchant, "visa"))
    invoices = merchant.stripe.v1.invoices
    await invoices.finalize_invoice_async(draft.id)
    assert (await invoices.mark_uncollectible_async(draft.id)).status == "uncollectible"
    assert (await merchant.events())[-1] == "invoice.marked_uncollectible"
    assert (await invoices.pay_async(draft.id)).status == "paid"


async def test_a_deleted_draft_leaves_what_is_owed(merchant: Merchant) -> None:
    whose = await customer(merchant)
    draft = await drafted(merchant, whose)
    gone = await merchant.stripe.v1.invoices.delete_async(draft.id)
    assert gone.deleted
    assert (await merchant.events())[-1] == "invoice.deleted"
    with pytest.raises(stripe.InvalidRequestError):
        await merchant.stripe.v1.invoices.retrieve_async(draft.id)
    pending: Any = {"customer": whose.id, "pending": True}
    items = await merchant.stripe.v1.invoice_items.list_async(pending)
    assert [item.invoice for item in items.data] == [None]
    assert (await drafted(merchant, whose, 500)).total == 2500


async def test_an_invoice_is_sent_with_a_date(merchant: Merchant) -> None:
    whose = await customer(merchant)
    with pytest.raises(stripe.InvalidRequestError) as dateless:
        await drafted(merchant, whose, collection_method="send_invoice")
    assert dateless.value.param == "days_until_due"
    more: Any = {"collection_method": "send_invoice", "days_until_due": 7}
    draft = await drafted(merchant, whose, **more)
    assert draft.due_date == draft.created + 7 * DAY
    sent = await merchant.stripe.v1.invoices.send_invoice_async(draft.id)
    assert sent.status == "open"
    assert (await merchant.events())[-1] == "invoice.sent"


async def test_a_draft_that_advances_is_final_after_an_hour(merchant: Merchant) -> None:
    draft = await drafted(merchant, await customer(merchant), auto_advance=True)
    assert draft.automatically_finalizes_at == draft.created + 3600
    await merchant.advance(3590)
    invoices = merchant.stripe.v1.invoices
    assert (await invoices.retrieve_async(draft.id)).status == "draft"
    await merchant.advance(20)
    assert (await invoices.retrieve_async(draft.id)).status == "open"


async def test_nothing_due_is_paid_at_once(merchant: Merchant) -> None:
    whose = await customer(merchant)
    draft = await merchant.stripe.v1.invoices.create_async({"customer": whose.id})
    done = await merchant.stripe.v1.invoices.finalize_invoice_async(draft.id)
    assert (done.status, done.amount_due) == ("paid", 0)
    assert (await merchant.stripe.v1.payment_intents.list_async()).data == []


async def test_a_bank_decides_later(merchant: Merchant) -> None:
    whose = await customer(merchant)
    item: Any = {"customer": whose.id, "amount": 2000, "currency": "eur"}
    await merchant.stripe.v1.invoice_items.create_async(item)
    params: Any = {"customer": whose.id, "pending_invoice_items_behavior": "include"}
    draft = await merchant.stripe.v1.invoices.create_async(params)
    how: Any = {"payment_method": "pm_sepaDebit_success_at"}
    waiting = await merchant.stripe.v1.invoices.pay_async(draft.id, how)
    assert (waiting.status, waiting.attempt_count) == ("open", 1)
    await merchant.advance(10)
    paid = await merchant.stripe.v1.invoices.retrieve_async(draft.id)
    assert (paid.status, paid.amount_paid) == ("paid", 2000)


async def test_an_update_tells_what_was(merchant: Merchant) -> None:
    draft = await drafted(merchant, await customer(merchant))
    invoices = merchant.stripe.v1.invoices
    changed = await invoices.update_async(draft.id, {"metadata": {"a": "1"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1"}
    _, events = await merchant.get("/v1/events?type=invoice.updated")
    (event,) = events["data"]
    assert event["data"]["previous_attributes"] == {"metadata": {}}
    await invoices.finalize_invoice_async(draft.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await invoices.update_async(draft.id, {"auto_advance": True})
    assert refused.value.code == "invoice_not_editable"


async def test_items_have_prices_and_change_while_pending(merchant: Merchant) -> None:
    whose = await customer(merchant)
    items = merchant.stripe.v1.invoice_items
    unit: Any = {
        "customer": whose.id, "currency": "usd", "unit_amount_decimal": 300, "quantity": 4,
    }  # fmt: skip
    item = await items.create_async(unit)
    assert (item.amount, item.quantity) == (1200, 4)
    more = await items.update_async(item.id, {"quantity": 5})
    assert (more.amount, more.quantity) == (1500, 5)
    gone = await items.delete_async(item.id)
    assert gone.deleted
    assert (await merchant.events())[-1] == "invoiceitem.deleted"
    both: Any = {"customer": whose.id, "currency": "usd", "amount": 1, "quantity": 2}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await items.create_async(both)
    assert refused.value.code == "parameters_exclusive"
    draft = await drafted(merchant, whose)
    taken = draft.lines.data[0].parent.invoice_item_details.invoice_item
    with pytest.raises(stripe.InvalidRequestError):
        await items.delete_async(taken)


async def test_lists_are_filtered(merchant: Merchant) -> None:
    one, two = await customer(merchant, "visa"), await customer(merchant)
    first, second = await drafted(merchant, one), await drafted(merchant, two)
    await merchant.stripe.v1.invoices.pay_async(first.id)
    for query, expected in (
        (f"customer={one.id}", [first.id]),
        ("status=draft", [second.id]),
        ("status=paid", [first.id]),
        ("status=void", []),
    ):
        _, found = await merchant.get(f"/v1/invoices?{query}")
        assert [each["id"] for each in found["data"]] == expected, query
    _, lines = await merchant.get(f"/v1/invoices/{first.id}/lines")
    assert [line["amount"] for line in lines["data"]] == [2000]
    _, payments = await merchant.get(f"/v1/invoice_payments?invoice={first.id}")
    assert [payment["status"] for payment in payments["data"]] == ["paid"]
