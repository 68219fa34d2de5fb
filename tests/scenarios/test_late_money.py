"""A PSP that races with us takes money on a page that has ended: kept or returned, told, booked.

The sandbox has a card for this: it pays also when its page has expired.
"""

from typing import Any

from tests.scenarios.moves import ORDERS, advance, events, made, postings, shown, token_of
from tests.scenarios.stage import Stage
from tests.scenarios.telling import until

LATE = "4000000000009912"


async def until_told(stage: Stage, order: dict[str, Any], kind: str) -> None:
    async def is_told() -> bool:
        return kind in await events(stage, order["id"])

    await until(is_told)


async def test_two_pages_of_one_order_are_paid(stage: Stage) -> None:
    first = await made(stage)
    second = (await stage.post(f"{ORDERS}/{first['id']}/attempts", {})).json
    await stage.pay(token_of(second))
    await stage.until(first["id"], "SUCCEEDED")
    await stage.pay(token_of(first), LATE)
    await until_told(stage, first, "duplicate_payment_returned")
    now = await shown(stage, first["id"])
    assert (now["payment_order_status"], now["amount_captured"]) == ("SUCCEEDED", 4999)
    assert [each["state"] for each in now["attempts"]] == ["SUCCEEDED", "SUCCEEDED"]
    assert await postings(stage, first["id"]) == [
        ("money_returned", 4999), ("suspense", 4999), ("captured", 4999),
    ]  # fmt: skip


async def test_the_old_page_is_paid_first_and_the_new_one_ends(stage: Stage) -> None:
    first = await made(stage)
    second = (await stage.post(f"{ORDERS}/{first['id']}/attempts", {})).json
    await stage.pay(token_of(first), LATE)
    await stage.until(first["id"], "SUCCEEDED")
    await advance(stage, 3)

    async def is_closed() -> bool:
        now = await shown(stage, first["id"])
        return bool(now["attempts"][1]["state"] == "EXPIRED")

    await until(is_closed)
    session = await stage.sandbox("GET", f"/v1/checkout/sessions/{token_of(second)}")
    assert session["status"] == "expired"
    assert await events(stage, first["id"]) == ["registered", "registered", "succeeded"]


async def test_a_page_is_paid_after_its_order_was_canceled(stage: Stage) -> None:
    order = await made(stage)
    assert (await stage.post(f"{ORDERS}/{order['id']}/cancel", {})).status == 200
    await stage.pay(token_of(order), LATE)
    await until_told(stage, order, "duplicate_payment_returned")
    now = await shown(stage, order["id"])
    assert (now["payment_order_status"], now["amount_captured"]) == ("CANCELED", 0)
    assert await postings(stage, order["id"]) == [("money_returned", 4999), ("suspense", 4999)]


async def test_a_page_is_paid_after_it_expired(stage: Stage) -> None:
    order = await made(stage)
    await advance(stage, 86_000)
    await stage.until(order["id"], "EXPIRED")
    await stage.pay(token_of(order), LATE)
    now = await stage.until(order["id"], "SUCCEEDED")
    assert now["amount_captured"] == 4999
    assert await events(stage, order["id"]) == [
        "registered", "expired", "succeeded", "late_success",
    ]  # fmt: skip
    assert await postings(stage, order["id"]) == [("captured", 4999)]


async def test_both_pages_of_an_order_that_was_canceled_are_paid(stage: Stage) -> None:
    first = await made(stage)
    second = (await stage.post(f"{ORDERS}/{first['id']}/attempts", {})).json
    assert (await stage.post(f"{ORDERS}/{first['id']}/cancel", {})).status == 200
    for order in (first, second):
        await stage.pay(token_of(order), LATE)

    async def are_returned() -> bool:
        return (await events(stage, first["id"])).count("duplicate_payment_returned") == 2

    await until(are_returned)
    assert (await shown(stage, first["id"]))["payment_order_status"] == "CANCELED"
