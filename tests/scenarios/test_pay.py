"""A shop is paid: the nine steps, as its API tells them."""

from tests.scenarios.stage import Stage


async def test_a_card_payment_ends_paid_and_booked(stage: Stage) -> None:
    made = await stage.post("/v1/payment-orders", stage.wanted())
    assert made.status == 201, made.body
    order = made.json
    assert order["payment_order_status"] == "PENDING"
    assert order["redirect_url"].startswith(stage.sandbox_url)

    await stage.pay(order["attempts"][0]["token"])
    paid = await stage.until(order["id"], "SUCCEEDED")

    assert paid["amount_captured"] == 4999
    postings = (await stage.get(f"/v1/ledger/postings?payment_order={order['id']}")).json["data"]
    assert [posting["kind"] for posting in postings] == ["captured"]
    booked = {entry["code"]: entry["amount"] for entry in postings[0]["entries"]}
    assert booked == {"psp_receivable": 4999, "merchant_pending": -4999}
    events = (await stage.get(f"/v1/events?payment_order={order['id']}")).json["data"]
    told = [(event["sequence"], event["type"]) for event in reversed(events)]
    assert told == [(1, "payment_order.registered"), (2, "payment_order.succeeded")]
