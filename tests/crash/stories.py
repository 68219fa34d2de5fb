"""What shoppers do while processes die. A story asserts nothing: the end is judged as a whole.

A new flow is a new function here and a row in STORIES; its points stand in aims.POINTS.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.crash.shop import ORDERS, PASSING, Shop

SESSIONS, REFUNDS = "/v1/checkout/sessions", "/v1/refunds"
DECLINED = "4000000000000002"
PAYS_LATE = "4000000000009912"  # also a page that has ended
FLAKY = "flaky"  # orders whose every second change fails in the database, see ground.py


async def is_paid(shop: Shop) -> None:
    if order := await shop.ask_for():
        await shop.stage.pay(_token(order))
        await shop.until_told(order["id"])


async def is_paid_and_the_shopper_returns_at_once(shop: Shop) -> None:
    if order := await shop.ask_for():
        session = await _session(shop, order)
        await shop.stage.pay(_token(order))
        await shop.visit(session["success_url"])


async def returns_unpaid_then_pays(shop: Shop) -> None:
    if order := await shop.ask_for():
        session = await _session(shop, order)
        await shop.visit(session["success_url"])
        await shop.stage.pay(_token(order))


async def gives_up(shop: Shop) -> None:
    if order := await shop.ask_for():
        session = await _session(shop, order)
        await shop.visit(session["cancel_url"])


async def is_declined_first(shop: Shop) -> None:
    if order := await shop.ask_for():
        await shop.stage.pay(_token(order), DECLINED)
        await shop.stage.pay(_token(order))


async def is_declined(shop: Shop) -> None:
    if order := await shop.ask_for():
        await shop.stage.pay(_token(order), DECLINED)


async def the_page_is_ended_at_the_psp(shop: Shop) -> None:
    if order := await shop.ask_for():
        await shop.stage.sandbox("POST", f"{SESSIONS}/{_token(order)}/expire")
        await shop.until_told(order["id"])


async def the_answer_is_lost(shop: Shop) -> None:
    """The PSP made the page and its answer never came: the job asks again."""
    await shop.stage.fault(SESSIONS, "apply_then_drop", method="POST")
    await is_paid(shop)


async def the_request_is_lost(shop: Shop) -> None:
    await shop.stage.fault(SESSIONS, "drop", method="POST")
    await is_paid(shop)


async def is_refused(shop: Shop) -> None:
    if shop.shunned:
        await shop.shunned.ask_for()


async def two_buttons_are_pressed_at_once(shop: Shop) -> None:
    wanted = shop.stage.wanted()
    key = wanted["reference"]
    shop.requests[key] = wanted
    await asyncio.gather(shop.ask_once(key), shop.ask_once(key))


async def the_database_refuses_for_a_while(shop: Shop) -> None:
    if order := await shop.ask_for(description=FLAKY):
        await shop.stage.pay(_token(order))
        await shop.until_told(order["id"])


async def is_canceled(shop: Shop) -> None:
    if order := await shop.ask_for():
        await shop.post(f"{ORDERS}/{order['id']}/cancel", {})


async def is_canceled_and_paid_all_the_same(shop: Shop) -> None:
    """The money goes back."""
    if order := await shop.ask_for():
        await shop.post(f"{ORDERS}/{order['id']}/cancel", {})
        await shop.stage.pay(_token(order), PAYS_LATE)


async def the_answer_to_a_return_is_lost(shop: Shop) -> None:
    await shop.stage.fault(REFUNDS, "apply_then_drop", method="POST")
    await is_canceled_and_paid_all_the_same(shop)


async def a_return_is_refused_at_first(shop: Shop) -> None:
    """Before that is believed, the PSP is asked what it has; then the return is made anew."""
    await shop.stage.fault(REFUNDS, "status", status=400, method="POST")
    await is_canceled_and_paid_all_the_same(shop)


async def tries_another_page(shop: Shop) -> None:
    if order := await shop.ask_for():
        tried = await shop.post(f"{ORDERS}/{order['id']}/attempts", {})
        if tried.status == 201:
            await shop.stage.pay(_token(tried.json))
            await shop.until_told(order["id"])


async def pays_both_pages(shop: Shop) -> None:
    """The second payment is surplus, and goes back."""
    if order := await shop.ask_for():
        tried = await shop.post(f"{ORDERS}/{order['id']}/attempts", {})
        if tried.status == 201:
            await shop.stage.pay(_token(tried.json))
        await shop.stage.pay(_token(order), PAYS_LATE)


async def tries_again_after_the_end(shop: Shop) -> None:
    if order := await shop.ask_for():
        await shop.stage.sandbox("POST", f"{SESSIONS}/{_token(order)}/expire")
        await shop.until_told(order["id"])
        await shop.post(f"{ORDERS}/{order['id']}/attempts", {})


async def the_webhooks_are_lost(shop: Shop) -> None:
    """Only where the PSP's event list is read: else nobody hears of it before the page ends."""
    if shop.is_swept:
        await shop.stage.fault("/psp/*", "hook_lose", count=3)
    await is_paid(shop)


async def the_psp_never_answers(shop: Shop) -> None:
    """Until the time is over in which it would repeat its answer; then it is searched in vain."""
    if shop.mute:
        await shop.mute.ask_for()


async def an_endpoint_comes_and_goes(shop: Shop) -> None:
    made = await shop.post("/v1/webhook-endpoints", {"url": shop.receiver.url + PASSING})
    if made.status == 201:
        path = f"/v1/webhook-endpoints/{made.json['id']}"
        await shop.insist(lambda: shop.stage.send("DELETE", path))


Story = Callable[[Shop], Awaitable[None]]

# How often each is told, compared with the others.
STORIES: dict[Story, int] = {
    is_paid: 4,
    is_paid_and_the_shopper_returns_at_once: 6,
    returns_unpaid_then_pays: 3,
    gives_up: 1,
    is_declined_first: 2,
    is_declined: 1,
    the_page_is_ended_at_the_psp: 2,
    the_answer_is_lost: 3,
    the_request_is_lost: 2,
    is_refused: 3,
    two_buttons_are_pressed_at_once: 2,
    is_canceled: 2,
    is_canceled_and_paid_all_the_same: 2,
    the_answer_to_a_return_is_lost: 2,
    a_return_is_refused_at_first: 3,
    tries_another_page: 3,
    pays_both_pages: 2,
    tries_again_after_the_end: 2,
    the_webhooks_are_lost: 3,
    the_psp_never_answers: 3,
    the_database_refuses_for_a_while: 5,
    an_endpoint_comes_and_goes: 2,
}


def any_story(rng: random.Random) -> Story:
    (story,) = rng.choices(list(STORIES), list(STORIES.values()))
    return story


async def _session(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    session: dict[str, Any] = await shop.stage.sandbox("GET", f"{SESSIONS}/{_token(order)}")
    return session


def _token(order: dict[str, Any]) -> str:
    token: str = order["attempts"][-1]["token"]
    return token
