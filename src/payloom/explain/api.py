"""The timeline of a payment order over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.responses import Response

from payloom.core import ids
from payloom.core.errors import NotFound
from payloom.core.web.requests import StrictRoute
from payloom.explain.timeline import timeline
from payloom.merchants.auth import Caller, needs
from payloom.payments import queries
from payloom.runtime import Runtime

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Payment orders"])


class ShownEntry(BaseModel):
    at: datetime
    kind: str
    summary: str
    cause: str | None
    data: dict[str, Any]


class ShownNext(BaseModel):
    at: datetime
    what: str


class Timeline(BaseModel):
    data: list[ShownEntry]
    next: list[ShownNext]


@router.get("/payment-orders/{order_id}/timeline", response_model=Timeline)
async def get_timeline(
    request: Request,
    order_id: str,
    caller: Annotated[Caller, Depends(needs("payment_orders:read"))],
) -> Response:
    """What happened to a payment order and why, in order, and what comes next."""
    rt: Runtime = request.app.state.rt
    wanted = ids.parse("po", order_id)
    async with rt.db.statement() as tx:
        payment = await queries.payment_by_id(tx, caller.merchant_id, wanted)
        if payment is None:
            raise NotFound("There is no payment order with this id")
        return JSONResponse(await timeline(tx, payment))
