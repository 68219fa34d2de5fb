"""The shopper's language: the page's own words, and how amounts, days and countries are written.

The merchant may choose one for the session; otherwise the browser says what its user reads. Words
that nobody translated stay English, amounts are right all the same.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from payloom.sandbox.stripe.catalog.currencies import WHOLE_ONLY, decimals
from payloom.sandbox.stripe.checkout.session_params import LOCALES

_FOLDER = Path(__file__).parent / "words"
_ENGLISH = "en"
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_KNOWN = frozenset(tag.partition("-")[0] for tag in LOCALES)
_NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True)
class Language:
    words: str  # of which language the page's own words are
    tag: str  # whose manner of writing amounts and days

    @property
    def direction(self) -> str:
        return str(Locale.parse(self.words).text_direction)

    def say(self, text: str, **values: Any) -> str:
        """The page's words for this English text, with its values filled in."""
        said = _words(self.words).get(text, text)
        return said.format(**values) if values else said

    def money(self, amount: int, currency: str) -> str:
        return _money(amount, currency, self.tag)

    def day(self, second: int) -> str:
        moment = datetime.fromtimestamp(second, UTC)
        return str(format_date(moment, "long", locale=_locale(self.tag)))

    def hour(self, second: int) -> str:
        moment = datetime.fromtimestamp(second, UTC)
        return f"{format_time(moment, 'short', locale=_locale(self.tag))} UTC"


ENGLISH = Language(_ENGLISH, _ENGLISH)


def chosen(wanted: str | None, accepted: str) -> Language:
    """By the session's `locale`, or where that is `auto` by the browser's `Accept-Language`."""
    if wanted and wanted != "auto":
        return _language(wanted) or ENGLISH
    return _accepted(accepted[:200])


@lru_cache(maxsize=512)
def _accepted(header: str) -> Language:
    for tag in _by_preference(header):
        if language := _language(tag):
            return language
    return ENGLISH


def _by_preference(header: str) -> list[str]:
    found = []
    for at, part in enumerate(header.split(",")):
        tag, _, weight = part.strip().partition(";")
        match = re.fullmatch(r"\s*q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?)\s*", weight)
        rank = float(match[1]) if match else 1.0
        if rank and _TAG.fullmatch(tag.strip()):
            found.append((-rank, at, tag.strip()))
    return [tag for _, _, tag in sorted(found)]


def _language(tag: str) -> Language | None:
    """None for a language that Stripe's page has not either."""
    first = tag.partition("-")[0].lower()
    if first not in _KNOWN:
        return None
    words = first if first in translated() else _ENGLISH
    for known in (tag, first):
        try:
            _locale(known)
        except (UnknownLocaleError, ValueError):
            continue
        return Language(words, known)
    return None


@lru_cache(maxsize=256)
def _locale(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")


@lru_cache(maxsize=4096)
def _money(amount: int, currency: str, tag: str) -> str:
    """In the decimals that Stripe's unit has, whatever else the locale thinks of the currency."""
    places = decimals(currency)
    value = Decimal(amount).scaleb(-places)
    shown = 0 if currency in WHOLE_ONLY else places
    locale = _locale(tag)
    pattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (shown, shown)
    text = pattern.apply(value, locale, currency=currency.upper(), currency_digits=False)
    return _apart(str(text))


def _apart(text: str) -> str:
    """A code of letters does not touch its number, and is not parted from it: `KWD 1.230`."""
    return re.sub(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", _NO_BREAK, text)


@cache
def countries(words: str) -> tuple[tuple[str, str], ...] | None:
    """Codes and names in a language's own order; None: the English ones do."""
    return None if words == _ENGLISH else tuple(dict(_locale(words).territories).items())


@cache
def translated() -> frozenset[str]:
    return frozenset(path.stem for path in _FOLDER.glob("*.txt"))


@cache
def _words(language: str) -> Mapping[str, str]:
    """English text → theirs; in the file, the English line and theirs below it, indented."""
    if language == _ENGLISH:
        return {}
    found, english = {}, ""
    for line in (_FOLDER / f"{language}.txt").read_text("utf-8").splitlines():
        if line.startswith("  "):
            found[english] = line.strip()
        elif line:
            english = line
    return found
