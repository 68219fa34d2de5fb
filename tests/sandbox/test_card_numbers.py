"""Card numbers are neither stored nor logged, into whichever field or URL they are typed."""

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp

from payloom.sandbox.tenants import digest
from tests.sandbox.merchant import SHOPPER, Json, Merchant, Page
from tests.sandbox.process import SandboxProcess, Start

KEY = "sk_test_cards0000001"
NUMBERS = ("4000056655665556", "5200828282828210", "378282246310005")
# one currency for each kind of form
CURRENCIES = ("eur", "usd", "gbp", "aud", "cad", "nzd", "brl", "jpy", "mxn", "inr")
FIELD = re.compile(r'<(?:input|select)[^>]* name="([^"]+)"')


def filled(page: Page, type_: str) -> Json:
    """Every field of the form as somebody fills it in who chose this method."""
    card = {"cardNumber": "4242424242424242", "cardExpiry": "12/34", "cardCvc": "123"}
    given = dict.fromkeys(FIELD.findall(page.html), "Jo Weaver")
    known = {"upi_by": "id", "upi_vpa": "jo@okbank", "method": type_}
    return {**given, **SHOPPER, **card, **known, "token": page.token()}


def written(number: str) -> list[str]:
    """As people type it: in one piece, or in groups."""
    return [
        number,
        " ".join(re.findall(r"\d{1,4}", number)),
        "-".join(re.findall(r"\d{1,4}", number)),
    ]


async def opened(merchant: Merchant, currency: str) -> tuple[Any, Page]:
    session: Any = await merchant.order(50_000, currency)
    return session, await Page(merchant.http, session.url).open()


async def type_everywhere(merchant: Merchant, currency: str) -> int:
    """A number into each field of its own page, for each method; how many pages that was."""
    session, page = await opened(merchant, currency)
    names = [name for name in FIELD.findall(page.html) if name not in ("token", "cardNumber")]
    sent = 0
    for type_ in session.payment_method_types:
        for at, name in enumerate([*names, "token", "nonsense"]):
            number = written(NUMBERS[at % 3])[at // 3 % 3]
            _, page = await opened(merchant, currency)
            await page.submit(page.url, {**filled(page, type_), name: number})
            await page.open(f"{page.url}?declined={number}")
            sent += 1
    challenge = {"action": NUMBERS[0], "token": page.token()}
    await page.submit(f"{page.url}/authenticate", challenge)
    await page.submit(f"{page.url}/wallet/apple_pay", challenge)
    return sent


def left_behind(process: SandboxProcess, folder: Path, witness: str = "Jo Weaver") -> str:
    """All that it wrote: its store with what SQLite keeps beside it, and what it printed."""
    process.stop()
    files = [path for path in folder.iterdir() if path.is_file()]
    text = "".join(path.read_bytes().decode("latin-1") for path in files) + process.printed
    assert witness in text, "what was sent was not even read"
    return text


async def test_no_field_of_the_page_keeps_or_logs_a_card_number(tmp_path: Path) -> None:
    with (tmp_path / "errors.txt").open("w") as stderr:
        process = SandboxProcess(tmp_path / "store.sqlite", stderr=stderr)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            merchant = Merchant(process.url, http)
            sent = [await type_everywhere(merchant, currency) for currency in CURRENCIES]
            page = await Page(http, (await merchant.order()).url).open()
            await page.pay(NUMBERS[0])
        text = left_behind(process, tmp_path)
    finally:
        process.kill()
    assert min(sent) > 10
    for number in NUMBERS:
        assert [form for form in written(number) if form in text] == []


async def type_into_urls(merchant: Merchant, number: str) -> None:
    """As a part of every kind of path, and in queries, also where the answer is kept."""
    intents, page = "/v1/payment_intents", f"/c/pay/{(await merchant.order()).id}"
    for path in (
        f"{intents}/{number}",
        f"{intents}/pi_{number}/confirm",
        f"{intents}?customer={number}&{number}=1",
        f"/v1/{number}",
        f"/v1/customers/{number}/payment_methods/{number}",
        f"/v1/{number}/{number}?expand[]={number}",
        f"/c/pay/{number}",
        f"{page}/wallet/{number}",
        f"{page}/authenticate/code.{number}?{number}",
        f"/_sandbox/{number}",
        f"/_sandbox/list/{number}?before={number}",
        f"/{number}?q={number}",
    ):
        await merchant.http.get(merchant.url + path, headers=merchant.auth)
        await merchant.http.post(merchant.url + path, headers=merchant.auth)
    for effect in ("drop", "status"):
        await merchant.fault("*", effect)
        for _ in range(2):  # what failed is kept under its key, and repeated
            try:
                await merchant.post(f"{intents}/{number}", Idempotency_Key=f"key {effect}")
            except aiohttp.ClientError:
                assert effect == "drop"


async def test_no_url_keeps_or_logs_a_card_number(tmp_path: Path) -> None:
    with (tmp_path / "errors.txt").open("w") as stderr:
        process = SandboxProcess(tmp_path / "store.sqlite", stderr=stderr)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            merchant = Merchant(process.url, http)
            for number in NUMBERS:
                for form in written(number):
                    await type_into_urls(merchant, form)
            paths = [entry["path"] for entry in await merchant.log()]
        text = left_behind(process, tmp_path, witness="key status")
    finally:
        process.kill()
    assert {path.partition("/wallet/")[2] for path in paths} == {"", "[card]"}
    assert "/v1/payment_intents/[card]" in paths
    assert "/v1/customers/[card]/payment_methods/[card]" in paths
    for number in NUMBERS:
        assert [form for form in written(number) if form in text] == []


def damage(store: Path) -> None:
    """An event and a session that make an error name a card number."""
    session = {
        "id": "cs_1", "status": "open", "ui_mode": "hosted_page", "_items": [],
        "payment_method_types": [NUMBERS[0]],
    }  # fmt: skip
    now = int(time.time())
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("INSERT INTO tenants VALUES (1, ?, 0, 0)", (digest(KEY),))
        db.execute(
            "INSERT INTO events VALUES (NULL, 1, 'evt_1', 'x', ?, 0, ?)",
            (now, json.dumps({"kind": NUMBERS[0], "object": {}})),
        )
        db.execute(
            "INSERT INTO objects VALUES (NULL, 1, 'checkout.session', 'cs_1', ?, NULL, ?)",
            (now, json.dumps(session)),
        )


async def test_an_error_of_the_sandbox_itself_is_logged_without_a_card_number(
    tmp_path: Path, start: Start, store: Path
) -> None:
    start(store).stop()
    damage(store)
    with (tmp_path / "errors.txt").open("w") as stderr:
        process = SandboxProcess(store, stderr=stderr)
    try:
        async with aiohttp.ClientSession() as http:
            merchant = Merchant(process.url, http, KEY)
            assert (await merchant.get("/v1/events/evt_1"))[0] == 500
            assert (await Page(http, f"{process.url}/c/pay/cs_1").open()).status == 500
        process.stop()
    finally:
        process.kill()
    said = (tmp_path / "errors.txt").read_text()
    assert "GET /v1/events/evt_1 failed" in said
    assert (said.count("KeyError: '[card]'"), NUMBERS[0] in said) == (2, False)
