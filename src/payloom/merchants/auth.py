"""Who sends this request: an API key in `Authorization: Bearer …`, checked before the body is read.

A route asks for a scope with `Depends(needs("…"))` and gets the Caller; a route that was reached
without authentication gets nobody and refuses (S30).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from payloom.core.errors import Forbidden, PayloomError, Unauthorized
from payloom.core.web.problems import problem_response
from payloom.merchants import keys, queries, scopes
from payloom.merchants.cached import cached
from payloom.merchants.model import ApiKey, Mode
from payloom.runtime import Runtime

log = structlog.get_logger()

PROTECTED = "/v1/"


@dataclass(frozen=True, slots=True)
class Caller:
    """The merchant behind a request, and what the key in use may do."""

    merchant_id: UUID
    mode: Mode
    key_id: UUID
    scopes: frozenset[str]


async def authenticate(rt: Runtime, header: str | None) -> Caller:
    """The caller that an Authorization header names. Raises Unauthorized, never quoting the key.

    A key revoked by another process is good for at most CACHE_TTL_S seconds more.
    """
    digest = keys.digest(_bearer(header))
    key = await cached(rt, cache_key(digest), lambda: _load(rt, digest))
    if key is None:
        raise Unauthorized("This API key does not exist here: check that key and server belong")
    if key.revoked_at is not None:
        raise Unauthorized("This API key was revoked: use another one")
    if key.expires_at is not None and key.expires_at <= rt.clock():
        raise Unauthorized("This API key has expired: use a newer one")
    return Caller(key.merchant_id, key.mode, key.id, key.scopes & scopes.allowed(key.mode))


def cache_key(digest: bytes) -> tuple[str, bytes]:
    """Where an API key is cached, for those who change it."""
    return ("api_key", digest)


class Authenticate:
    """Puts the Caller of every request under /v1/ into `scope["state"]["caller"]`."""

    def __init__(self, app: ASGIApp, rt_of: Callable[[Scope], Runtime]) -> None:
        self._app = app
        self._rt_of = rt_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED):
            try:
                caller = await authenticate(self._rt_of(scope), _authorization(scope))
            except PayloomError as refusal:
                log.info("caller.refused", code=refusal.code, detail=refusal.detail)
                await problem_response(refusal)(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def needs(scope: str) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency for routes: the Caller, whose key has this scope. Raises Forbidden."""
    if scope not in scopes.ALL:
        raise ValueError(f"{scope!r} is not in the table of scopes")

    async def caller_of(request: Request) -> Caller:
        caller = request.scope.get("state", {}).get("caller")
        if not isinstance(caller, Caller):
            raise Unauthorized
        if scope not in caller.scopes:
            raise Forbidden(f"This API key lacks the scope {scope} ({scopes.SCOPES[scope]})")
        return caller

    return caller_of


async def _load(rt: Runtime, digest: bytes) -> ApiKey | None:
    async with rt.db.statement() as tx:
        return await queries.key_by_digest(tx, digest)


def _bearer(header: str | None) -> str:
    if not header:
        raise Unauthorized("Send your API key in the header `Authorization: Bearer sk_…`")
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("The Authorization header must be `Bearer` and an API key")
    key = key.strip()
    if not keys.looks_right(key):
        raise Unauthorized("This is not an API key as we issue them: was it copied whole?")
    return key


def _authorization(scope: Scope) -> str | None:
    """The one Authorization header; two could mean two callers to two readers."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) > 1:
        raise Unauthorized("Send one Authorization header, not several")
    return found[0].decode("latin-1") if found else None
