"""The `Idempotency-Key` header of every POST, bound to the canonical validated request."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from payloom.core.clock import Clock
from payloom.core.errors import PayloomError, invalid
from payloom.core.idempotency import Answer, Claim, Keys
from payloom.core.masking import NOT_TAKEN, holds_card_or_secret
from payloom.core.web.problems import MEDIA_TYPE, problem_body, problem_headers
from payloom.core.web.requests import Strict

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
HEADER = "Idempotency-Key"


async def answer_once(
    request: Request,
    merchant_id: UUID,
    body: Strict | None,
    work: Callable[[], Awaitable[Answer]],
) -> Response:
    """Run `work` once per key; without a key, just run it.

    Raises what `work` raises, KeyReused, StillRunning, and 422 for a malformed key.
    """

    async def claimed(claim: Claim | None) -> Answer:
        if claim is not None:
            await claim.take()
        return await work()

    return await answer_under_claim(request, merchant_id, body, claimed)


async def answer_under_claim(
    request: Request,
    merchant_id: UUID,
    body: Strict | None,
    work: Callable[[Claim | None], Awaitable[Answer]],
) -> Response:
    """The same for work that takes the claim itself, or writes it with its own first rows."""
    given = request.headers.getlist(HEADER)
    if not given:
        return respond(await work(None))
    key = given[0]
    if len(given) > 1 or not _KEY.fullmatch(key):
        raise invalid(HEADER, "must be given once, as 1 to 255 visible ASCII characters")
    if holds_card_or_secret(key):
        raise invalid(HEADER, NOT_TAKEN)
    keys: Keys = request.app.state.idempotency
    clock: Clock = request.app.state.rt.clock
    answer = await keys.once(
        (merchant_id, key),
        fingerprint(request, body),
        clock(),
        lambda claim: _with_refusals(work, claim),
    )
    return respond(answer)


def fingerprint(request: Request, body: Strict | None) -> bytes:
    """What makes two requests the same: method, path and the validated body."""
    canonical = body.canonical if body is not None else b""
    line = f"{request.method} {request.scope['path']}\n"
    return hashlib.sha256(line.encode() + canonical).digest()


def respond(answer: Answer) -> Response:
    is_problem = answer.status >= 400
    media_type = MEDIA_TYPE if is_problem else "application/json"
    return Response(answer.body, answer.status, answer.headers, media_type)


async def _with_refusals(work: Callable[[Claim | None], Awaitable[Answer]], claim: Claim) -> Answer:
    """A refusal decided after our commit is an answer to keep, not an exception to forget."""
    try:
        return await work(claim)
    except PayloomError as refusal:
        if not refusal.is_final:
            raise
        return Answer(refusal.status, problem_body(refusal), problem_headers(refusal))
