"""What the pages show; nothing here changes anything."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from payloom.sandbox.console import reading, shown
from payloom.sandbox.console.render import page
from payloom.sandbox.console.visitor import PATH, Visitor
from payloom.sandbox.faults import HOOK_EFFECTS, REQUEST_EFFECTS

Json = dict[str, Any]

FEW = 5  # of each, on the first page
SAID = {
    "fault": "The fault is ordered.",
    "cleared": "No fault is ordered any more.",
    "advanced": "The clock is moved, and what became due has happened.",
    "reset": "Everything of this account is forgotten.",
}
_NEW_FAULT = {
    **dict.fromkeys(("effect", "method", "status", "delay_s", "event_type"), ""),
    "path": "/*",
    "count": "1",
}
EFFECTS = {
    "late": "answer late",
    "status": "answer an error, do nothing",
    "drop": "hang up, do nothing",
    "apply_then_drop": "do it, then hang up",
    "truncate": "do it, send half the answer",
    "lock_timeout": "do nothing, answer 429: another request has the object",
    "proxy_page": "do nothing, answer 502 and a web page",
    "hook_lose": "lose a webhook for good",
    "hook_duplicate": "send a webhook twice",
    "hook_delay": "send a webhook late",
    "hook_reorder": "send a webhook after the next",
    "hook_missign": "sign a webhook wrongly",
}


def overview(
    visitor: Visitor,
    request: Request,
    *,
    problem: str = "",
    fault: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The clock, what is ordered to go wrong, and the newest of everything."""
    rt, tenant = visitor.rt, visitor.tenant
    values = {
        "said": SAID.get(request.query_params.get("said", ""), ""),
        "problem": problem,
        "fault": {**_NEW_FAULT, **(fault or {})},
        "is_ordering": fault is not None,
        "faults": rt.faults.all(tenant),
        "effects": {
            "of requests": [(name, EFFECTS[name]) for name in REQUEST_EFFECTS],
            "of webhooks": [(name, EFFECTS[name]) for name in HOOK_EFFECTS],
        },
        "lists": [(kind, _lines(visitor, kind, None, FEW)[0]) for kind in shown.TITLES],
        "tries": list(reversed(rt.tries.read(tenant, newest=FEW))),
        "kinds": reading.kinds(rt.store, tenant),
    }
    return page(visitor, "overview.html", values, status)


def objects(visitor: Visitor, request: Request) -> Response:
    kind = request.path_params["kind"]
    kinds = reading.kinds(visitor.rt.store, visitor.tenant)
    if kind not in kinds and kind not in shown.TITLES:
        return _missing(visitor)
    lines, older = _lines(visitor, kind, _before(request), reading.LIMIT)
    values = {"kind": kind, "lines": lines, "older": older, "kinds": kinds}
    return page(visitor, "objects.html", values)


def object_(visitor: Visitor, request: Request) -> Response:
    """An object or an event, its JSON, and what belongs to it."""
    store, tenant, id_ = visitor.rt.store, visitor.tenant, request.path_params["id"]
    found = reading.object_(store, tenant, id_)
    event = None if found else reading.event(store, tenant, id_)
    if found is None and event is None:
        return _missing(visitor)
    kind, body = found or ("event", event or {})
    values = {
        "kind": kind,
        "line": shown.line(kind, body),
        "body": body,
        "json": shown.linked(body, lambda ids: reading.known(store, tenant, ids), PATH),
        "belonging": reading.belonging(store, tenant, id_),
        "events": [] if event else reading.events_about(store, tenant, id_),
        "tries": visitor.rt.tries.read(tenant, event=id_) if event else [],
        "waiting": [w for w in reading.waiting(store, tenant) if w.event == id_] if event else [],
    }
    return page(visitor, "object.html", values)


def events(visitor: Visitor, request: Request) -> Response:
    rows = reading.events(visitor.rt.store, visitor.tenant, _before(request), reading.LIMIT)
    return page(visitor, "events.html", {"events": rows.rows, "older": rows.older})


def webhooks(visitor: Visitor, _: Request) -> Response:
    """The newest tries to deliver, and those that are still to come."""
    rt, tenant = visitor.rt, visitor.tenant
    tries = list(reversed(rt.tries.read(tenant, newest=2 * reading.LIMIT)))
    endpoints = reading.objects(rt.store, tenant, "webhook_endpoint", None, reading.LIMIT)
    values = {
        "tries": tries,
        "waiting": reading.waiting(rt.store, tenant),
        "endpoints": endpoints.rows,
    }
    return page(visitor, "webhooks.html", values)


def requests(visitor: Visitor, request: Request) -> Response:
    """The log of what the account was asked, newest first."""
    numbered = visitor.rt.log.newest(visitor.tenant, _before(request), reading.LIMIT + 1)
    kept = numbered[: reading.LIMIT]
    older = kept[-1][0] if len(numbered) > reading.LIMIT else None
    return page(visitor, "requests.html", {"entries": [e for _, e in kept], "older": older})


def ask_reset(visitor: Visitor, _: Request) -> Response:
    return page(visitor, "reset.html", {})


def _lines(
    visitor: Visitor, kind: str, before: int | None, limit: int
) -> tuple[list[shown.Line], int | None]:
    rows = reading.objects(visitor.rt.store, visitor.tenant, kind, before, limit)
    return [shown.line(kind, each) for each in rows.rows], rows.older


def _before(request: Request) -> int | None:
    """Where a further page begins; what is no number begins at the top."""
    text = request.query_params.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _missing(visitor: Visitor) -> Response:
    return page(visitor, "missing.html", {}, 404)
