"""The order page: whom it is shown to, and the nine steps it tells."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payloom.shop.model import Event, Record, Sighting
from payloom.shop.steps import STEPS, steps_of
from tests.shop.conftest import Browser, RunningShop, order_page
from tests.shop.stand_in import StandIn, deliver, event

START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


async def paid(browser: Browser, shop: RunningShop, api: StandIn) -> dict[str, Any]:
    """A payment from the cart to the webhook, the shopper being back first."""
    await browser.buy()
    order = list(api.orders.values())[-1]
    await browser.get(api.return_url(order["id"], "PENDING"))
    api.settle(order["id"], "SUCCEEDED")
    await deliver(shop.url, event(order, "payment_order.succeeded", 2))
    return order


async def test_all_nine_steps_are_told_with_times_and_sentences(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await paid(browser, shop, api)
    story = await browser.story(order)
    assert set(story) == {
        "number",
        "payment_order_id",
        "payment_order_status",
        "shop_status",
        "steps",
        "events",
    }
    assert (story["number"], story["payment_order_id"]) == ("W-1001", order["id"])
    assert [step["step"] for step in story["steps"]] == list(range(1, 10))
    for step in story["steps"]:
        assert datetime.fromisoformat(step["at"]).tzinfo
        assert step["title"]
        assert step["detail"]
    last = story["steps"][8]["detail"]
    assert "checkout.session.completed arrived" in last
    assert "captured: 14.50 EUR" in last
    assert "The order is SUCCEEDED. " in last
    assert "signed webhook payment_order.succeeded" in last
    html = await browser.get(order_page(order))
    assert all(step["title"] in html for step in story["steps"])


async def test_without_a_timeline_the_shops_own_records_tell_the_steps(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    api.has_timeline = False
    order = await paid(browser, shop, api)
    story = await browser.story(order)
    assert all(step["at"] for step in story["steps"])
    assert "The API’s own timeline" not in await browser.get(order_page(order))


async def test_steps_to_come_are_shown_as_such(browser: Browser, api: StandIn) -> None:
    await browser.buy()
    (order,) = api.orders.values()
    story = await browser.story(order)
    assert [step["step"] for step in story["steps"] if step["at"]] == [1, 2, 3, 4, 5]


async def test_unknown_and_broken_timeline_entries_do_no_harm(
    browser: Browser, api: StandIn
) -> None:
    await browser.buy()
    (order,) = api.orders.values()
    api.note(order["id"], "moon.rose", "The moon <b>rose</b>.")
    api.timelines[order["id"]] += [{"at": "never"}, {"kind": 7}]
    html = await browser.get(order_page(order))
    assert browser.status == 200
    assert "The moon &lt;b&gt;rose&lt;/b&gt;." in html


async def test_an_order_is_shown_to_its_token_or_its_cart_only(
    browser: Browser, shop: RunningShop, api: StandIn, stranger: Browser
) -> None:
    await browser.buy()
    (order,) = api.orders.values()
    for page in ("", ".json", "/return", "/cancelled", "/preparing"):
        for query in ("", "?t=", "?t=guess", "?t=%C3%BC"):
            await stranger.get(f"/orders/W-1001{page}{query}")
            assert stranger.status == 404
    await stranger.get(order_page(order))
    assert stranger.status == 200
    await browser.get("/orders/W-1001")
    assert browser.status == 200


@pytest.mark.parametrize("number", ["W-", "W-0", "W-01001", "1001", "W-²", "W-9999999999999999999"])
async def test_a_number_that_is_no_order_is_not_found(browser: Browser, number: str) -> None:
    assert "Nothing on this shelf" in await browser.get(f"/orders/{number}?t=x")
    assert browser.status == 404


async def test_the_page_refreshes_itself_until_the_story_is_over(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await paid(browser, shop, api)
    html = await browser.get(order_page(order))
    assert '<noscript><meta http-equiv="refresh"' in html
    assert 'data-live="true"' in html
    shop.clock.ahead = timedelta(minutes=1)
    html = await browser.get(order_page(order))
    assert "http-equiv" not in html
    assert 'data-live="false"' in html


def at(seconds: int, kind: str, **data: Any) -> Record:
    return Record(at=START + timedelta(seconds=seconds), kind=kind, summary=kind, data=data)


def told(timeline: list[Record], events: list[Event] | None = None) -> dict[int, int | None]:
    """Step number → seconds after START."""
    steps = steps_of([], timeline, events or [])
    return {
        step.step.number: int((step.at - START).total_seconds()) if step.at else None
        for step in steps
    }


def test_a_later_look_up_does_not_move_the_registration() -> None:
    steps = told([at(1, "psp.called"), at(2, "psp.answered"), at(8, "psp.called")])
    assert (steps[2], steps[3]) == (1, 2)


def test_step_nine_is_the_notice_that_brought_the_outcome() -> None:
    chatter, decisive = at(3, "notice.received"), at(5, "notice.received")
    outcome = at(6, "state.changed", to="SUCCEEDED")
    steps = told([chatter, decisive, outcome, at(9, "notice.received")])
    assert (steps[6], steps[7], steps[9]) == (5, 5, 5)  # the shopper was done by then


def test_a_refused_registration_is_not_the_shopper_paying() -> None:
    steps = told([at(1, "psp.answered"), at(2, "state.changed", to="FAILED", to_state="REFUSED")])
    assert (steps[3], steps[6], steps[7]) == (1, None, None)


def test_an_opened_or_expired_page_is_no_outcome() -> None:
    steps = told(
        [at(seconds, "state.changed", to=to) for seconds, to in enumerate(("PENDING", "EXPIRED"))]
    )
    assert (steps[6], steps[7], steps[9]) == (None, None, None)


def test_our_own_webhook_proves_the_outcome_when_nothing_else_does() -> None:
    seen = Sighting(payment_order_id="po_1", status="SUCCEEDED", amount=1, currency="EUR")
    webhook = Event(
        id="evt_1",
        type="payment_order.succeeded",
        sequence=2,
        payment_order_id="po_1",
        sighting=seen,
        received_at=START + timedelta(seconds=4),
    )
    steps = told([], [webhook])
    assert (steps[6], steps[7], steps[9]) == (4, 4, 4)


def test_the_table_names_nine_steps_in_order() -> None:
    assert [step.number for step in STEPS] == list(range(1, 10))
