"""Webhooks: signed, retried in sandbox time, and broken on command."""

import asyncio
import secrets
import time
from typing import Any

import pytest
import stripe

from payloom.sandbox.stripe.events.webhooks import LIVE_PAUSES_S, TEST_PAUSES_S
from tests.sandbox.merchant import NO_FUNDS, VISA, Merchant, Page
from tests.sandbox.receiver import Receiver
from tests.sandbox.until import until

COMPLETED = "checkout.session.completed"


async def paid(merchant: Merchant) -> str:
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa")
    return str(session.id)


async def undelivered(merchant: Merchant) -> list[str]:
    events = await merchant.stripe.v1.events.list_async({"delivery_success": False})
    return [event.type for event in events.data]


async def until_delivered(merchant: Merchant) -> None:
    async def delivered() -> bool:
        return not await undelivered(merchant)

    await until(delivered)


async def test_a_delivery_is_signed_and_parsed_by_the_sdk(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    assert endpoint.secret.startswith("whsec_")
    session_id = await paid(merchant)
    await receiver.until(1)
    delivery = receiver.got[0]
    event: Any = merchant.stripe.construct_event(
        delivery.body, delivery.headers["Stripe-Signature"], endpoint.secret
    )
    assert (event.type, event.data.object.id) == (COMPLETED, session_id)
    assert (event.data.object.payment_status, event.pending_webhooks) == ("paid", 1)
    assert delivery.headers["Content-Type"] == "application/json; charset=utf-8"
    assert delivery.headers["User-Agent"].startswith("Stripe/1.0")
    await until_delivered(merchant)
    kept = await merchant.stripe.v1.events.retrieve_async(event.id)
    assert kept.pending_webhooks == 0


async def test_only_the_chosen_types_are_delivered(merchant: Merchant, receiver: Receiver) -> None:
    await merchant.listen(receiver.url, ["charge.succeeded", COMPLETED])
    await paid(merchant)
    await receiver.until(2)
    await asyncio.sleep(0.1)
    assert sorted(receiver.types()) == ["charge.succeeded", COMPLETED]


async def test_every_endpoint_gets_its_own_signature_and_version(
    merchant: Merchant, receiver: Receiver
) -> None:
    first = await merchant.listen(f"{receiver.url}/1", [COMPLETED])
    second = await merchant.listen(
        f"{receiver.url}/2", [COMPLETED], api_version="2026-10-28.endive"
    )
    await paid(merchant)
    await receiver.until(2)
    by_path = {delivery.path[-1]: delivery for delivery in receiver.got}
    assert by_path["1"].is_signed_with(first.secret)
    assert by_path["2"].is_signed_with(second.secret)
    assert not by_path["1"].is_signed_with(second.secret)
    assert by_path["1"].event["id"] == by_path["2"].event["id"]
    assert by_path["1"].event["api_version"] == "2026-08-26.dahlia"
    assert by_path["2"].event["api_version"] == "2026-10-28.endive"


@pytest.mark.parametrize(
    ("mode", "pauses"), [("test", TEST_PAUSES_S), ("live", LIVE_PAUSES_S)], ids=str
)
async def test_what_is_not_taken_is_tried_again_with_growing_pauses(
    merchant: Merchant, receiver: Receiver, mode: str, pauses: tuple[int, ...]
) -> None:
    merchant = Merchant(merchant.url, merchant.http, f"sk_{mode}_{secrets.token_hex(12)}")
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    receiver.status = 503
    await paid(merchant)
    await receiver.until(1)
    await asyncio.sleep(0.1)  # its answer must have been recorded
    for tries, pause in enumerate(pauses, 2):
        await merchant.advance(pause - 1.5)
        await asyncio.sleep(0.1)
        assert len(receiver.got) == tries - 1
        await merchant.advance(2)
        await receiver.until(tries)
        await asyncio.sleep(0.1)
    await merchant.advance(7 * 86_400)
    await asyncio.sleep(0.1)
    assert len(receiver.got) == len(pauses) + 1
    assert len({delivery.body for delivery in receiver.got}) == 1
    assert all(delivery.is_signed_with(endpoint.secret) for delivery in receiver.got)
    assert await undelivered(merchant) == [COMPLETED]


def test_the_tries_take_hours_in_test_mode_and_three_days_live() -> None:
    assert len(TEST_PAUSES_S) == 3
    assert 2 * 3_600 <= sum(TEST_PAUSES_S) <= 6 * 3_600
    assert 2 * 86_400 < sum(LIVE_PAUSES_S) <= 3 * 86_400
    for pauses in (TEST_PAUSES_S, LIVE_PAUSES_S):
        assert list(pauses) == sorted(pauses)


async def test_once_it_is_taken_it_is_not_sent_again(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    receiver.status = 503
    await paid(merchant)
    await receiver.until(1)
    await asyncio.sleep(0.1)
    receiver.status = 200
    await merchant.advance(6)
    await receiver.until(2)
    await until_delivered(merchant)
    await merchant.advance(7 * 86_400)
    await asyncio.sleep(0.1)
    assert len(receiver.got) == 2


async def test_pending_webhooks_counts_the_endpoints_that_have_not_taken_it(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(f"{receiver.url}/1", [COMPLETED])
    await merchant.listen("http://127.0.0.1:9/nobody", [COMPLETED])
    await merchant.listen(f"{receiver.url}/3", ["charge.succeeded"])
    await paid(merchant)
    await receiver.until(1, COMPLETED)
    sent = next(delivery.event for delivery in receiver.got if delivery.type == COMPLETED)
    assert sent["pending_webhooks"] == 2

    async def counted() -> bool:
        events = (await merchant.stripe.v1.events.list_async()).data
        pending: dict[str, int] = {event.type: event.pending_webhooks for event in events}
        return (pending[COMPLETED], pending["charge.succeeded"]) == (1, 0)

    await until(counted)
    assert await undelivered(merchant) == [COMPLETED]


async def test_an_endpoint_that_is_off_for_a_while_keeps_its_tries(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoints = merchant.stripe.v1.webhook_endpoints
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    receiver.status = 500
    await paid(merchant)
    await receiver.until(1)
    await asyncio.sleep(0.1)
    await endpoints.update_async(endpoint.id, {"disabled": True})
    await endpoints.update_async(endpoint.id, {"disabled": False})
    await merchant.advance(6)
    await receiver.until(2)
    await asyncio.sleep(0.1)
    await endpoints.update_async(endpoint.id, {"disabled": True})
    await merchant.advance(86_400)
    await endpoints.update_async(endpoint.id, {"disabled": False})
    await merchant.advance(86_400)
    await asyncio.sleep(0.1)
    assert len(receiver.got) == 2


async def test_a_redirect_is_not_an_answer(merchant: Merchant, receiver: Receiver) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    receiver.status = 302
    await paid(merchant)
    await receiver.until(1)
    assert await undelivered(merchant) == [COMPLETED]


async def test_after_the_last_try_it_gives_up(merchant: Merchant) -> None:
    await merchant.listen("http://127.0.0.1:9/nobody", [COMPLETED])
    await paid(merchant)
    for _ in range(14):
        await asyncio.sleep(0.05)
        await merchant.advance(25 * 3600)
    assert await undelivered(merchant) == [COMPLETED]


async def test_a_disabled_or_deleted_endpoint_gets_nothing_more(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoints = merchant.stripe.v1.webhook_endpoints
    off = await merchant.listen(f"{receiver.url}/off", [COMPLETED])
    gone = await merchant.listen(f"{receiver.url}/gone", [COMPLETED])
    receiver.status = 500
    await paid(merchant)
    await receiver.until(2)
    await asyncio.sleep(0.1)
    await endpoints.update_async(off.id, {"disabled": True})
    assert (await endpoints.delete_async(gone.id)).deleted is True
    await merchant.advance(3600)
    await paid(merchant)
    await asyncio.sleep(0.2)
    assert len(receiver.got) == 2


async def test_endpoints_are_made_read_changed_and_listed(merchant: Merchant) -> None:
    endpoints = merchant.stripe.v1.webhook_endpoints
    made = await merchant.listen("http://127.0.0.1:9/a", ["charge.updated"], metadata={"a": "1"})
    read = await endpoints.retrieve_async(made.id)
    assert (read.secret, read.url, read.status) == (None, "http://127.0.0.1:9/a", "enabled")
    change: Any = {"url": "http://127.0.0.1:9/b", "enabled_events": ["*"], "metadata": {"b": "2"}}
    changed = await endpoints.update_async(made.id, change)
    assert (changed.url, changed.enabled_events) == ("http://127.0.0.1:9/b", ["*"])
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    listed = await endpoints.list_async()
    assert [(e.id, e.secret) for e in listed.data] == [(made.id, None)]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "nowhere"},
        {"enabled_events": []},
        {"enabled_events": ["Not A Type"]},
        {"api_version": "1999-01-01"},
    ],
)
async def test_a_bad_endpoint_is_refused(merchant: Merchant, change: dict[str, Any]) -> None:
    params: Any = {"url": "http://127.0.0.1:9/a", "enabled_events": ["*"], **change}
    with pytest.raises(stripe.InvalidRequestError):
        await merchant.stripe.v1.webhook_endpoints.create_async(params)


async def test_the_page_waits_for_the_answer_before_it_sends_the_shopper_on(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    receiver.delay_s = 0.6
    session = await merchant.order()
    page = await Page(merchant.http, session.url).open()
    began = time.monotonic()
    assert (await page.pay(VISA)).startswith("http://127.0.0.1:9/paid")
    assert 0.6 <= time.monotonic() - began < 5


async def test_the_page_does_not_wait_for_other_events(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, ["charge.succeeded"])
    receiver.delay_s = 3
    session = await merchant.order()
    page = await Page(merchant.http, session.url).open()
    began = time.monotonic()
    await page.pay(VISA)
    assert time.monotonic() - began < 2


async def test_the_page_waits_ten_seconds_at_most(merchant: Merchant, receiver: Receiver) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    receiver.delay_s = 12
    session = await merchant.order()
    page = await Page(merchant.http, session.url).open()
    began = time.monotonic()
    assert (await page.pay(VISA)).startswith("http://127.0.0.1:9/paid")
    assert 9.5 <= time.monotonic() - began < 11.5


async def test_a_lost_webhook_never_comes_but_is_in_the_event_list(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url)
    await merchant.fault("/hook", "hook_lose", event_type=COMPLETED)
    await paid(merchant)
    await receiver.until(3)
    await merchant.advance(86_400)
    await receiver.until(1, "charge.updated")
    await asyncio.sleep(0.1)
    assert COMPLETED not in receiver.types()
    assert await undelivered(merchant) == [COMPLETED]


async def test_a_duplicated_webhook_comes_twice_with_one_id(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    await merchant.fault("/*", "hook_duplicate")
    await paid(merchant)
    await receiver.until(2)
    assert len({delivery.event["id"] for delivery in receiver.got}) == 1
    await until_delivered(merchant)


async def test_a_delayed_webhook_comes_later_or_when_the_clock_moves(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    await merchant.fault("/hook", "hook_delay", delay_s=0.5, count=1)
    await paid(merchant)
    await asyncio.sleep(0.2)
    assert receiver.got == []
    await receiver.until(1)
    await merchant.fault("/hook", "hook_delay", delay_s=500)
    await paid(merchant)
    await asyncio.sleep(0.1)
    assert len(receiver.got) == 1
    await merchant.advance(501)
    await receiver.until(2)


async def test_every_webhook_may_be_delayed_and_still_comes(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, ["payment_intent.created", COMPLETED])
    await merchant.fault("/hook", "hook_delay", delay_s=500, count=-1)
    await paid(merchant)
    await asyncio.sleep(0.1)
    assert receiver.got == []
    await merchant.advance(501)
    await receiver.until(2)
    await until_delivered(merchant)


async def test_a_reordered_webhook_is_overtaken_by_the_next(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, ["payment_intent.created", COMPLETED])
    # held back for longer than the test waits: only being overtaken lets it go
    held = {"event_type": "payment_intent.created", "delay_s": 60}
    await merchant.fault("/hook", "hook_reorder", **held)
    await paid(merchant)
    await receiver.until(2)
    assert receiver.types() == [COMPLETED, "payment_intent.created"]


async def test_a_reordered_webhook_that_nothing_overtakes_comes_all_the_same(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    await merchant.fault("/hook", "hook_reorder", delay_s=0.3)
    await paid(merchant)
    await receiver.until(1)


async def test_a_missigned_webhook_is_tried_again_with_a_good_signature(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    await merchant.fault("/hook", "hook_missign")
    receiver.status = 400
    await paid(merchant)
    await receiver.until(1)
    assert not receiver.got[0].is_signed_with(endpoint.secret)
    await asyncio.sleep(0.1)
    receiver.status = 200
    await merchant.advance(10)
    await receiver.until(2)
    assert receiver.got[1].is_signed_with(endpoint.secret)


async def test_hook_faults_match_the_receiving_path(merchant: Merchant, receiver: Receiver) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    await merchant.fault("/elsewhere", "hook_lose", count=-1)
    await paid(merchant)
    await receiver.until(1)


async def test_a_decline_is_told_and_the_session_is_not(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url)
    session = await merchant.order()
    page = await Page(merchant.http, session.url).open()
    await page.pay(NO_FUNDS)
    await receiver.until(3)
    assert sorted(receiver.types()) == [
        "charge.failed",
        "payment_intent.created",
        "payment_intent.payment_failed",
    ]
    failed = next(d.event for d in receiver.got if d.type == "payment_intent.payment_failed")
    error = failed["data"]["object"]["last_payment_error"]
    assert error["decline_code"] == "insufficient_funds"


async def test_an_event_keeps_the_object_as_it_was(merchant: Merchant, receiver: Receiver) -> None:
    await merchant.listen(receiver.url)
    await paid(merchant)
    await receiver.until(4)
    by_type = {delivery.type: delivery.event["data"]["object"] for delivery in receiver.got}
    assert by_type["payment_intent.created"]["status"] == "requires_payment_method"
    assert by_type["payment_intent.succeeded"]["status"] == "succeeded"
