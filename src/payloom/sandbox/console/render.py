"""Pages from templates. They load nothing, run nothing, and send their forms nowhere else."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

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
    templates = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
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
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
    }
