"""The OpenAPI document as the routes really behave: problem documents, bearer keys, idempotency."""

from typing import Any

from fastapi import FastAPI

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; the texts are for people.",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_ANY_PROBLEM = {
    "description": "A problem document",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and request get the first answer again, for 30 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def describe(app: FastAPI) -> None:
    """Mend what FastAPI cannot know of us, once, when all routes are there."""
    document = app.openapi()
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for theirs in ("HTTPValidationError", "ValidationError"):
        schemas.pop(theirs, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "`sk_test_…` or `sk_live_…`"}
    }
    document["security"] = [{"key": []}]
    for methods in document["paths"].values():
        for method, operation in methods.items():
            _mend(method, operation)


def _mend(method: str, operation: dict[str, Any]) -> None:
    operation["responses"].pop("422", None)
    operation["responses"]["4XX"] = _ANY_PROBLEM
    operation["responses"]["503"] = _ANY_PROBLEM
    if method == "post":
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
