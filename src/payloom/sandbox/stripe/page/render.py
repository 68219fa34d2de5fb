"""Pages from templates, with the headers that keep them from being cached, framed or injected."""

import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup
from starlette.responses import Response

from payloom.sandbox import pages
from payloom.sandbox.stripe.page.countries import COUNTRIES
from payloom.sandbox.stripe.page.language import Language, countries

_FOLDER = Path(__file__).parent / "templates"


def page(template: str, status: int, values: Mapping[str, Any], language: Language) -> Response:
    spoken = {"say": language.say, "money": language.money, "language": language}
    html = _templates().get_template(template).render({**values, **spoken})
    return Response(html, status, headers=_headers(), media_type="text/html")


def problem_texts(problems: Mapping[str, str], language: Language) -> dict[str, str]:
    return {name: language.say(problem) for name, problem in problems.items()}


@cache
def _templates() -> Environment:
    templates = pages.templates(_FOLDER)
    templates.globals["country_options"] = _country_options
    # our own files, inlined: the page loads nothing else
    templates.globals["style"] = Markup(_file("page.css"))  # noqa: S704
    templates.globals["script"] = Markup(_file("page.js"))  # noqa: S704
    return templates


@lru_cache(maxsize=len(COUNTRIES))
def _country_options(chosen: str, words: str) -> Markup:
    """Kept once made: in the template these 240 lines would cost more than all the rest."""
    option = Markup('<option value="{}"{}>{}</option>')
    selected = {chosen: Markup(" selected")}
    return Markup("\n").join(
        option.format(code, selected.get(code, ""), name) for code, name in _countries(words)
    )


def _countries(words: str) -> list[tuple[str, str]]:
    """In the order that readers of the language expect, as far as their letters say it."""
    theirs = dict(countries(words) or ())
    named = [(code, theirs.get(code, name)) for code, name in COUNTRIES]
    return sorted(named, key=lambda country: _letters(country[1])) if theirs else named


def _letters(name: str) -> str:
    """Without accents: Ägypten is not behind Zypern."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


@cache
def _headers() -> dict[str, str]:
    style, script = pages.digest(_file("page.css")), pages.digest(_file("page.js"))
    policy = (
        "default-src 'none'; img-src data:; "
        f"style-src '{style}'; script-src '{script}'; "
        # http and https, not 'self': the browser holds the redirect to the shop to this as well
        "form-action http: https:; base-uri 'none'; frame-ancestors 'none'"
    )
    return pages.headers(policy) | {"Vary": "Accept-Language"}


@cache
def _file(name: str) -> str:
    return (_FOLDER / name).read_text()
