"""Whatever is sent is answered as an API answers, in JSON and with a request id: never a 500."""

import asyncio
import itertools
from urllib.parse import quote

import pytest
from yarl import URL

from tests.sandbox.merchant import Merchant

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
PATHS = (
    "/v1",
    "/v1/",
    "/v1//",
    "/v1/events",
    "/v1/events/",
    "/v1/events/evt_none/retry",
    "/v1/checkout/sessions",
    "/v1/checkout/sessions/cs_none/expire",
    "/v1/payment_intents/pi_none/confirm",
    "/v1/payment_intents/pi_none/capture",
    "/v1/refunds",
    "/v1/payment_methods",
    "/v1/payment_pages/cs_none/confirm",
    "/v1/webhook_endpoints",
    "/v1/webhook_endpoints/we_none",
    "/v1/stripecli/sessions",
    "/v1/" + "a/" * 200,
    "/v1/" + "x" * 3_000,
    "/v1/%00",
    "/v1/%ff%fe",
    "/v1/..%2f..%2fetc%2fpasswd",
    "/v2/core/events",
    "/",
)
DEEP = b"a" + b"[b]" * 5_000 + b"=1"
BODIES = (
    b"",
    b"=",
    b"&&&&",
    b"a",
    b"a=1&a=2",
    b"a[]=1&a[0]=2",
    b"%",
    b"%ff=%fe",
    b"a=%00",
    b"\x00\xff\xfe",
    "metadata[ä]=ß".encode("latin-1"),
    b'{"amount": 5',
    b"amount=1e9&currency=%F0%9F%92%B6",
    b"amount=" + b"9" * 400,
    b"metadata=x&metadata[a]=1",
    b"expand[]=" + b"a." * 500 + b"a",
    b"expand[0][0][0]=a",
    b"line_items[-1][price]=1",
    DEEP,
    b"&".join(b"k%d=1" % n for n in range(5_000)),
)
ENCODINGS = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain; charset=utf-99",
    "",
)


async def answer(merchant: Merchant, method: str, path: str, body: bytes, kind: str) -> None:
    url = URL(merchant.url + path, encoded=True)
    headers = {**merchant.auth, "Content-Type": kind}
    async with merchant.http.request(method, url, data=body, headers=headers) as got:
        what = f"{method} {path[:60]} {body[:60]!r} {kind}"
        assert 200 <= got.status < 500, what
        assert got.headers["Request-Id"].startswith("req_"), what
        assert got.headers["Content-Type"] == "application/json", what
        if method != "HEAD":
            assert isinstance(await got.json(), dict), what


@pytest.mark.parametrize("method", METHODS)
async def test_any_method_on_any_path_is_answered(merchant: Merchant, method: str) -> None:
    for path, body in itertools.product(PATHS, (b"", b"a[b]=1")):
        await answer(merchant, method, path, body, ENCODINGS[0])


@pytest.mark.parametrize("path", [path for path in PATHS if len(path) < 60])
async def test_any_body_on_any_path_is_answered(merchant: Merchant, path: str) -> None:
    for body, kind in itertools.product(BODIES, ENCODINGS):
        await answer(merchant, "POST", path, body, kind)


@pytest.mark.parametrize("path", ["/v1/events", "/v1/checkout/sessions", "/v1/refunds/re_none"])
async def test_any_query_is_answered(merchant: Merchant, path: str) -> None:
    for body in BODIES:
        await answer(merchant, "GET", f"{path}?{quote(body[:2_000])}", b"", ENCODINGS[0])


@pytest.mark.parametrize(
    "header",
    [
        {"Stripe-Version": "tomorrow"},
        {"Stripe-Version": "2026-10-28.endive" * 100},
        {"Stripe-Account": "acct_1"},
        {"Idempotency-Key": "k" * 10_000},
        {"Idempotency-Key": "ключ"},
        {"Content-Length": "0"},
        {"Authorization": "Bearer " + "x" * 10_000},
        {"Authorization": "Basic " + "=" * 100},
        {"Accept": "text/html"},
        {"Accept-Encoding": "br, zstd"},
        {"X-Stripe-Client-Telemetry": "{"},
    ],
)
async def test_any_header_is_answered(merchant: Merchant, header: dict[str, str]) -> None:
    headers = {**merchant.auth, **header}
    url = f"{merchant.url}/v1/checkout/sessions"
    async with merchant.http.post(url, data=None, headers=headers) as got:
        assert 400 <= got.status < 500
        assert got.headers["Request-Id"].startswith("req_")
        assert (await got.json())["error"]["message"]


async def test_a_body_that_stops_half_way_holds_nobody_up(merchant: Merchant) -> None:
    port = int(merchant.url.split(":")[-1])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /v1/refunds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {merchant.key}"
    writer.write(f"{head}\r\nContent-Length: 500\r\n\r\ncharge=".encode())
    await writer.drain()
    assert (await merchant.get("/v1/refunds"))[0] == 200
    writer.close()
    await writer.wait_closed()
    assert (await merchant.get("/v1/refunds"))[0] == 200
