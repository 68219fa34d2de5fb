"""Requests read strictly: size, media type, and JSON that means one thing (F08, S27)."""

import json
from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from payloom.core import strict_json
from payloom.core.errors import (
    FieldError,
    InvalidRequest,
    TooLarge,
    Unparsable,
    UnsupportedMedia,
    invalid,
)
from payloom.core.web.mistakes import there_is_no


class Strict(BaseModel):
    """Base of every request body: unknown fields refused, no coercion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @cached_property
    def canonical(self) -> bytes:
        """The same bytes for all bodies that mean the same, however they were written. Defaults
        are left out: a field that comes later changes nothing that was kept before."""
        meant = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(meant, sort_keys=True, separators=(",", ":")).encode()


class StrictRequest(Request):
    """A request whose body is read with our limits and parser."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            self._body = await read_body(self, strict_json.BYTES_MAX)
        return self._body

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = strict_json.parse(await self.body())
            if not isinstance(self._json, dict):
                raise invalid("body", "must be a JSON object")
        return self._json


class StrictRoute(APIRoute):
    """Use as `route_class`: bodies are JSON by media type, within limits, parsed strictly; a query
    holds no name that the route does not know."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = [field.alias for field in self.dependant.query_params]

        async def strictly(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive)
            _check_query(request, known)
            if request.method in ("POST", "PUT", "PATCH") and await request.body():
                _check_media_type(request)
                await request.json()  # here: FastAPI would turn our refusals into its own
            return await handle(request)

        return strictly


async def read_body(request: Request, size_max: int) -> bytes:
    """The whole body. Raises TooLarge before more than `size_max` bytes are kept, Unparsable."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > size_max:
        raise TooLarge(f"The request body may have at most {size_max} bytes")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > size_max:
                raise TooLarge(f"The request body may have at most {size_max} bytes")
    except ClientDisconnect:  # nobody is there to read this, but it is no bug of ours either
        raise Unparsable("The request body ended early") from None
    return bytes(body)


def _check_query(request: Request, known: Sequence[str]) -> None:
    """A filter that is silently passed over would answer with what nobody asked for."""
    unknown = dict.fromkeys(name for name in request.query_params if name not in known)
    if unknown:
        message = there_is_no("query value", known)
        raise InvalidRequest(errors=[FieldError(name, message) for name in unknown])


def _check_media_type(request: StrictRequest) -> None:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMedia("Send the body as application/json")
