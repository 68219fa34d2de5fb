"""The list of events, as a reader asks it that had lost its webhooks."""

from typing import Any

import pytest
import stripe

from tests.sandbox.merchant import Json, Merchant

PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


async def pay(merchant: Merchant) -> None:
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa")


async def listed(merchant: Merchant, **params: Any) -> list[Any]:
    asked: Any = params
    return list((await merchant.stripe.v1.events.list_async(asked)).data)


async def types(merchant: Merchant, **params: Any) -> list[str]:
    return [event.type for event in await listed(merchant, **params)]


async def test_the_newest_come_first(merchant: Merchant) -> None:
    await pay(merchant)
    assert await types(merchant) == PAID[::-1]


async def test_only_the_wanted_types_are_shown(merchant: Merchant) -> None:
    await pay(merchant)
    wanted = ["checkout.session.completed", "checkout.session.expired", "charge.succeeded"]
    found = ["checkout.session.completed", "charge.succeeded"]
    assert await types(merchant, types=wanted) == found
    assert await types(merchant, type="charge.succeeded") == ["charge.succeeded"]
    assert await types(merchant, type="payment_intent.*") == [PAID[2], PAID[0]]
    query = "&".join(f"types[]={name}" for name in wanted)
    _, body = await merchant.get(f"/v1/events?{query}")
    assert [event["type"] for event in body["data"]] == found


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"types": ["a.b"] * 21}, "types"),
        ({"types": ["a.b"], "type": "a.b"}, "type"),
        ({"kinds": ["a.b"]}, "kinds"),
        ({"created": {"since": 1}}, "created[since]"),
        ({"created": {"gte": "now"}}, "created[gte]"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "evt_none"}, "starting_after"),
        ({"ending_before": "evt_none"}, "ending_before"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    merchant: Merchant, params: Json, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await listed(merchant, **params)
    assert (refused.value.http_status, refused.value.param) == (400, param)


async def test_a_window_of_time_has_open_and_closed_ends(merchant: Merchant) -> None:
    await pay(merchant)
    await merchant.advance(100)  # the balance transaction comes two seconds after the payment
    (settled,) = await listed(merchant, types=["charge.updated"])
    at = settled.created
    assert await types(merchant, created={"gte": at}) == ["charge.updated"]
    assert await types(merchant, created={"gt": at}) == []
    assert await types(merchant, created={"lt": at}) == PAID[::-1]
    assert await types(merchant, created={"lte": at}) == ["charge.updated", *PAID[::-1]]
    assert await types(merchant, created=at) == ["charge.updated"]
    assert await types(merchant, created={"gte": at, "lt": at + 1}) == ["charge.updated"]
    assert await types(merchant, created={"gt": at - 1, "lte": at}) == ["charge.updated"]


async def test_pages_lead_back_in_time_and_forward_again(merchant: Merchant) -> None:
    await pay(merchant)
    newest = await merchant.stripe.v1.events.list_async({"limit": 3})
    assert newest.has_more is True
    ids = [event.id for event in newest.data]
    (oldest,) = await listed(merchant, starting_after=ids[2])
    assert oldest.type == PAID[0]
    assert [e.id for e in await listed(merchant, ending_before=oldest.id, limit=2)] == ids[1:]
    assert [e.id for e in await listed(merchant, ending_before=ids[2])] == ids[:2]
    assert await listed(merchant, ending_before=ids[0]) == []
    assert await types(merchant, ending_before=oldest.id, type="charge.*") == ["charge.succeeded"]
    paged = await merchant.stripe.v1.events.list_async({"limit": 1, "types": PAID})
    assert [event.id async for event in paged.auto_paging_iter()] == [*ids, oldest.id]


async def test_what_became_due_is_listed_as_soon_as_the_clock_has_moved(
    merchant: Merchant,
) -> None:
    await pay(merchant)
    await merchant.order()
    await merchant.order()
    await merchant.advance(2 * 86_400)
    due = ["checkout.session.expired", "checkout.session.expired", "charge.updated"]
    assert await types(merchant, types=sorted(set(due))) == due


async def test_events_are_forgotten_after_thirty_days(merchant: Merchant) -> None:
    await pay(merchant)
    (event,) = await listed(merchant, types=["checkout.session.completed"])
    await merchant.advance(29 * 86_400)
    assert (await merchant.stripe.v1.events.retrieve_async(event.id)).id == event.id
    await merchant.advance(6 * 86_400)  # the money was at the bank four days after the payment
    assert await listed(merchant) == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        await merchant.stripe.v1.events.retrieve_async(event.id)
