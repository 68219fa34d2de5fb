"""The page in the shopper's language, and amounts as its readers write them."""

import re
from pathlib import Path
from typing import Any

import pytest

from payloom.sandbox.stripe import page as page_folder
from payloom.sandbox.stripe.methods.cards import CARDS
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.page.language import ENGLISH, Language, chosen, translated
from tests.sandbox.merchant import DECLINED, VISA, Merchant, Page

FOLDER = Path(page_folder.__file__).parent
LANGUAGES = ("de", "es", "fr", "hi", "it", "ja", "nl")


@pytest.mark.parametrize(
    ("tag", "amount", "currency", "written"),
    [
        ("en", 199_999, "eur", "€1,999.99"),
        ("de", 199_999, "eur", "1.999,99\u00a0€"),
        ("fr", 199_999, "eur", "1\u202f999,99\u00a0€"),
        ("nl", 199_999, "eur", "€\u00a01.999,99"),
        ("de-AT", 1999, "eur", "€\u00a019,99"),
        ("fr-CA", 1999, "eur", "19,99\u00a0€"),
        ("en", 123_456, "jpy", "¥123,456"),
        ("ja", 123_456, "jpy", "￥123,456"),
        ("de", 123_456, "jpy", "123.456\u00a0¥"),
        ("en", 1230, "kwd", "KWD\u00a01.230"),
        ("de", 1230, "kwd", "1,230\u00a0KWD"),
        ("hi-IN", 12_345_678, "inr", "₹1,23,456.78"),
        ("en-IN", 1_234_567_800, "inr", "₹1,23,45,678.00"),
        ("en", 12_345_678, "inr", "₹123,456.78"),
        ("en", 1234, "rsd", "RSD\u00a012.34"),
        ("en", 50_000, "isk", "ISK\u00a0500"),
        ("en", 1234, "mga", "MGA\u00a01,234"),
    ],
)
def test_an_amount_is_written_as_its_readers_write_it(
    tag: str, amount: int, currency: str, written: str
) -> None:
    assert Language("en", tag).money(amount, currency) == written


@pytest.mark.parametrize(
    ("wanted", "accepted", "words", "tag"),
    [
        (None, "", "en", "en"),
        ("auto", "de-AT,de;q=0.9,en;q=0.8", "de", "de-AT"),
        ("auto", "en-IN,hi;q=0.9", "en", "en-IN"),
        ("auto", "nl;q=0.2, fr-CH;q=0.9", "fr", "fr-CH"),
        ("auto", "ar,he;q=0.9,it;q=0.1", "it", "it"),
        ("auto", "de;q=0, fr", "fr", "fr"),
        ("auto", "xx-nonsense,*;q=0.1", "en", "en"),
        ("ja", "de", "ja", "ja"),
        ("hi-IN", "", "hi", "hi-IN"),
        ("pl", "", "en", "pl"),
        ("zh-HK", "", "en", "zh-HK"),
        ("auto", "../../etc/passwd," + "x" * 5000, "en", "en"),
    ],
)
def test_the_session_s_locale_comes_before_the_browser_s(
    wanted: str | None, accepted: str, words: str, tag: str
) -> None:
    assert chosen(wanted, accepted) == Language(words, tag)


_VERBS = {
    f"{verb} {{{what}}}"
    for verb in ("Book", "Donate", "Pay", "Subscribe")
    for what in ("sum", "shop")
}


