"""Errors as RFC 9457 problem documents: one shape for everything that goes wrong."""

import json

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payloom.core.errors import (
    FieldError,
    InvalidRequest,
    NotFound,
    PayloomError,
    TooLarge,
    Unparsable,
    UnsupportedMedia,
)
from payloom.core.masking import mask
from payloom.core.web.mistakes import path_of, said

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_BUG = "Something went wrong on our side; it has been logged"


class MethodNotAllowed(PayloomError):
    status = 405
    code = "method_not_allowed"
    title = "This path does not take that method"


def problem_body(error: PayloomError) -> bytes:
    """The document's bytes. What was sent and must not be kept is not sent back, either."""
    return json.dumps(
        {
            "type": f"urn:payloom:problem:{error.code}",
            "title": error.title,
            "status": error.status,
            "code": error.code,
            "detail": mask(error.detail),
            "errors": [{"field": mask(e.field), "message": mask(e.message)} for e in error.errors],
            **error.extra,
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()


def problem_headers(error: PayloomError) -> dict[str, str]:
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def problem_response(error: PayloomError) -> Response:
    """The whole response."""
    return Response(problem_body(error), error.status, problem_headers(error), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of this app leave as a problem document."""
    app.add_exception_handler(PayloomError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


class AnswerBugs:
    """Anything else that is raised: logged once, within the request's log context, and answered.

    A middleware, since a handler would run outside of ours, and the server log it a second time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def answer(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as bug:
            if scope["type"] != "http":
                raise
            log.error("request.bug", exc_info=bug)
            if not has_begun:  # else the server hangs up on an answer without end
                await problem_response(PayloomError(_BUG))(scope, receive, send)


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, PayloomError)
    if error.status >= 500:
        log.warning("request.unavailable", code=error.code, detail=error.detail)
    return problem_response(error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    body = getattr(request.scope.get("route"), "body_field", None)
    model = body.field_info.annotation if body is not None else None
    found = [FieldError(path_of(item["loc"]), said(item, model)) for item in error.errors()]
    return problem_response(InvalidRequest(errors=found))


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known: dict[int, type[PayloomError]] = {
        400: Unparsable,
        404: NotFound,
        405: MethodNotAllowed,
        413: TooLarge,
        415: UnsupportedMedia,
    }
    kind = known.get(error.status_code, InvalidRequest)
    response = problem_response(kind())
    response.headers.update(error.headers or {})
    return response
