"""Card numbers are neither stored nor logged, into whichever field of the page they are typed."""

import re
from pathlib import Path
from typing import Any

import aiohttp

from tests.sandbox.merchant import SHOPPER, Json, Merchant, Page
from tests.sandbox.process import SandboxProcess

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


def left_behind(process: SandboxProcess, folder: Path) -> str:
    """All that it wrote: its store with what SQLite keeps beside it, and what it printed."""
    process.stop()
    files = [path for path in folder.iterdir() if path.is_file()]
    text = "".join(path.read_bytes().decode("latin-1") for path in files) + process.printed
    assert "Jo Weaver" in text, "the forms were not even read"
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
