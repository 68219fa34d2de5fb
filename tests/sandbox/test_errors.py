"""What Stripe refuses is refused with its status, type, code and param; nothing crashes."""

import asyncio
import base64
from typing import Any

import aiohttp
import pytest
import stripe

from tests.sandbox.merchant import Merchant, form

ITEM = "line_items[0]"
PRICE = f"{ITEM}[price_data]"


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"nonsense": "1"}, "parameter_unknown", "nonsense"),
        ({f"{PRICE}[colour]": "red"}, "parameter_unknown", f"{PRICE}[colour]"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({f"{PRICE}[currency]": None}, "parameter_missing", f"{PRICE}[currency]"),
        ({f"{PRICE}[unit_amount]": None}, "parameter_missing", f"{PRICE}[unit_amount]"),
        ({f"{PRICE}[unit_amount]": "1.5"}, "parameter_invalid_integer", f"{PRICE}[unit_amount]"),
        ({f"{PRICE}[unit_amount]": "-5"}, "parameter_invalid_integer", f"{PRICE}[unit_amount]"),
        ({f"{PRICE}[unit_amount]": "9" * 18}, "parameter_invalid_integer", f"{PRICE}[unit_amount]"),
        ({f"{PRICE}[unit_amount]": "49"}, "amount_too_small", None),
        ({f"{PRICE}[unit_amount]": "100000000"}, "amount_too_large", None),
        ({f"{PRICE}[currency]": "xxx"}, None, f"{PRICE}[currency]"),
        ({f"{ITEM}[quantity]": None}, None, f"{ITEM}[quantity]"),
        ({f"{ITEM}[quantity]": "0"}, None, f"{ITEM}[quantity]"),
        ({f"{ITEM}[price]": "price_1"}, "parameters_exclusive", f"{ITEM}[price]"),
        ({"mode": "prepaid"}, None, "mode"),
        ({"mode": ""}, "parameter_invalid_empty", "mode"),
        ({"success_url": "somewhere"}, "url_invalid", "success_url"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
        ({"cancel_url": "http://[bad"}, "url_invalid", "cancel_url"),
        ({"ui_mode": "popup"}, None, "ui_mode"),
        ({"customer": "cus_1"}, "resource_missing", "customer"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"metadata[" + "k" * 41 + "]": "v"}, None, "metadata"),
        ({"metadata[k]": "v" * 501}, None, "metadata[k]"),
        ({"metadata[k][x]": "v"}, None, "metadata[k]"),
        ({"allowed_payment_method_types[0]": "upi"}, None, "allowed_payment_method_types"),
        ({"allowed_payment_method_types[0]": "gold"}, None, "allowed_payment_method_types[0]"),
        ({"line_items": "x"}, None, "line_items"),
        ({"expand[0]": "nothing"}, None, "expand"),
        ({"mode": "subscription"}, None, "mode"),
        ({"discounts[0][coupon]": "half"}, None, "discounts"),
        ({"shipping_options[0][shipping_rate]": "shr_1"}, None, "shipping_options"),
        ({"automatic_tax[enabled]": "true"}, None, "automatic_tax[enabled]"),
    ],
)
async def test_a_bad_session_is_refused_as_stripe_does(
    merchant: Merchant, change: dict[str, str | None], code: str | None, param: str | None
) -> None:
    wanted: dict[str, Any] = {**form(), **change}
    if "line_items" in change:
        wanted = {k: v for k, v in wanted.items() if not k.startswith("line_items[")}
    body = {name: value for name, value in wanted.items() if value is not None}
    status, answer, headers = await merchant.post(
        "/v1/checkout/sessions", body, Stripe_Version="2026-10-28.endive"
    )
    error = answer["error"]
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert (error.get("code"), error.get("param")) == (code, param)
    assert error["message"]
    assert error["request_log_url"].endswith(headers["Request-Id"])
    if code:
        assert error["doc_url"].endswith(code.replace("_", "-"))
    assert (await merchant.sessions.list_async()).data == []


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("50000", "isk", None),
        ("50050", "isk", "invalid_charge_amount_no_decimal_compatible"),
        ("500", "jpy", None),
        ("49", "jpy", "amount_too_small"),
        ("1230", "kwd", None),
        ("1234", "kwd", "parameter_invalid_integer"),
        ("30", "gbp", None),
        ("29", "gbp", "amount_too_small"),
        ("50", "usd", None),
        ("99999999", "usd", None),
    ],
)
async def test_amounts_follow_the_rules_of_their_currency(
    merchant: Merchant, amount: str, currency: str, code: str | None
) -> None:
    status, body, _ = await merchant.post("/v1/checkout/sessions", form(amount, currency))
    assert status == (400 if code else 200)
    assert body.get("error", {}).get("code") == code


