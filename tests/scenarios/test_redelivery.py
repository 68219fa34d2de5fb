"""A shop that lost what it was told: told again by request, and the payment's story says so."""

import asyncio
import json

from tests.scenarios.moves import made, token_of
from tests.scenarios.stage import Stage
from tests.webhooks.receiver import open_receiver


async def test_a_shop_that_lost_its_records_is_told_again_and_the_timeline_shows_both(
    stage: Stage,
) -> None:
    async with open_receiver() as receiver:
        await stage.post("/v1/webhook-endpoints", {"url": receiver.url})
        order = await made(stage)
        await stage.pay(token_of(order))
        await stage.until(order["id"], "SUCCEEDED")
        paid = (await stage.get(f"/v1/events?payment_order={order['id']}")).json["data"][0]
        await until_delivered(stage, paid["id"])

        answer = await stage.post(f"/v1/events/{paid['id']}/redeliver", {})

        assert answer.status == 202
        await until_delivered(stage, paid["id"])
        first, again = [g for g in receiver.got if g.headers["webhook-id"] == paid["id"]]
        assert first.body == again.body
        assert json.loads(first.body) == paid
        assert await told(stage, order["id"], paid["id"]) == [
            "event.published", "event.delivered", "event.redelivered", "event.delivered",
        ]  # fmt: skip


async def until_delivered(stage: Stage, event: str) -> None:
    async with asyncio.timeout(20):
        while True:
            found = (await stage.get(f"/v1/events/{event}/deliveries")).json["data"]
            if {each["state"] for each in found} == {"delivered"}:
                return
            await asyncio.sleep(0.02)


async def told(stage: Stage, order: str, event: str) -> list[str]:
    """What the timeline says of one event."""
    story = (await stage.get(f"/v1/payment-orders/{order}/timeline")).json["data"]
    return [entry["kind"] for entry in story if entry["data"].get("event") == event]
