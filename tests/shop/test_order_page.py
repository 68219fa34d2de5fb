"""The order page: whom it is shown to, and the nine steps it tells."""

from dataclasses import replace
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


def details(
    timeline: list[Record], events: list[Event] | None = None, log: list[Record] | None = None
) -> dict[int, tuple[str, ...]]:
    """Step number → what is said under it."""
    steps = steps_of(log or [], timeline, events or [])
    return {step.step.number: step.details for step in steps}


def webhook(*, seconds: int) -> Event:
    return Event(
        id="evt_1",
        type="payment_order.succeeded",
        sequence=2,
        payment_order_id="po_1",
        sighting=Sighting(payment_order_id="po_1", status="SUCCEEDED", amount=1, currency="EUR"),
        received_at=START + timedelta(seconds=seconds),
    )


def test_a_later_look_up_does_not_move_the_registration() -> None:
    registered = [at(1, "psp.called"), at(2, "psp.answered"), at(3, "attempt.opened")]
    steps = told([*registered, at(8, "psp.called"), at(9, "psp.answered")])
    assert (steps[2], steps[3], steps[4]) == (1, 2, 3)


def test_step_nine_is_the_notice_that_brought_the_outcome() -> None:
    chatter, decisive = at(3, "notice.received"), at(5, "notice.received")
    outcome = at(6, "state.changed", to="SUCCEEDED")
    steps = told([chatter, decisive, outcome, at(9, "notice.received")])
    assert (steps[6], steps[7], steps[9]) == (5, 5, 5)  # the shopper was done by then
    assert details([chatter, decisive, outcome])[9] == ("notice.received.", "state.changed.")


def test_a_provider_that_refused_opened_no_page_and_nobody_paid() -> None:
    timeline = [
        at(1, "psp.called"),
        at(2, "psp.answered"),
        Record(at=START, kind="state.changed", summary="They refused", data={"to": "FAILED"}),
    ]
    steps = told(timeline)
    assert (steps[2], steps[3], steps[6], steps[7]) == (1, None, None, None)
    assert details(timeline, log=[at(0, "shop.asked")])[3] == ("They refused.",)


def test_a_page_that_ended_unpaid_says_so_where_the_story_stops() -> None:
    opened = [at(1, "attempt.opened"), at(9, "state.changed", to="EXPIRED")]
    log = [at(0, "shop.asked"), at(0, "shop.answered"), at(2, "shop.redirected")]
    assert details(opened, log=log)[6] == ("state.changed.",)
    late = [*opened, at(11, "state.changed", to="SUCCEEDED")]
    assert "state.changed." not in details(late, log=log)[6]
    failed_late = [at(1, "attempt.opened"), at(3, "state.changed", to="PROCESSING")]
    failed_late.append(Record(at=START, kind="state.changed", summary="No", data={"to": "FAILED"}))
    failed_late[-1] = replace(failed_late[-1], at=START + timedelta(seconds=5))
    assert details(failed_late, log=log)[9] == ("state.changed.", "No.")


def test_declined_tries_are_told_where_the_shopper_pays() -> None:
    declined = at(2, "state.changed", to="PENDING", outcome="Declined")
    asked = at(2, "state.changed", to="PENDING", outcome="CancelRequested")
    assert details([asked])[6] == ()
    assert details([declined])[6] == ("A try was declined, and the page stayed payable.",)
    paid_at_last = at(3, "state.changed", to="SUCCEEDED", outcome="Paid")
    (_, told_last) = details([declined, declined, paid_at_last])[6]
    assert told_last == "Tries were declined, and the page stayed payable."


@pytest.mark.parametrize("notice_at", [3, 8])
def test_step_nine_is_told_in_its_order_and_over_with_its_last_link(notice_at: int) -> None:
    """When the return wins, the notice comes last of all."""
    timeline = [
        at(5, "state.changed", to="SUCCEEDED"),
        at(5, "posting.written"),
        at(notice_at, "notice.received"),
    ]
    events = [webhook(seconds=6)]
    assert told(timeline, events)[9] == 6
    assert details(timeline, events)[9] == (
        "notice.received.",
        "state.changed.",
        "posting.written.",
        "The shop receives the signed webhook payment_order.succeeded.",
    )


async def test_what_nobody_watched_is_dated_by_the_latest_it_can_have_been(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    order = await paid(browser, shop, api)
    steps = (await browser.story(order))["steps"]
    assert [step["step"] for step in steps if step["or_before"]] == [6, 7]
    html = await browser.get(order_page(order))
    assert html.count('<p class="when">by <time') == 2
    assert "not yet" not in html


async def test_a_payment_that_came_to_nothing_has_no_steps_to_come(
    browser: Browser, shop: RunningShop, api: StandIn
) -> None:
    await browser.buy()
    (order,) = api.orders.values()
    assert (await browser.get(order_page(order))).count("not yet") == 4
    await deliver(shop.url, event(api.settle(order["id"], "EXPIRED"), "payment_order.expired", 2))
    html = await browser.get(order_page(order))
    assert "not yet" not in html
    assert html.count("did not happen") == 3
    story = await browser.story(order)
    assert "The order is EXPIRED." in story["steps"][5]["detail"]
    told_last = "The shop receives the signed webhook payment_order.expired."
    assert story["steps"][8]["detail"] == told_last


def test_an_opened_or_expired_page_is_no_outcome() -> None:
    steps = told(
        [at(seconds, "state.changed", to=to) for seconds, to in enumerate(("PENDING", "EXPIRED"))]
    )
    assert (steps[6], steps[7], steps[9]) == (None, None, None)


def test_our_own_webhook_proves_the_outcome_when_nothing_else_does() -> None:
    steps = told([], [webhook(seconds=4)])
    assert (steps[6], steps[7], steps[9]) == (4, 4, 4)


def test_the_table_names_nine_steps_in_order() -> None:
    assert [step.number for step in STEPS] == list(range(1, 10))
