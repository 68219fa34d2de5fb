"""Events are written with their cause, once, for those who want them."""

import json
from uuid import UUID

import pytest

from payloom.core import ids
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime
from payloom.webhooks.endpoints import delete_endpoint
from payloom.webhooks.event_types import EVENT_TYPES
from payloom.webhooks.publish import NewEvent, publish
from tests.webhooks.rows import (
    PAID,
    deliveries,
    endpoint_at,
    events,
    new_order,
    rows,
    tell,
    tell_of,
)

URL = "https://shop.example/hooks"


async def test_an_event_is_delivered_to_every_endpoint_that_wants_its_type(
    rt: Runtime, merchant: UUID
) -> None:
    wants_all, _ = await endpoint_at(rt, merchant, URL)
    wants_paid, _ = await endpoint_at(rt, merchant, URL, [PAID, "refund.failed"])
    await endpoint_at(rt, merchant, URL, ["payment_order.failed"])
    disabled, _ = await endpoint_at(rt, merchant, URL)
    await delete_endpoint(rt, merchant, disabled)
    stranger = await create_merchant(rt, "Somebody else", "test")
    await endpoint_at(rt, stranger.merchant_id, URL)

    await tell(rt, merchant)

    assert {row["endpoint_id"] for row in await deliveries(rt)} == {wants_all, wants_paid}
    assert {row["merchant_id"] for row in await deliveries(rt)} == {merchant}


async def test_an_event_is_kept_when_nobody_listens(rt: Runtime, merchant: UUID) -> None:
    await tell(rt, merchant)
    assert [row["type"] for row in await events(rt)] == [PAID]
    assert await deliveries(rt) == []


async def test_the_body_is_compact_json_with_the_five_fields(rt: Runtime, merchant: UUID) -> None:
    await tell(rt, merchant, sequence=7)
    (event,) = await events(rt)
    body = json.loads(event["body"])
    assert list(body) == ["id", "type", "timestamp", "sequence", "data"]
    assert body["id"] == ids.text("evt", event["id"])
    assert (body["type"], body["sequence"]) == (event["type"], event["sequence"]) == (PAID, 7)
    assert body["timestamp"].endswith("Z")
    assert body["data"]["description"] == "Tee für zwei ☕"
    assert "für zwei ☕" in event["body"]
    assert ": " not in event["body"]


async def test_an_event_exists_exactly_when_its_cause_does(rt: Runtime, merchant: UUID) -> None:
    await endpoint_at(rt, merchant, URL)

    async def half_done() -> None:
        async with rt.db.transaction() as tx:
            await publish(tx, [NewEvent(merchant, None, 1, PAID, {}, "")], rt.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await half_done()
    assert await events(rt) == []
    assert await deliveries(rt) == []

    order = await new_order(rt, merchant)
    async with rt.db.transaction() as tx:
        await tx.execute(
            "UPDATE payment_orders SET version = 2, payment_order_status = 'PENDING' WHERE id = $1",
            order,
        )
        await publish(tx, [NewEvent(merchant, order, 1, PAID, {}, "")], rt.clock())
    transactions = await rows(
        rt,
        "SELECT xmin FROM payment_orders UNION SELECT xmin FROM events"
        " UNION SELECT xmin FROM deliveries",
    )
    assert len(transactions) == 1


async def test_several_events_are_written_at_once_in_their_order(
    rt: Runtime, merchant: UUID
) -> None:
    order = await new_order(rt, merchant)
    await endpoint_at(rt, merchant, URL)
    await endpoint_at(rt, merchant, URL)
    kinds = ["payment_order.registered", PAID, "payment_order.late_success"]

    await tell_of(rt, merchant, order, *kinds)

    told = await events(rt)
    assert [(row["type"], row["sequence"]) for row in told] == list(
        zip(kinds, (1, 2, 3), strict=True)
    )
    assert {row["payment_order_id"] for row in told} == {order}
    owed = await deliveries(rt)
    assert len(owed) == 6
    assert {row["state"] for row in owed} == {"pending"}


async def test_ids_of_deliveries_are_uuids_version_7_in_the_order_of_events(
    rt: Runtime, merchant: UUID
) -> None:
    await endpoint_at(rt, merchant, URL)
    await endpoint_at(rt, merchant, URL)
    await tell(rt, merchant)
    (event,) = await events(rt)
    owed = await deliveries(rt)
    assert {(row["id"].version, row["id"].variant) for row in owed} == {
        (7, "specified in RFC 4122")
    }
    assert {row["id"].bytes[:6] for row in owed} == {event["id"].bytes[:6]}


async def test_every_type_of_event_can_be_published(rt: Runtime, merchant: UUID) -> None:
    order = await new_order(rt, merchant)
    await tell_of(rt, merchant, order, *EVENT_TYPES)
    assert len(await events(rt)) == len(EVENT_TYPES)


async def test_what_is_not_in_the_table_of_types_is_not_published(
    rt: Runtime, merchant: UUID
) -> None:
    with pytest.raises(ValueError, match=r"payment_order\.paid"):
        await tell(rt, merchant, "payment_order.paid")
    assert await events(rt) == []


async def test_publishing_nothing_asks_the_database_nothing(rt: Runtime) -> None:
    async with rt.db.transaction() as tx:
        await publish(tx, [], rt.clock())
    assert await events(rt) == []
