"""Refunds over HTTP: strings to types, results to JSON, nothing else."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from payloom.core import ids, paging
from payloom.core.errors import NotFound
from payloom.core.idempotency import Answer
from payloom.core.paging import Limit, StartingAfter
from payloom.core.web.idempotent import HEADER, answer_once
from payloom.core.web.requests import StrictRoute
from payloom.merchants.auth import Caller, needs
from payloom.refunds import queries
from payloom.refunds.queries import Filters
from payloom.refunds.request import WantedRefund, refund
from payloom.refunds.states import State
from payloom.refunds.view import show
from payloom.runtime import Runtime

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Refunds"])

Reads = Annotated[Caller, Depends(needs("payment_orders:read"))]
Writes = Annotated[Caller, Depends(needs("refunds:write"))]


class ShownRefundError(BaseModel):
    code: Annotated[str, Field(description="As the PSP says it, such as expired_or_canceled_card")]
    at: datetime


class ShownRefund(BaseModel):
    """A refund; `amount` in minor units of `currency`."""

    id: str
    payment_order: str
    attempt: Annotated[str, Field(description="The attempt whose money goes back")]
    status: State
    amount: int
    currency: str
    reason: str
    origin: Annotated[
        Literal["request", "surplus", "psp"],
        Field(description="A shop asked for it; nobody wanted the money; started at the PSP"),
    ]
    psp_refund: Annotated[str | None, Field(description="The PSP's id of it")]
    last_error: ShownRefundError | None
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime


class RefundList(BaseModel):
    data: list[ShownRefund]
    has_more: bool
    next_cursor: str | None


@router.post(
    "/payment-orders/{order_id}/refunds",
    status_code=201,
    response_model=ShownRefund,
    responses={202: {"model": ShownRefund}},
)
async def create_refund(
    request: Request, order_id: str, caller: Writes, body: WantedRefund | None = None
) -> Response:
    """Give money back, all that is left or a part.

    202 while the PSP has not said what becomes of it; the refund shows it later.
    """
    rt: Runtime = request.app.state.rt
    correlation_id: str = request.scope["state"]["correlation_id"]
    id_, wanted = ids.parse("po", order_id), body or WantedRefund()

    async def work() -> Answer:
        key = request.headers.get(HEADER)  # well-formed: looked at before
        return await refund(rt, caller, id_, wanted, correlation_id=correlation_id, shop_key=key)

    return await answer_once(request, caller.merchant_id, wanted, work)


@router.get("/refunds/{refund_id}", response_model=ShownRefund)
async def get_refund(request: Request, refund_id: str, caller: Reads) -> Response:
    """One refund as it stands."""
    rt: Runtime = request.app.state.rt
    async with rt.db.statement() as tx:
        found = await queries.refund_by_id(tx, caller.merchant_id, ids.parse("rfd", refund_id))
    if found is None:
        raise NotFound("There is no refund with this id")
    return JSONResponse(show(found))


@router.get("/refunds", response_model=RefundList)
async def list_refunds(
    request: Request,
    caller: Reads,
    limit: Limit = 10,
    starting_after: StartingAfter = None,
    payment_order: str | None = None,
    status: State | None = None,
) -> Response:
    """Refunds, newest first."""
    rt: Runtime = request.app.state.rt
    asked = paging.page("rfd", limit, starting_after)
    order_id = ids.parse_query("po", payment_order, "payment_order") if payment_order else None
    async with rt.db.statement() as tx:
        found = await queries.list_refunds(tx, caller.merchant_id, Filters(order_id, status), asked)
    return JSONResponse(paging.envelope(found, asked, show))