def phrases() -> set[str]:
    """All that the page says by itself."""
    found = set(_VERBS)
    for path in [*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.html")]:
        source = path.read_text()
        found |= set(re.findall(r'say\(\s*"([^"]+)"', source))
        found |= set(re.findall(r'message="([^"]+)"', source))
        found |= set(re.findall(r'(?:text = |"(?:title|link_text)": )"([^"]+)"', source))
        found |= set(re.findall(r'^[^#\n]*"((?:Enter|Choose) [^"]+\.)"', source, re.MULTILINE))
    typed = (FOLDER.parent / "methods" / "typed_card.py").read_text()
    found |= set(re.findall(r'"(Your card[^"]+\.)"', typed))
    found |= {card.decline.message for card in CARDS.values() if card.decline}
    return found | {voucher.counter for voucher in VOUCHERS.values()}


@pytest.mark.parametrize("words", LANGUAGES)
def test_every_phrase_is_translated_with_its_values(words: str) -> None:
    language = Language(words, words)
    assert len(phrases()) > 110
    same = {text for text in phrases() if language.say(text) == text}
    assert same <= {"MM / YY", "Subtotal", "UPI ID"}
    for text in phrases():
        values = re.findall(r"\{\w+\}", text)
        assert sorted(re.findall(r"\{\w+\}", language.say(text))) == sorted(values)


def test_no_translated_phrase_is_said_nowhere() -> None:
    assert translated() == set(LANGUAGES)
    stripe = FOLDER.parent
    files = [*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.html")]
    files += [*stripe.glob("methods/*.py"), *stripe.glob("payments/*.py")]
    sources = re.sub(r'"\s+f?"', "", "\n".join(path.read_text() for path in files))
    for language in LANGUAGES:
        lines = (FOLDER / "words" / f"{language}.txt").read_text().splitlines()
        english = [line for line in lines if not line.startswith("  ")]
        assert [text for text in english if text not in sources and text not in _VERBS] == [
            "Enter the IBAN."  # made of the label
        ]


@pytest.mark.parametrize(
    ("language", "button", "label"),
    [
        ("de", "19,99\u00a0€ bezahlen", "Kartennummer"),
        ("fr", "Payer 19,99\u00a0€", "Numéro de carte"),
        ("ja", "€19.99 を支払う", "カード番号"),
        ("hi-IN", "€19.99 का भुगतान करें", "कार्ड नंबर"),
    ],
)
async def test_the_whole_page_is_in_the_session_s_language(
    merchant: Merchant, language: Any, button: str, label: str
) -> None:
    session = await merchant.order(locale=language)
    page = await Page(merchant.http, session.url, reads="it").open()
    assert f'<html lang="{language[:2]}" dir="ltr">' in page.html
    assert f"{button}</button>" in page.html
    assert f'<label for="cardNumber">{label}</label>' in page.html
    for english in ("Payment method", "Subtotal", "Test mode", "Country or region"):
        assert english not in page.html


async def test_countries_are_named_and_ordered_in_the_shopper_s_language(
    merchant: Merchant,
) -> None:
    session = await merchant.order()
    page = await Page(merchant.http, session.url, reads="de").open()
    names = re.findall(r"<option value=.. ?(?:selected)?[^>]*>([^<]+)<", page.html)
    assert names[:2] == ["Afghanistan", "Ägypten"]
    assert "Deutschland" in names


async def test_a_language_without_words_is_english_with_its_own_amounts(
    merchant: Merchant,
) -> None:
    session = await merchant.order(locale="pl")
    page = await Page(merchant.http, session.url).open()
    assert '<html lang="en" dir="ltr">' in page.html
    assert "Pay 19,99\u00a0€</button>" in page.html


async def test_mistakes_and_declines_are_told_in_the_shopper_s_language(
    merchant: Merchant,
) -> None:
    session = await merchant.order()
    page = await Page(merchant.http, session.url, reads="de-CH, de;q=0.5").open()
    await page.pay("4242424242424241")
    assert "Ihre Kartennummer ist falsch." in page.html
    await page.open(merchant.url + await page.pay(DECLINED))
    assert "Ihre Karte wurde abgelehnt." in page.html


async def test_pages_that_are_over_speak_the_same_language(merchant: Merchant) -> None:
    async def german(**more: Any) -> tuple[Any, Page]:
        session = await merchant.order(locale="de", **more)
        return session, await Page(merchant.http, session.url).open()

    _, page = await german()
    await page.pay(VISA)
    assert "Bereits bezahlt" in (await page.open()).html
    session, page = await german()
    await merchant.sessions.expire_async(session.id)
    assert "Diese Seite ist abgelaufen" in (await page.open()).html
    _, page = await german()
    await page.pay_by_account("sepa_debit", "AT611904300234573201")
    assert "Ihre Zahlung ist unterwegs" in (await page.open()).html
    _, page = await german()
    await page.pay_by_voucher("multibanco", "jo@example.com")
    await page.open(f"{page.url}/voucher")
    assert "Zahlbar bis" in page.html
    assert re.search(r"<dd>\d+\. [A-ZÄ][a-zä]+ \d{4}</dd>", page.html)
    _, page = await german()
    await page.pay_elsewhere("ideal")
    await page.open(f"{page.url}/authenticate")
    assert "iDEAL fragt, ob Sie bezahlen möchten." in page.html
    nowhere = await Page(merchant.http, f"{merchant.url}/c/pay/x", reads="de").open()
    assert "Seite nicht gefunden" in nowhere.html


def test_english_needs_no_translation() -> None:
    assert ENGLISH.say("Pay {sum}", sum="{shop}") == "Pay {shop}"