async def test_line_items_of_two_currencies_are_refused(merchant: Merchant) -> None:
    second = {
        "line_items[1][price_data][currency]": "usd",
        "line_items[1][price_data][unit_amount]": "100",
        "line_items[1][price_data][product_data][name]": "Other",
        "line_items[1][quantity]": "1",
    }
    status, body, _ = await merchant.post("/v1/checkout/sessions", form(**second))
    assert (status, body["error"]["param"]) == (400, "line_items")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/checkout/sessions/cs_test_none",
        "/v1/payment_intents/pi_none",
        "/v1/charges/ch_none",
        "/v1/balance_transactions/txn_none",
        "/v1/events/evt_none",
        "/v1/webhook_endpoints/we_none",
        "/v1/payment_methods/pm_none",
        "/v1/payment_pages/cs_none",
        "/v1/checkout/sessions/%00%ff/line_items",
    ],
)
async def test_an_unknown_id_is_404_resource_missing(merchant: Merchant, path: str) -> None:
    async with merchant.http.get(merchant.url + path, headers=merchant.auth) as answer:
        body = await answer.json()
    assert (answer.status, body["error"]["code"]) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("GET", "/v1"),
        ("DELETE", "/v1/checkout/sessions"),
        ("PUT", "/v1/events"),
        ("PATCH", "/v1/checkout/sessions/x"),
        ("OPTIONS", "/v1/events"),
        ("TRACE", "/v1/events"),
        ("GET", "/elsewhere"),
        ("GET", "/v1/checkout/sessions//expire"),
        ("GET", "/v1/customers/search?query=email:'jo@example.com'"),
        ("POST", "/v1/invoices/create_preview"),
    ],
)
async def test_an_unknown_address_is_404_in_json(
    merchant: Merchant, method: str, path: str
) -> None:
    async with merchant.http.request(method, merchant.url + path, headers=merchant.auth) as answer:
        body = await answer.json()
    assert answer.status == 404
    assert "Unrecognized request URL" in body["error"]["message"]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer pk_test_123456789012",
        "Bearer sk_test_short",
        "Basic !!!",
        "Basic /w==",
    ],
)
async def test_a_bad_key_is_401(merchant: Merchant, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with merchant.http.get(f"{merchant.url}/v1/events", headers=headers) as answer:
        body = await answer.json()
    assert answer.status == 401
    assert body["error"]["type"] == "invalid_request_error"
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Stripe"'
    assert answer.headers["Request-Id"].startswith("req_")


async def test_the_sdk_raises_its_own_exceptions(merchant: Merchant) -> None:
    merchant.stripe._requestor._options.api_key = "sk_test_short"
    with pytest.raises(stripe.AuthenticationError):
        await merchant.order()


async def test_the_key_may_come_as_basic_authentication(merchant: Merchant) -> None:
    basic = base64.b64encode(f"{merchant.key}:".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    async with merchant.http.get(f"{merchant.url}/v1/events", headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"a[b=1",
        b"a]b[=1",
        b"=1",
        b"%ZZ=1",
        b"%ff=1",
        b"a=1&a=2",
        b"a=1&a[b]=2",
        b"a[]=1&a[b]=2",
        b"a[b]=2&a=1",
        b"a%00=1",
        b"a" + b"[b]" * 50 + b"=1",
        b"&".join(b"k%d=1" % n for n in range(3000)),
        b"\x00\xff\xfe",
        b"line_items[99999999999]=1",
        b"mode=payment&line_items[x]=1",
    ],
)
async def test_a_malformed_body_is_400_in_json(merchant: Merchant, body: bytes) -> None:
    headers = {**merchant.auth, "Content-Type": "application/x-www-form-urlencoded"}
    async with merchant.http.post(
        f"{merchant.url}/v1/checkout/sessions", data=body, headers=headers
    ) as answer:
        refused = await answer.json()
    assert (answer.status, refused["error"]["type"]) == (400, "invalid_request_error")


async def test_json_is_not_what_this_api_takes(merchant: Merchant) -> None:
    async with merchant.http.post(
        f"{merchant.url}/v1/checkout/sessions", json={"mode": "payment"}, headers=merchant.auth
    ) as answer:
        body = await answer.json()
    assert answer.status == 400
    assert "application/x-www-form-urlencoded" in body["error"]["message"]


async def test_a_body_of_ten_megabytes_is_refused_and_the_next_call_works(
    merchant: Merchant,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(merchant.url.split(":")[-1]))
    head = f"POST /v1/checkout/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {merchant.key}"
    writer.write(f"{head}\r\nContent-Length: {10 * 2**20}\r\n\r\n".encode())
    writer.write(b"a=" + b"x" * (2 * 2**20))
    await writer.drain()
    assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert (await merchant.order()).status == "open"


async def test_requests_that_are_not_http_do_not_hurt(merchant: Merchant) -> None:
    for noise in (b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(merchant.url.split(":")[-1])
        )
        writer.write(noise)
        await writer.drain()
        async with asyncio.timeout(2):
            await reader.read()
        writer.close()
        await writer.wait_closed()
    async with merchant.http.get(f"{merchant.url}/healthz") as answer:
        assert answer.status == 200


async def test_a_strange_host_header_never_gets_into_links(merchant: Merchant) -> None:
    _, body, _ = await merchant.post("/v1/checkout/sessions", form(), Host='evil"><script>')
    assert body["url"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=ten",
        "starting_after=evt_nowhere",
        "created[after]=1",
        "created[gt]=x",
        "type=a&types[0]=b",
        "delivery_success=perhaps",
        "colour=red",
    ],
)
async def test_a_bad_list_query_is_refused(merchant: Merchant, query: str) -> None:
    status, body = await merchant.get(f"/v1/events?{query}")
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")


async def test_many_malformed_calls_at_once_leave_the_sandbox_well(
    merchant: Merchant, http: aiohttp.ClientSession
) -> None:
    async def call(n: int) -> int:
        body = bytes((n * 7 + k * 13) % 256 for k in range(n * 3))
        async with http.post(
            f"{merchant.url}/v1/checkout/sessions", data=body, headers=merchant.auth
        ) as answer:
            await answer.json()
            return answer.status

    assert set(await asyncio.gather(*[call(n) for n in range(100)])) == {400}
