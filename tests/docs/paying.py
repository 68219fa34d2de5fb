"""For whoever integrates: states, events, errors, scopes, routes and fields."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

import payloom
from payloom.app import create_app
from payloom.core.errors import PayloomError
from payloom.merchants.scopes import SCOPES, TEST_ONLY
from payloom.payments.states import EVENT_OF, STATUS_OF, TRANSITIONS, State
from payloom.webhooks.event_types import EVENT_TYPES
from tests.docs.advice import ADVICE
from tests.docs.markdown import code, codes, table

SRC = Path(payloom.__file__).parent


def state_diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> REGISTERING"]
    for (before, outcome), after in TRANSITIONS.items():
        lines.append(f"    {before} --> {after}: {outcome.__name__}")
    return "\n".join([*lines, "```"])


def states() -> str:
    meanings = _comments(SRC / "payments" / "states.py", "State")
    rows = (
        (code(state), meanings.get(state, ""), code(STATUS_OF[state]), _told(state))
        for state in State
    )
    return table(["attempt", "means", "the order becomes", "event"], rows)


def _told(state: State) -> str:
    event = EVENT_OF.get(STATUS_OF[state])
    return code(event) if event else "–"


def _comments(path: Path, enum: str) -> dict[str, str]:
    body = path.read_text().partition(f"class {enum}(")[2].partition("\n\n\n")[0]
    return dict(re.findall(r'= "(\w+)"  # (.*)$', body, re.MULTILINE))


def events() -> str:
    sent = published()
    rows = ((code(t), text, "yes" if t in sent else "not yet") for t, text in EVENT_TYPES.items())
    return table(["type", "what it says", "published"], rows)


def published() -> set[str]:
    """The types that some line of the code names: all others are reserved for what comes."""
    found: set[str] = set()
    for path in SRC.rglob("*.py"):
        apart = path.relative_to(SRC).parts[0] in ("shop", "sandbox")
        if not apart and path.name != "event_types.py":
            text = path.read_text()
            found |= {kind for kind in EVENT_TYPES if f'"{kind}"' in text}
    return found


def errors() -> str:
    rows = (
        (error.status, code(name), error.title, ADVICE.get(name, ""))
        for name, error in sorted(error_codes().items(), key=lambda each: (each[1].status, each[0]))
    )
    return table(["status", "code", "title", "what to do"], rows)


def error_codes() -> dict[str, type[PayloomError]]:
    """Every code with the class that introduces it."""
    for module in pkgutil.walk_packages(payloom.__path__, "payloom."):
        parts = module.name.split(".")
        if parts[1] not in ("shop", "sandbox") and parts[-1] != "__main__":
            importlib.import_module(module.name)
    found: dict[str, type[PayloomError]] = {}
    for error in _below(PayloomError):
        if "code" in vars(error):
            found[error.code] = error
    return found


def _below(error: type[PayloomError]) -> Iterator[type[PayloomError]]:
    yield error
    for child in error.__subclasses__():
        yield from _below(child)


def scopes() -> str:
    routes: dict[str, list[str]] = {scope: [] for scope in SCOPES}
    for route in _routes():
        for scope in _scopes_of(route):
            routes[scope].append(_named(route))
    return table(
        ["scope", "allows", "keys", "routes"],
        (
            (code(s), text, "test" if s in TEST_ONLY else "test, live", _or_none(routes[s]))
            for s, text in SCOPES.items()
        ),
    )


def _or_none(routes: list[str]) -> str:
    return ", ".join(routes) or "none yet"


def routes() -> str:
    return table(
        ["route", "does", "scope"],
        (
            (_named(route), (route.description or "").split("\n")[0], codes(_scopes_of(route)))
            for route in _routes()
        ),
    )


def lists() -> str:
    """What narrows each list; the cursor's two values are explained once for all."""
    rows = []
    for route in _routes():
        values = {field.alias: field for field in route.dependant.query_params}
        if "limit" in values:
            filters = [name for name in values if name not in ("limit", "starting_after")]
            rows.append((_named(route), codes(filters) or "–", values["limit"].default))
    return table(["list", "filters", "items a page"], rows)


