"""Pages from templates. They load nothing, run nothing, and send their forms nowhere else."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup
from starlette.responses import Response

from payloom.sandbox import pages
from payloom.sandbox.console import shown
from payloom.sandbox.console.visitor import PATH, Visitor

_FOLDER = Path(__file__).parent / "templates"


def page(
    visitor: Visitor | None, template: str, values: Mapping[str, Any], status: int = 200
) -> Response:
    """The page as this visitor gets it; None: somebody who has named no account yet."""
    given = {"visitor": visitor, "path": PATH, "here": template, "clock": None, **values}
    if visitor is not None:
        given["clock"] = visitor.rt.now(visitor.tenant)
    html = _templates().get_template(template).render(given)
    return Response(html, status, headers=_headers(), media_type="text/html")


@cache
def _templates() -> Environment:
    templates = pages.templates(_FOLDER)
    templates.filters |= {"moment": shown.moment, "tone": shown.tone, "span": shown.span}
    templates.globals["title_of"] = shown.title
    templates.globals["first_kinds"] = tuple(shown.TITLES)
    templates.globals["style"] = Markup(_style())  # noqa: S704 our own file, inlined
    return templates


@cache
def _style() -> str:
    return (_FOLDER / "console.css").read_text()


@cache
def _headers() -> dict[str, str]:
    style = pages.digest(_style())
    policy = (
        f"default-src 'none'; img-src data:; style-src '{style}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return pages.headers(policy)
