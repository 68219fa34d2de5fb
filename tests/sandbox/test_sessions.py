"""Checkout sessions as the official SDK sees them."""

import time
from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import Merchant, form, order


async def test_a_created_session_is_open_and_unpaid_and_has_a_page(merchant: Merchant) -> None:
    session = await merchant.order(1999, client_reference_id="att_1", metadata={"a": "b"})
    assert session.id.startswith("cs_test_a1")
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.currency, session.mode) == (1999, "eur", "payment")
    assert session.payment_intent is None
    assert session.url == f"{merchant.url}/c/pay/{session.id}"
    assert session.client_reference_id == "att_1"
    assert session.metadata.to_dict() == {"a": "b"}
    assert session.expires_at == session.created + 24 * 3600
    assert session.livemode is False
    again = await merchant.sessions.retrieve_async(session.id)
    assert again.to_dict() == session.to_dict()


async def test_a_live_key_makes_live_objects(sandbox: Any, http: Any) -> None:
    merchant = Merchant(sandbox.url, http, key=f"sk_live_{time.time_ns():024d}")
    session = await merchant.order()
    assert session.id.startswith("cs_live_a1")
    assert session.livemode is True


async def test_the_total_is_the_sum_of_the_line_items(merchant: Merchant) -> None:
    def item(amount: int, quantity: int) -> dict[str, Any]:
        product = {"name": f"Thing for {amount}"}
        price = {"currency": "usd", "unit_amount": amount, "product_data": product}
        return {"price_data": price, "quantity": quantity}

    session = await merchant.order(line_items=[item(1250, 3), item(99, 2)])
    assert session.amount_total == session.amount_subtotal == 3 * 1250 + 2 * 99
    items = await merchant.sessions.line_items.list_async(session.id)
    assert [(i.description, i.quantity, i.amount_total) for i in items.data] == [
        ("Thing for 1250", 3, 3750),
        ("Thing for 99", 2, 198),
    ]


async def test_line_items_page_both_ways(merchant: Merchant) -> None:
    items = [order(100 + n, "usd")["line_items"][0] for n in range(5)]
    session = await merchant.order(line_items=items)
    listing = merchant.sessions.line_items
    first = await listing.list_async(session.id, {"limit": 2})
    rest = await listing.list_async(session.id, {"starting_after": first.data[-1].id})
    back = await listing.list_async(session.id, {"ending_before": rest.data[0].id, "limit": 1})
    assert [i.amount_total for i in first.data] == [100, 101]
    assert first.has_more is True
    assert [i.amount_total for i in rest.data] == [102, 103, 104]
    assert rest.has_more is False
    assert [i.amount_total for i in back.data] == [101]
    assert back.has_more is True


async def test_sessions_list_newest_first_and_page_both_ways(merchant: Merchant) -> None:
    made = [(await merchant.order()).id for _ in range(5)]
    newest = list(reversed(made))
    first = await merchant.sessions.list_async({"limit": 2})
    second = await merchant.sessions.list_async({"limit": 2, "starting_after": newest[1]})
    back = await merchant.sessions.list_async({"limit": 2, "ending_before": newest[2]})
    assert [s.id for s in first.data] == newest[:2]
    assert [s.id for s in second.data] == newest[2:4]
    assert [s.id for s in back.data] == newest[:2]
    assert (first.has_more, second.has_more, back.has_more) == (True, True, False)
    assert [s.id async for s in first.auto_paging_iter()] == newest


async def test_sessions_are_filtered_by_created_status_and_payment(merchant: Merchant) -> None:
    old = await merchant.order()
    await merchant.advance(600)
    new = await merchant.order()
    await merchant.confirm(new.id, "pm_card_visa")
    paid = await merchant.sessions.retrieve_async(new.id)

    async def found(**filters: Any) -> list[str]:
        params: Any = filters
        return [s.id for s in (await merchant.sessions.list_async(params)).data]

    assert await found(created={"gt": old.created}) == [new.id]
    assert await found(created={"lte": old.created}) == [old.id]
    assert await found(created=old.created) == [old.id]
    assert await found(created={"gte": old.created, "lt": new.created}) == [old.id]
    assert await found(status="open") == [old.id]
    assert await found(status="complete") == [new.id]
    assert await found(payment_intent=paid.payment_intent) == [new.id]
    assert await found(payment_intent="pi_other") == []
    assert await found(customer="cus_any") == []


async def test_objects_are_expanded_along_dotted_paths(merchant: Merchant) -> None:
    made: Any = {**order(), "expand": ["line_items.data.price.product"]}
    session: Any = await merchant.sessions.create_async(made)
    assert session.line_items.data[0].price.product.name == "Blue mug"
    await merchant.confirm(session.id, "pm_card_visa")
    await merchant.advance(3)
    paths = ["payment_intent.latest_charge.balance_transaction", "payment_intent.payment_method"]
    session = await merchant.sessions.retrieve_async(session.id, {"expand": paths})
    charge = session.payment_intent.latest_charge
    assert charge.balance_transaction.net == 1999 - charge.balance_transaction.fee
    assert session.payment_intent.payment_method.card.last4 == "4242"
    listed: Any = await merchant.sessions.list_async({"expand": ["data.payment_intent"]})
    assert listed.data[0].payment_intent.status == "succeeded"


