"""Payment orders over HTTP: strings to types, results to JSON, nothing else."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from payloom.core import ids, paging
from payloom.core.errors import NotFound, invalid
from payloom.core.idempotency import Answer, Claim
from payloom.core.paging import Limit, StartingAfter
from payloom.core.web.idempotent import answer_once, answer_under_claim
from payloom.core.web.requests import StrictRoute
from payloom.merchants.auth import Caller, needs
from payloom.payments import queries
from payloom.payments.cancel import cancel
from payloom.payments.model import Payment
from payloom.payments.queries import Filters
from payloom.payments.register import register
from payloom.payments.states import Status
from payloom.payments.try_again import try_again
from payloom.payments.view import show
from payloom.payments.wanted import WantedAttempt, WantedOrder
from payloom.runtime import Runtime

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Payment orders"])

Reads = Annotated[Caller, Depends(needs("payment_orders:read"))]
Writes = Annotated[Caller, Depends(needs("payment_orders:write"))]


class ShownError(BaseModel):
    code: Annotated[str, Field(description="As the PSP says it, such as card_declined")]
    decline_code: Annotated[str | None, Field(description="The bank's reason, if the PSP tells it")]
    at: datetime


class ShownMethod(BaseModel):
    type: Annotated[str, Field(description="As the PSP calls it, such as card")]
    brand: str | None
    last4: str | None
    country: Annotated[str | None, Field(description="ISO 3166-1, of the card or account")]


class ShownAttempt(BaseModel):
    id: str
    state: Annotated[str, Field(description="One of an attempt's states")]
    psp: str
    token: Annotated[str | None, Field(description="The PSP's id of the hosted page")]
    created_at: datetime


class ShownOrder(BaseModel):
    """A payment order; amounts in minor units of `currency`."""

    id: str
    reference: str
    mode: Literal["test", "live"]
    payment_order_status: Status
    payment_type: str
    payment_method: str
    method_types: list[str]
    psp: str
    amount: int
    currency: str
    amount_captured: int
    amount_refunded: int
    amount_disputed: int
    redirect_url: str | None
    return_url: str
    cancel_url: str | None
    expires_at: datetime
    last_error: ShownError | None
    attention: str | None
    method: ShownMethod | None
    customer: dict[str, str | None] | None
    description: str | None
    line_items: list[dict[str, Any]]
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    attempts: list[ShownAttempt]
    cancel_requested_at: datetime | None = Field(
        None, description="Only while the PSP has not said that the page is dead"
    )


class OrderList(BaseModel):
    data: list[ShownOrder]
    has_more: bool
    next_cursor: str | None


@router.post(
    "/payment-orders",
    status_code=201,
    response_model=ShownOrder,
    responses={200: {"model": ShownOrder}, 202: {"model": ShownOrder}},
)
async def create_payment_order(request: Request, body: WantedOrder, caller: Writes) -> Response:
    """Register a payment order with a PSP and get the hosted page's URL.

    202 when the PSP has not answered yet; 200 when the reference is known with the same content.
    """
    rt: Runtime = request.app.state.rt
    correlation_id: str = request.scope["state"]["correlation_id"]

    async def work(claim: Claim | None) -> Answer:
        return await register(rt, caller, body, correlation_id=correlation_id, claim=claim)

    return await answer_under_claim(request, caller.merchant_id, body, work)


@router.post(
    "/payment-orders/{order_id}/attempts",
    status_code=201,
    response_model=ShownOrder,
    responses={202: {"model": ShownOrder}},
)
async def create_attempt(
    request: Request, order_id: str, caller: Writes, body: WantedAttempt | None = None
) -> Response:
    """A new try to get the order paid, from FAILED, EXPIRED, or PENDING (whose page ends first).

    202 while the end of the old page or the making of the new one is not known.
    """
    rt: Runtime = request.app.state.rt
    correlation_id: str = request.scope["state"]["correlation_id"]
    id_, wanted = ids.parse("po", order_id), body or WantedAttempt()

    async def work() -> Answer:
        return await try_again(rt, caller, id_, wanted, correlation_id=correlation_id)

    return await answer_once(request, caller.merchant_id, wanted, work)


@router.post(
    "/payment-orders/{order_id}/cancel",
    response_model=ShownOrder,
    responses={202: {"model": ShownOrder}},
)
async def cancel_payment_order(request: Request, order_id: str, caller: Writes) -> Response:
    """End the hosted page at the PSP; the order is CANCELED when it is dead.

    202 with `cancel_requested_at` while the PSP does not answer; 409 when it was paid meanwhile.
    """
    rt: Runtime = request.app.state.rt
    correlation_id: str = request.scope["state"]["correlation_id"]
    id_ = ids.parse("po", order_id)

    async def work() -> Answer:
        return await cancel(rt, caller, id_, correlation_id=correlation_id)

    return await answer_once(request, caller.merchant_id, None, work)


@router.get("/payment-orders/{order_id}", response_model=ShownOrder)
async def get_payment_order(request: Request, order_id: str, caller: Reads) -> Response:
    """One payment order as it stands."""
    payment = await _payment(request, order_id, caller)
    return JSONResponse(show(payment))


@router.get("/payment-orders", response_model=OrderList)
async def list_payment_orders(
    request: Request,
    caller: Reads,
    limit: Limit = 10,
    starting_after: StartingAfter = None,
    reference: str | None = None,
    payment_order_status: Status | None = None,
    psp: str | None = None,
    customer: Annotated[str | None, Query(description="The shop's id of the customer")] = None,
    created_gte: str | None = None,
    created_lt: str | None = None,
) -> Response:
    """Payment orders, newest first."""
    rt: Runtime = request.app.state.rt
    asked = paging.page("po", limit, starting_after)
    filters = Filters(
        reference=_text("reference", reference),
        status=payment_order_status,
        psp=_text("psp", psp),
        customer=_text("customer", customer),
        created_gte=_time("created_gte", created_gte),
        created_lt=_time("created_lt", created_lt),
    )
    async with rt.db.statement() as tx:
        payments = await queries.list_payments(tx, caller.merchant_id, filters, asked)
    return JSONResponse(paging.envelope(payments, asked, show))


async def _payment(request: Request, order_id: str, caller: Caller) -> Payment:
    rt: Runtime = request.app.state.rt
    async with rt.db.statement() as tx:
        payment = await queries.payment_by_id(tx, caller.merchant_id, ids.parse("po", order_id))
    if payment is None:
        raise NotFound("There is no payment order with this id")
    return payment


def _text(field: str, value: str | None) -> str | None:
    if value is not None and "\x00" in value:
        raise invalid(field, "must not hold the character U+0000")
    return value


def _time(field: str, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or one before the year 1 or after 9999
        pass
    raise invalid(field, "must be a time like 2026-11-22T10:15:30Z")
