"""`POST /v1/events/{id}/retry`: an event once more, beside the tries that it has anyway."""

import asyncio

import pytest

from tests.sandbox.merchant import Merchant
from tests.sandbox.receiver import Receiver
from tests.sandbox.test_webhooks import COMPLETED, paid, undelivered, until_delivered


async def completed(merchant: Merchant) -> str:
    """The id of the event that tells of a payment."""
    await paid(merchant)
    (event,) = (await merchant.stripe.v1.events.list_async({"type": COMPLETED})).data
    return event.id


async def resend(merchant: Merchant, event_id: str, **form: str) -> int:
    status, _, _ = await merchant.post(f"/v1/events/{event_id}/retry", form)
    return status


async def test_an_event_from_before_the_endpoint_can_be_sent_to_it(
    merchant: Merchant, receiver: Receiver
) -> None:
    event_id = await completed(merchant)
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    form = {"webhook_endpoint": endpoint.id}
    status, answer, _ = await merchant.post(f"/v1/events/{event_id}/retry", form)
    assert (status, answer["id"], answer["object"]) == (200, event_id, "event")
    await receiver.until(1)
    assert receiver.got[0].is_signed_with(endpoint.secret)


async def test_a_resent_event_that_is_taken_was_delivered_after_all(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    other = await merchant.listen(f"{receiver.url}/other", [COMPLETED])
    await merchant.fault("/hook*", "hook_lose", count=2)
    event_id = await completed(merchant)
    assert await pending(merchant, event_id) == 2
    for count in (1, 2):  # it may be taken twice, and counts once
        assert await resend(merchant, event_id, webhook_endpoint=endpoint.id) == 200
        await receiver.until(count)
        await asyncio.sleep(0.1)  # its answer must have been recorded
        assert await pending(merchant, event_id) == 1
    assert await undelivered(merchant) == [COMPLETED]
    await resend(merchant, event_id, webhook_endpoint=other.id)
    await until_delivered(merchant)


async def pending(merchant: Merchant, event_id: str) -> int:
    return (await merchant.stripe.v1.events.retrieve_async(event_id)).pending_webhooks


async def test_resending_does_not_stop_the_tries_that_are_to_come(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    receiver.status = 500
    event_id = await completed(merchant)
    await receiver.until(1)
    await asyncio.sleep(0.1)
    receiver.status = 200
    await resend(merchant, event_id, webhook_endpoint=endpoint.id)
    await receiver.until(2)
    await merchant.advance(6)
    await receiver.until(3)
    await until_delivered(merchant)
    assert await pending(merchant, event_id) == 0


async def test_a_resent_event_that_is_not_taken_is_tried_once(
    merchant: Merchant, receiver: Receiver
) -> None:
    event_id = await completed(merchant)
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    receiver.status = 500
    await resend(merchant, event_id, webhook_endpoint=endpoint.id)
    await receiver.until(1)
    await asyncio.sleep(0.1)
    await merchant.advance(7 * 86_400)
    await asyncio.sleep(0.1)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("form", "status", "param"),
    [
        ({}, 400, "webhook_endpoint"),
        ({"for_stripecli": "false"}, 400, "webhook_endpoint"),
        ({"for_stripecli": "perhaps"}, 400, "for_stripecli"),
        ({"webhook_endpoint": "we_none"}, 404, "webhook_endpoint"),
        ({"webhook_endpoint": "we_off"}, 400, "webhook_endpoint"),
        ({"for_stripecli": "true", "account": "acct_1"}, 400, "account"),
        ({"to": "me"}, 400, "to"),
    ],
)
async def test_a_resend_that_goes_nowhere_is_refused(
    merchant: Merchant, form: dict[str, str], status: int, param: str
) -> None:
    event_id = await completed(merchant)
    off = await merchant.listen("http://127.0.0.1:9/a")
    await merchant.stripe.v1.webhook_endpoints.update_async(off.id, {"disabled": True})
    sent = {name: off.id if value == "we_off" else value for name, value in form.items()}
    answered, body, _ = await merchant.post(f"/v1/events/{event_id}/retry", sent)
    assert (answered, body["error"]["param"]) == (status, param)


async def test_an_event_that_nobody_knows_any_more_is_not_sent(merchant: Merchant) -> None:
    event_id = await completed(merchant)
    assert await resend(merchant, event_id, for_stripecli="true") == 200
    await merchant.advance(31 * 86_400)
    assert await resend(merchant, event_id, for_stripecli="true") == 404
    assert await resend(merchant, "evt_none", for_stripecli="true") == 404