async def test_what_cannot_be_expanded_is_refused(merchant: Merchant) -> None:
    session = await merchant.order()
    with pytest.raises(stripe.InvalidRequestError, match=r"cannot be expanded \(nonsense\)"):
        await merchant.sessions.retrieve_async(session.id, {"expand": ["nonsense"]})
    with pytest.raises(stripe.InvalidRequestError, match=r"data\.payment_intent"):
        await merchant.sessions.list_async({"expand": ["payment_intent"]})


async def test_an_update_merges_metadata_and_empties_remove(merchant: Merchant) -> None:
    session = await merchant.order(metadata={"keep": "1", "drop": "2"})
    change: Any = {"metadata": {"drop": "", "new": "3"}}
    updated: Any = await merchant.sessions.update_async(session.id, change)
    assert updated.metadata.to_dict() == {"keep": "1", "new": "3"}
    _, body, _ = await merchant.post(f"/v1/checkout/sessions/{session.id}", {"metadata": ""})
    assert body["metadata"] == {}


async def test_an_open_session_can_be_expired_once(merchant: Merchant) -> None:
    session = await merchant.order()
    expired = await merchant.sessions.expire_async(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        await merchant.sessions.expire_async(session.id)
    assert await merchant.events() == ["checkout.session.expired"]


async def test_a_paid_session_cannot_be_expired(merchant: Merchant) -> None:
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError, match="status of complete") as refused:
        await merchant.sessions.expire_async(session.id)
    assert refused.value.http_status == 400
    paid = await merchant.sessions.retrieve_async(session.id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert "checkout.session.expired" not in await merchant.events()


async def test_a_session_expires_when_its_time_is_over(merchant: Merchant) -> None:
    clock = await merchant.advance(0)
    session = await merchant.order(expires_at=clock["now"] + 1900)
    await merchant.advance(1890)
    assert (await merchant.sessions.retrieve_async(session.id)).status == "open"
    await merchant.advance(20)
    assert (await merchant.sessions.retrieve_async(session.id)).status == "expired"
    events = await merchant.stripe.v1.events.list_async()
    assert [(e.type, e.created) for e in events.data] == [
        ("checkout.session.expired", session.expires_at)
    ]


@pytest.mark.parametrize(("seconds", "word"), [(1700, "at least 30 minutes"), (86_500, "24 hours")])
async def test_expires_at_is_from_30_minutes_to_24_hours(
    merchant: Merchant, seconds: int, word: str
) -> None:
    clock = await merchant.advance(0)
    with pytest.raises(stripe.InvalidRequestError, match=word) as refused:
        await merchant.order(expires_at=clock["now"] + seconds)
    assert refused.value.param == "expires_at"


async def test_one_tenant_does_not_see_the_other(merchant: Merchant, http: Any) -> None:
    other = Merchant(merchant.url, http)
    session = await merchant.order()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await other.sessions.retrieve_async(session.id)
    assert refused.value.http_status == 404
    assert (await other.sessions.list_async()).data == []
    assert await other.log() != []
    assert all(entry["object"] != session.id for entry in (await other.log())[1:])


@pytest.mark.parametrize(
    ("version", "parameter", "status"),
    [
        ("2026-10-28.endive", {"payment_method_types[0]": "card"}, 400),
        ("2026-08-26.dahlia", {"payment_method_types[0]": "card"}, 200),
        ("2026-10-28.endive", {"ui_mode": "hosted"}, 400),
        ("2026-10-28.endive", {"ui_mode": "hosted_page"}, 200),
        ("2025-09-30.clover", {"ui_mode": "hosted"}, 200),
        ("2025-09-30.clover", {"ui_mode": "hosted_page"}, 400),
    ],
)
async def test_parameters_depend_on_the_version(
    merchant: Merchant, version: str, parameter: dict[str, str], status: int
) -> None:
    got, body, headers = await merchant.post(
        "/v1/checkout/sessions", form(**parameter), Stripe_Version=version
    )
    assert got == status, body
    assert headers["Stripe-Version"] == version


async def test_a_client_without_a_version_gets_the_last_one_before_endive(
    merchant: Merchant,
) -> None:
    _, _, headers = await merchant.post("/v1/checkout/sessions", form())
    assert headers["Stripe-Version"] == "2026-08-26.dahlia"


@pytest.mark.parametrize(
    "version", ["2027-01-01.endive", "2026-10-28.dahlia", "2026-10-28", "yesterday", "2026-13-01"]
)
async def test_an_unknown_version_is_refused(merchant: Merchant, version: str) -> None:
    status, body, _ = await merchant.post("/v1/checkout/sessions", form(), Stripe_Version=version)
    assert status == 400
    assert "Invalid Stripe API version" in body["error"]["message"]