def _routes() -> list[APIRoute]:
    return [route for route in every_route() if isinstance(route, APIRoute)]


def every_route() -> list[Any]:
    """Each route of the API; an included router stands as one entry in the application's list."""
    found: list[Any] = []
    for entry in _app().routes:
        router = getattr(entry, "original_router", None)
        found += router.routes if router is not None else [entry]
    return found


def openapi() -> dict[str, Any]:
    """The document that `/openapi.json` serves."""
    return _app().openapi()


@cache
def _app() -> FastAPI:
    def not_opened() -> Any:
        raise AssertionError("nothing is served here")

    return create_app(not_opened)


def _named(route: APIRoute) -> str:
    return code(f"{' '.join(sorted(route.methods or ()))} {route.path}")


def _scopes_of(route: APIRoute) -> list[str]:
    found = []
    for dependency in route.dependant.dependencies:
        if dependency.call is not None:
            inner = inspect.getclosurevars(dependency.call).nonlocals
            found += [inner["scope"]] if "scope" in inner else []
    return found


def order_fields() -> str:
    return _fields("WantedOrder")


def line_fields() -> str:
    return _fields("WantedLine")


def customer_fields() -> str:
    return _fields("WantedCustomer")


def endpoint_fields() -> str:
    return _fields("NewEndpoint")


def redelivery_fields() -> str:
    return _fields("Redelivery")


def shown_order() -> str:
    return _fields("ShownOrder", answers=True)


def shown_error() -> str:
    return _fields("ShownError", answers=True)


def shown_method() -> str:
    return _fields("ShownMethod", answers=True)


def shown_attempt() -> str:
    return _fields("ShownAttempt", answers=True)


def shown_account() -> str:
    return _fields("ShownAccount", answers=True)


def shown_posting() -> str:
    return _fields("ShownPosting", answers=True)


def shown_entry() -> str:
    return _fields("ShownLeg", answers=True)


def shown_endpoint() -> str:
    return _fields("ShownEndpoint", answers=True)


def shown_delivery() -> str:
    return _fields("ShownDelivery", answers=True)


def _fields(schema: str, *, answers: bool = False) -> str:
    found = openapi()["components"]["schemas"][schema]
    required = set(found.get("required", ()))
    rows = (
        (code(name), _type(spec), _rule(name, spec, required, answers=answers))
        for name, spec in found["properties"].items()
    )
    return table(["field", "type", "values" if answers else "rule"], rows)


def _type(spec: dict[str, Any]) -> str:
    if "$ref" in spec:
        name = spec["$ref"].rpartition("/")[2]
        return {"Status": "text"}.get(name, "object")
    if "anyOf" in spec:
        return " or ".join(_type(each) for each in spec["anyOf"])
    if spec.get("type") == "array":
        return f"list of {_type(spec['items'])}"
    plain = {"string": "text", "integer": "whole number", "null": "null", "object": "object"}
    return "time" if spec.get("format") == "date-time" else plain.get(spec.get("type", ""), "text")


def _rule(name: str, spec: dict[str, Any], required: set[str], *, answers: bool) -> str:
    said = [] if answers else ["required"] if name in required else []
    limits = {**spec, **next((e for e in spec.get("anyOf", ()) if e.get("type") != "null"), {})}
    values = limits.get("enum") or limits.get("items", {}).get("enum")
    if values:
        said.append("one of " + codes(values))
    low = limits.get("minimum", limits.get("exclusiveMinimum", -1) + 1)
    if "maximum" in limits and not answers:
        said.append(f"from {low:,.0f} to {limits['maximum']:,.0f}")
    for key, words in (("maxLength", "characters"), ("maxItems", "items")):
        if key in limits:
            said.append(f"at most {limits[key]:,} {words}")
    if spec.get("default") not in (None, [], {}):
        said.append(f"default {code(spec['default'])}")
    if limits.get("description"):
        said.append(str(limits["description"]))
    return "; ".join(said)
