"""The business clock over HTTP, for keys in test mode."""

import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from payloom.core.clock import rfc3339
from payloom.core.idempotency import Answer
from payloom.core.web.idempotent import answer_once
from payloom.core.web.requests import Strict, StrictRoute
from payloom.merchants.auth import Caller, needs
from payloom.runtime import Runtime
from payloom.test_clock.advance import advance

router = APIRouter(prefix="/v1/test", route_class=StrictRoute, tags=["Test clock"])

MovesTime = Annotated[Caller, Depends(needs("test:write"))]
SECONDS_MAX = 366 * 86_400


class WantedAdvance(Strict):
    seconds: Annotated[int, Field(gt=0, le=SECONDS_MAX)]


class ShownClock(BaseModel):
    now: datetime
    offset_seconds: Annotated[int, Field(description="Business time less real time")]


@router.post("/clock/advance", response_model=ShownClock)
async def advance_clock(request: Request, body: WantedAdvance, caller: MovesTime) -> Response:
    """Let time pass for all merchants of this installation, and for its stand-in PSPs.

    409 where a merchant is in live mode.
    """
    rt: Runtime = request.app.state.rt

    async def work() -> Answer:
        offset = await advance(rt, body.seconds)
        shown = {"now": rfc3339(rt.clock()), "offset_seconds": offset}
        return Answer(200, json.dumps(shown).encode())

    return await answer_once(request, caller.merchant_id, body, work)
