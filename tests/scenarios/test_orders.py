"""Registering, reading and listing payment orders, as the contract says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.scenarios.moves import ORDERS, SESSIONS, advance, made, shown, token_of
from tests.scenarios.rows import counted
from tests.scenarios.stage import Stage
from tests.scenarios.test_refusals import check_problem, fields

SHOWN = set(
    "id reference mode payment_order_status payment_type payment_method method_types psp amount"
    " currency amount_captured amount_refunded amount_disputed redirect_url return_url cancel_url"
    " expires_at last_error attention method customer description line_items metadata created_at"
    " updated_at attempts".split()
)


async def test_an_order_is_shown_with_all_its_fields(stage: Stage) -> None:
    wanted = stage.wanted(
        description="Beans", method_types=["card"], metadata={"a": "b"}, expires_in=3_600,
        cancel_url="https://shop.example/cart", customer={"id": "c-1", "country": "DE"},
        line_items=[{"name": "Beans", "quantity": 1, "unit_amount": 4999}],
    )  # fmt: skip
    reply = await stage.post(ORDERS, wanted)
    assert reply.status == 201
    order = reply.json
    assert reply.headers["location"] == f"{ORDERS}/{order['id']}"
    assert set(order) == SHOWN
    for name in wanted.keys() - {"expires_in", "customer"}:
        assert order[name] == wanted[name], name
    assert order["customer"] == {"id": "c-1", "email": None, "name": None, "country": "DE"}
    assert (order["mode"], order["psp"]) == ("test", "stripe")
    assert (order["payment_type"], order["payment_method"]) == ("SALE", "APM")
    assert (order["last_error"], order["attention"], order["method"]) == (None, None, None)
    (attempt,) = order["attempts"]
    assert set(attempt) == {"id", "state", "psp", "token", "created_at"}
    assert attempt["state"] == "OPEN"
    times = [order[name] for name in ("created_at", "updated_at", "expires_at")]
    assert all(time.endswith("Z") for time in times)
    lasts = datetime.fromisoformat(times[2]) - datetime.fromisoformat(times[0])
    assert timedelta(seconds=3_598) < lasts <= timedelta(seconds=3_600)
    assert await shown(stage, order["id"]) == order


async def test_the_same_reference_again_is_the_order_as_it_is_now(stage: Stage) -> None:
    body = stage.wanted(metadata={"a": "1", "b": "2"})
    first = await stage.post(ORDERS, body)
    again = await stage.post(ORDERS, {**body, "metadata": {"b": "2", "a": "1"}, "psp": None})
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    await stage.pay(token_of(first.json))
    paid = await stage.until(first.json["id"], "SUCCEEDED")
    again = await stage.post(ORDERS, body)
    assert (again.status, again.json) == (200, paid)
    assert again.json["redirect_url"] is None
    assert len(await stage.sandbox_log(SESSIONS)) == 1


async def test_the_same_reference_for_another_order_is_a_conflict(stage: Stage) -> None:
    body = stage.wanted()
    assert (await stage.post(ORDERS, body)).status == 201
    before = await counted(stage.rt)
    for change in ({"amount": 5000}, {"currency": "USD"}, {"return_url": "https://a.example/"},
                   {"metadata": {"a": "b"}}, {"expires_in": 3_600}):  # fmt: skip
        reply = await stage.post(ORDERS, {**body, **change})
        assert fields(check_problem(reply, 409, "reference_conflict")) == ["reference"]
    assert await counted(stage.rt) == before
    assert len(await stage.sandbox_log(SESSIONS)) == 1


@pytest.mark.parametrize(
    ("amount", "currency", "wire"),
    [(4999, "EUR", 4999), (500, "JPY", 500), (1230, "KWD", 1230), (500, "ISK", 50_000),
     (5_000, "UGX", 500_000), (500_000, "MGA", 5_000)],
)  # fmt: skip
async def test_an_amount_goes_to_the_psp_in_its_scale_and_comes_back_in_ours(
    stage: Stage, amount: int, currency: str, wire: int
) -> None:
    order = await made(stage, amount=amount, currency=currency)
    session = await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}")
    assert (session["amount_total"], session["currency"]) == (wire, currency.lower())
    await stage.pay(token_of(order))
    paid = await stage.until(order["id"], "SUCCEEDED")
    assert (paid["amount_captured"], paid["attention"]) == (amount, None)


async def test_what_the_psp_cannot_take_is_refused_before_anything_is_written(
    stage: Stage,
) -> None:
    before = await counted(stage.rt)
    lines = [{"name": "a", "quantity": 2, "unit_amount": 615}]
    refused: list[tuple[dict[str, Any], str, str]] = [
        ({"amount": 1234, "currency": "KWD"}, "amount_not_supported", "amount"),
        ({"amount": 150, "currency": "MGA"}, "amount_not_supported", "amount"),
        ({"amount": 49, "currency": "EUR"}, "amount_not_supported", "amount"),
        ({"amount": 100_000_000}, "amount_not_supported", "amount"),
        ({"amount": 1_000_000, "currency": "ISK"}, "amount_not_supported", "amount"),
        ({"amount": 10**15, "currency": "UGX"}, "amount_not_supported", "amount"),
        ({"currency": "CUP"}, "amount_not_supported", "currency"),
        ({"amount": 1230, "currency": "KWD", "line_items": lines}, "amount_not_supported",
         "line_items[0].unit_amount"),
        ({"method_types": ["netbanking"], "currency": "INR"}, "method_type_unavailable",
         "method_types"),
        ({"method_types": ["upi"]}, "method_type_unavailable", "method_types"),
        ({"method_types": ["upi", "netbanking"]}, "method_type_unavailable", "method_types"),
    ]  # fmt: skip
    for changes, code, field in refused:
        problem = check_problem(await stage.post(ORDERS, stage.wanted(**changes)), 422, code)
        assert fields(problem) == [field], changes
    assert await counted(stage.rt) == before
    assert await stage.sandbox("GET", "/_sandbox/log") != []  # the endpoint's own making
    assert await stage.sandbox_log(SESSIONS) == []


async def test_method_types_narrow_what_the_page_offers(stage: Stage) -> None:
    order = await made(stage, method_types=["card", "card"])
    session = await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}")
    assert session["allowed_payment_method_types"] == ["card", "link"]


async def pages(stage: Stage, query: str) -> list[str]:
    """Ids of a whole list, page by page, each checked against the contract."""
    found: list[str] = []
    cursor = ""
    for _ in range(50):
        page = (await stage.get(f"{ORDERS}?{query}{cursor}")).json
        assert set(page) == {"data", "has_more", "next_cursor"}
        found += [order["id"] for order in page["data"]]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return found
        assert page["next_cursor"] == found[-1]
        cursor = f"&starting_after={page['next_cursor']}"
    raise AssertionError("the list has no end")


async def test_a_list_is_whole_whatever_the_size_of_its_pages(stage: Stage) -> None:
    made_ids = [(await made(stage))["id"] for _ in range(7)]
    newest_first = made_ids[::-1]
    for limit in (1, 2, 3, 6, 7, 8, 100):
        assert await pages(stage, f"limit={limit}") == newest_first
    page = (await stage.get(f"{ORDERS}?limit=3")).json
    late = (await made(stage))["id"]
    rest = (await stage.get(f"{ORDERS}?limit=100&starting_after={page['next_cursor']}")).json
    assert [order["id"] for order in rest["data"]] == newest_first[3:]
    assert (await pages(stage, "limit=100"))[0] == late


async def test_filters_narrow_and_add_up(stage: Stage) -> None:
    first = await made(stage, reference="A & Ü/1", customer={"id": "c 1"})
    await advance(stage, 60)
    paid = await made(stage, customer={"id": "c 1"})
    await advance(stage, 60)
    last = await made(stage, customer={"id": "c-2"})
    await stage.pay(token_of(paid))
    await stage.until(paid["id"], "SUCCEEDED")
    between = quote(paid["created_at"])
    late = quote(
        (datetime.fromisoformat(last["created_at"]) + timedelta(milliseconds=1))
        .astimezone(UTC)
        .isoformat()
    )
    narrowed = {
        f"reference={quote('A & Ü/1', safe='')}": [first],
        "reference=none": [],
        "customer=c%201": [paid, first],
        "payment_order_status=SUCCEEDED": [paid],
        "payment_order_status=PENDING": [last, first],
        "customer=c%201&payment_order_status=PENDING": [first],
        "psp=stripe": [last, paid, first],
        "psp=other": [],
        f"created_gte={between}": [last, paid],
        f"created_lt={between}": [first],
        f"created_gte={between}&created_lt={late}&customer=c-2": [last],
        f"created_gte={late}": [],
    }
    for query, orders in narrowed.items():
        assert await pages(stage, f"limit=1&{query}") == [order["id"] for order in orders], query


async def test_what_the_list_shows_is_what_the_order_shows(stage: Stage) -> None:
    orders = [await made(stage) for _ in range(3)]
    await stage.pay(token_of(orders[1]))
    await stage.until(orders[1]["id"], "SUCCEEDED")
    listed = (await stage.get(ORDERS)).json["data"]
    assert listed == [await shown(stage, order["id"]) for order in orders[::-1]]
